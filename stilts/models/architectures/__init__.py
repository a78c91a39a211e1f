"""The architectures, by transformers' model type: one for each family of ``stilts/tasks/families/``."""

from __future__ import annotations

from collections.abc import Mapping

from stilts.models.architecture import Architecture
from stilts.models.architectures.bert_shape import ROBERTA

ARCHITECTURES: Mapping[str, Architecture] = {"xlm-roberta": ROBERTA, "xlm-roberta-xl": ROBERTA}
