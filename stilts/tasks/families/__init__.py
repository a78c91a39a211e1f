"""The families of encoders that models/ can take apart into encoder and head, a file for those of one shape."""

from __future__ import annotations

from collections.abc import Mapping

from stilts.tasks.families.bert_shape import XLM_ROBERTA, XLM_ROBERTA_XL
from stilts.tasks.family import Family

# By transformers' model type.
FAMILIES: Mapping[str, Family] = {family.model_type: family for family in (XLM_ROBERTA, XLM_ROBERTA_XL)}
