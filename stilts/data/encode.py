"""Encoding: what the encoders of all task kinds share; each kind's own is in ``stilts/kinds/``.

Sequences follow the tokenizer's own template (XLM-R's are ``<s> A </s>``, and ``<s> A </s></s> B </s>`` for pairs).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from tokenizers import Tokenizer

from stilts.data.encoded import Encoded, IntArray, Ragged
from stilts.data.tokenizing import Input, encodings
from stilts.errors import InputError
from stilts.tasks.special_tokens import SpecialTokens, special_tokens

# Raise it when the same examples of all kinds come to be encoded otherwise; it is part of the token cache's key.
ENCODE_VERSION = 1
LabelT = TypeVar("LabelT")


@dataclass(frozen=True, kw_only=True)
class TaskTokenizer:
    """A tokenizer with the lengths and labels that one task wants.

    ``query_length`` and ``candidate_length`` are retrieval's own; None: ``max_length``.
    """

    tokenizer: Tokenizer
    labels: tuple[str, ...]
    max_length: int
    doc_stride: int
    query_length: int | None = None
    candidate_length: int | None = None

    @cached_property
    def special(self) -> SpecialTokens:
        """What stands around texts, and what stands for "no answer in this window"."""
        return special_tokens(self.tokenizer)


def text_inputs(examples: Sequence[Any]) -> list[Input]:
    """The text of each example, or its two texts."""
    return [e.text if e.text_pair is None else (e.text, e.text_pair) for e in examples]


def sequences(
    inputs: Sequence[Input], encoder: TaskTokenizer, longest: int | None = None
) -> tuple[list[list[int]], int]:
    """The token ids of each input, at most ``longest`` of them (None: the encoder's), and how many inputs were cut."""
    encoder.tokenizer.enable_truncation(longest or encoder.max_length, strategy="longest_first")
    rows, truncated = [], 0
    for encoding in encodings(encoder.tokenizer, inputs):
        rows.append(encoding.ids)
        truncated += bool(encoding.overflowing)
    encoder.tokenizer.no_truncation()
    return rows, truncated


def one_row_units(rows: list[list[int]], truncated: int, labels: IntArray | None = None) -> Encoded:
    """Rows of which each is an example, with their labels."""
    return many_row_units(rows, truncated, 1, labels)


def many_row_units(rows: list[list[int]], truncated: int, per_unit: int, labels: IntArray | None) -> Encoded:
    """Rows of which every ``per_unit`` neighbours are an example."""
    units = len(rows) // per_unit
    return Encoded(
        ids=Ragged.of(rows),
        rows_per_unit=per_unit,
        unit_example=np.arange(units, dtype=np.int32),
        num_examples=units,
        num_truncated=truncated,
        labels=labels,
    )


def labelled(label: LabelT | None, item: str) -> LabelT:
    """The label; InputError where the example has none."""
    if label is None:
        raise InputError(
            f'label of example "{item}"',
            "the release has none",
            "A placeholder would be learned or scored as if it were real",
            "Use a split with labels",
        )
    return label
