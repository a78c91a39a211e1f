"""The k nearest candidates of every query by cosine, in blocks, so that the similarity matrix is never held.

Exact. What is held beside the vectors is one block of candidates, one of queries, their similarities, and k numbers per
query. An ``Index`` does the work on one block of candidates; numpy's is here, others (a GPU, FAISS) live on higher
floors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from stilts.errors import InputError

Vectors: TypeAlias = NDArray[np.floating]
UnitVectors: TypeAlias = NDArray[np.float32]
Found: TypeAlias = tuple[NDArray[np.float32], NDArray[np.intp]]
Lookup: TypeAlias = Callable[[UnitVectors, int], Found]
# From a block of candidates, (candidates, width), what looks up queries, (queries, width), in it: the cosines and the
# places of the k best, both (queries, k), best first, the lower place first among equals.
Index: TypeAlias = Callable[[UnitVectors], Lookup]

# 1024 x 16384 similarities are 64 MiB, and 16384 vectors of 768 numbers 48 MiB. Larger blocks are not faster.
QUERY_BLOCK = 1024
CANDIDATE_BLOCK = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearest:
    """For each query the cosines and the places of its nearest candidates, both (queries, k), nearest first."""

    similarity: NDArray[np.float32]
    places: NDArray[np.intp]


def exact_index(candidates: UnitVectors) -> Lookup:
    """An index that compares every query with every candidate, by numpy."""
    pool = candidates.T

    def look_up(queries: UnitVectors, k: int) -> Found:
        similarity = queries @ pool  # (queries, candidates)
        rows = np.arange(len(queries))
        best = np.empty((len(queries), k), np.float32)
        places = np.empty((len(queries), k), np.intp)
        for rank in range(k):
            places[:, rank] = similarity.argmax(axis=1)
            best[:, rank] = similarity[rows, places[:, rank]]
            similarity[rows, places[:, rank]] = -np.inf
        return best, places

    return look_up


def neighbours(
    queries: Vectors,
    candidates: Vectors,
    k: int,
    *,
    index: Index = exact_index,
    query_block: int = QUERY_BLOCK,
    candidate_block: int = CANDIDATE_BLOCK,
) -> Nearest:
    """The min(k, candidates) nearest candidates of each query by cosine; the lower place comes first among equals.

    ``queries`` is (queries, width), ``candidates`` (candidates, width); memory-mapped arrays are read a block at a
    time. A vector of zeros is equally far from all. InputError where the widths differ or there is no candidate.
    """
    _check(queries, candidates, k)
    k = min(k, len(candidates))
    best = np.full((len(queries), k), -np.inf, np.float32)
    places = np.zeros((len(queries), k), np.intp)
    for block in _blocks(len(candidates), candidate_block):
        look_up = index(unit(candidates[block]))
        for rows in _blocks(len(queries), query_block):
            found, at = look_up(unit(queries[rows]), min(k, block.stop - block.start))
            best[rows], places[rows] = _merged((best[rows], places[rows]), (found, at + block.start))
    return Nearest(similarity=best, places=places)


def cosines(queries: Vectors, candidates: Vectors, places: NDArray[np.intp]) -> NDArray[np.float64]:
    """The cosine of each query with the candidates at its ``places``, both (queries, k), in float64.

    An index may round as its device does; these do not depend on it.
    """
    result = np.empty(places.shape, np.float64)
    for rows in _blocks(len(queries), QUERY_BLOCK):
        there = unit(candidates[places[rows].ravel()]).reshape(*places[rows].shape, -1)
        result[rows] = np.einsum("qw,qkw->qk", unit(queries[rows]), there, dtype=np.float64)
    return result


def unit(vectors: Vectors) -> UnitVectors:
    """The vectors scaled to length 1, in float32; zeros stay zeros."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(norms, 1e-12), np.float32)


def _merged(held: Found, new: Found) -> Found:
    """The best of two, as many as were held; those held come first among equals."""
    scores = np.concatenate([held[0], new[0]], axis=1)
    places = np.concatenate([held[1], new[1]], axis=1)
    order = np.argsort(-scores, axis=1, kind="stable")[:, : held[0].shape[1]]
    return np.take_along_axis(scores, order, axis=1), np.take_along_axis(places, order, axis=1)


def _blocks(length: int, size: int) -> Iterator[slice]:
    return (slice(start, min(start + size, length)) for start in range(0, length, size))


def _check(queries: Vectors, candidates: Vectors, k: int) -> None:
    wrong = ""
    if queries.ndim != 2 or candidates.ndim != 2 or queries.shape[1] != candidates.shape[1]:
        wrong = f"queries of shape {queries.shape} and candidates of shape {candidates.shape}"
    elif not len(candidates) or k < 1:
        wrong = f"{len(candidates)} candidates, {k} of them asked for"
    if wrong:
        raise InputError(
            "nearest neighbours", wrong, "Each query needs a candidate of its own width", "Check both sides' vectors"
        )
