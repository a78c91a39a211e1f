"""Nearest candidates by cosine (Tatoeba)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

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
