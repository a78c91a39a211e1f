"""Nearest candidates by cosine or by margin, and the rows of their accuracy (Tatoeba)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stilts.metrics.classification import accuracy_rows
from stilts.metrics.metric import FloatArray
from stilts.metrics.mining import Margin, margin_nearest
from stilts.metrics.neighbours import CANDIDATE_BLOCK, QUERY_BLOCK, Index, Vectors, exact_index, neighbours


def nearest(
    queries: Vectors,
    candidates: Vectors,
    *,
    block: int = QUERY_BLOCK,
    candidate_block: int = CANDIDATE_BLOCK,
    index: Index = exact_index,
) -> NDArray[np.intp]:
    """The index of each query's nearest candidate by cosine, shape (queries,); the lowest index among equals.

    ``queries`` is (queries, width), ``candidates`` (candidates, width). At most ``block`` queries are compared with
    ``candidate_block`` candidates at a time. A vector of zeros is equally far from all.
    """
    if not len(queries):
        return np.zeros(0, np.intp)
    found = neighbours(queries, candidates, 1, index=index, query_block=block, candidate_block=candidate_block)
    return found.places[:, 0]


def retrieval_rows(
    queries: Vectors, candidates: Vectors, *, margin: Margin | None = None, index: Index = exact_index
) -> FloatArray:
    """Columns (correct, total) of each query, shape (queries, 2), where candidate i is the translation of query i.

    Tatoeba as in XTREME: queries are the English sentences, and the nearest candidate is by cosine. The other direction
    is asked by swapping the two. ``margin`` asks for the best of the four nearest by margin (Artetxe and Schwenk 2019)
    instead. InputError when their numbers differ.
    """
    if margin is None:
        found = nearest(queries, candidates, index=index)
    else:
        found = margin_nearest(queries, candidates, margin=margin, index=index)
    return accuracy_rows(list(range(len(candidates))), found.tolist())
