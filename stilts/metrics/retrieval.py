"""Nearest candidates by cosine, and the rows of their accuracy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stilts.metrics.classification import accuracy_rows
from stilts.metrics.metric import FloatArray


def nearest(queries: NDArray[np.floating], candidates: NDArray[np.floating], *, block: int = 1024) -> NDArray[np.intp]:
    """The index of each query's nearest candidate by cosine, shape (queries,); the lowest index among equals.

    ``queries`` is (queries, width), ``candidates`` (candidates, width); at most ``block`` queries are compared at a
    time, so memory stays below block x candidates numbers. A vector of zeros is equally far from all.
    """
    pool = _unit(candidates).T
    unit = _unit(queries)
    found = [np.argmax(unit[start : start + block] @ pool, axis=1) for start in range(0, len(unit), block)]
    return np.concatenate(found) if found else np.zeros(0, np.intp)


def retrieval_rows(queries: NDArray[np.floating], candidates: NDArray[np.floating]) -> FloatArray:
    """Columns (correct, total) of each query, shape (queries, 2), where candidate i is the translation of query i.

    Tatoeba as in XTREME: queries are the English sentences. InputError when their numbers differ.
    """
    return accuracy_rows(list(range(len(candidates))), nearest(queries, candidates).tolist())


def _unit(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(norms, 1e-12), np.float32)
