"""Chunks of any tags, as XTREME's scorer counts them (seqeval 0.0.12), and the rows of their micro F1.

XTREME scores UD-POS and PAN-X by one function. UD-POS tags have no ``B-`` or ``I-``, and yet are read as if they had:
the first character of a tag is its prefix, what follows its last ``-`` (the whole tag where there is none) its type. A
run of equal tags is thus one chunk, ``INTJ`` acts as inside, ``SCONJ`` and ``SYM`` as single words, and a tag that
begins with ``O`` or ``.`` as outside. Later versions of seqeval drop the first character of the type, so CCONJ and
SCONJ fall together there and the figures differ. On BIO tags the chunks are the spans of ``spans.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TypeAlias

import numpy as np

from stilts.metrics.metric import FloatArray
from stilts.metrics.tagging import check_sentences

Chunk: TypeAlias = tuple[str, int, int]
_Mark: TypeAlias = tuple[str, str]

# What stands after every sentence; what stands before the first one has no type.
_BETWEEN: _Mark = ("O", "O")
_BEFORE: _Mark = ("O", "")


def chunk_rows(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> FloatArray:
    """Columns (tp, predicted, gold), counts of chunks that end in each sentence, shape (sentences, 3).

    A chunk is right when its type, first and last word are. The sums are the official counts. InputError as for
    ``tag_rows``.
    """
    check_sentences("chunk F1", gold, predicted)
    pairs = zip(chunks(gold), chunks(predicted), strict=True)
    rows = [(len(wanted & found), len(found), len(wanted)) for wanted, found in pairs]
    return np.array(rows, np.float64).reshape(-1, 3)


def chunks(sentences: Sequence[Sequence[str]]) -> list[frozenset[Chunk]]:
    """The chunks (type, first word, last word) that end in each sentence, words counted through all sentences.

    The scorer reads all sentences as one row of tags with an outside tag after each. A tag such as ``X-O``, outside by
    its type alone, can so be part of a chunk that began in an earlier sentence; that is kept, for the figures to agree.
    """
    found: list[frozenset[Chunk]] = []
    start = position = 0
    before = _BEFORE
    for tags in sentences:
        ended = set()
        for left, mark in pairwise([before, *_marks(tags), _BETWEEN]):
            if _closes(left, mark):
                ended.add((left[1], start, position - 1))
            if _opens(left, mark):
                start = position
            position += 1
        found.append(frozenset(ended))
        before = _BETWEEN
    return found


def _marks(tags: Sequence[str]) -> Iterator[_Mark]:
    """The prefix and the type of every tag."""
    return ((tag[:1] or "O", tag.rsplit("-", 1)[-1]) for tag in tags)


def _closes(left: _Mark, right: _Mark) -> bool:
    """Whether a chunk ends between two neighbours."""
    if left[0] in "ES" or (left[0] in "BI" and right[0] in "BSO"):
        return True
    return left[0] not in "O." and left[1] != right[1]


def _opens(left: _Mark, right: _Mark) -> bool:
    """Whether a chunk begins between two neighbours."""
    if right[0] in "BS" or (left[0] in "ESO" and right[0] in "EI"):
        return True
    return right[0] not in "O." and left[1] != right[1]
