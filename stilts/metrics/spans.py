"""Entity spans of BIO tags as conlleval reads them, and the rows of their micro F1.

The rules are those of seqeval's default mode (checked against seqeval 1.2.2 in the tests): tags need not be valid; an
``I-`` after ``O``, or of another type than the tag before, opens a span.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from stilts.metrics.metric import FloatArray
from stilts.metrics.tagging import check_sentences

Span: TypeAlias = tuple[str, int, int]


def entity_rows(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> FloatArray:
    """Columns (tp, predicted, gold), counts of spans in each sentence, shape (sentences, 3).

    A span is right when its type, first and last word are. InputError as for ``tag_rows``.
    """
    check_sentences("span F1", gold, predicted)
    rows = []
    for gold_tags, tags in zip(gold, predicted, strict=True):
        wanted, found = entities(gold_tags), entities(tags)
        rows.append((len(wanted & found), len(found), len(wanted)))
    return np.array(rows, np.float64).reshape(-1, 3)


def entities(tags: Sequence[str]) -> frozenset[Span]:
    """The spans (type, first word, last word) of one sentence of BIO tags; ``B`` alone has the type ``_``."""
    spans: set[Span] = set()
    start: int | None = None
    open_type = ""
    for position, tag in enumerate([*tags, "O"]):
        prefix, kind = tag[:1], tag[1:].split("-", 1)[-1] or "_"
        if start is not None and (prefix in "BO" or kind != open_type):
            spans.add((open_type, start, position - 1))
            start = None
        if start is None and prefix != "O":
            start, open_type = position, kind
    return frozenset(spans)
