"""The families of encoders that models/ can take apart into encoder and head, a file for those of one shape."""

from __future__ import annotations

from collections.abc import Mapping

from stilts.tasks.families.bert_shape import BERT, ROBERTA, XLM_ROBERTA, XLM_ROBERTA_XL
from stilts.tasks.families.decoders import QWEN3
from stilts.tasks.families.transformers_own import DEBERTA_V2, MODERNBERT, MT5, REMBERT, UMT5
from stilts.tasks.family import Family

_ALL = (XLM_ROBERTA, XLM_ROBERTA_XL, ROBERTA, BERT, MODERNBERT, DEBERTA_V2, REMBERT, MT5, UMT5, QWEN3)
# By transformers' model type.
FAMILIES: Mapping[str, Family] = {family.model_type: family for family in _ALL}
