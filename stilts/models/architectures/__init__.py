"""The architectures, by transformers' model type: one for each family of ``stilts/tasks/families/``."""

from __future__ import annotations

from collections.abc import Mapping

from stilts.models.architecture import Architecture
from stilts.models.architectures.bert_shape import BERT, ROBERTA
from stilts.models.architectures.decoders import Qwen3
from stilts.models.architectures.t5 import T5Encoder
from stilts.models.architectures.transformers_own import DebertaV2, ModernBert, RemBert

ARCHITECTURES: Mapping[str, Architecture] = {
    "xlm-roberta": ROBERTA,
    "xlm-roberta-xl": ROBERTA,
    "roberta": ROBERTA,
    "bert": BERT,
    "modernbert": ModernBert(),
    "deberta-v2": DebertaV2(),
    "rembert": RemBert(),
    "mt5": T5Encoder("MT5EncoderModel"),
    "umt5": T5Encoder("UMT5EncoderModel"),
    "qwen3": Qwen3(),
}
