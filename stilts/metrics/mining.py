"""Pairs of translations mined from two sets of vectors by margin, as XTREME's scripts do it.

Margin of a pair (Artetxe and Schwenk 2019, arXiv 1811.01136): its cosine against the mean of the cosines of
either side to its k = 4 nearest on the other. Each sentence proposes its best neighbour by margin, in both directions;
pairs are then taken greedily, best margin first, each sentence once. ``bucc.py`` goes on from there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from stilts.metrics.metric import FloatArray
from stilts.metrics.neighbours import Index, Vectors, cosines, exact_index, neighbours

Margin: TypeAlias = Literal["ratio", "distance", "absolute"]
NEIGHBOURHOOD = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """Mined pairs, best margin first: margins and the places of source and target, each (pairs,)."""

    margin: FloatArray
    source: NDArray[np.intp]
    target: NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class _Side:
    """One direction: the places of each row's neighbours on the other side and their margins, both (rows, k)."""

    places: NDArray[np.intp]
    margins: FloatArray

    @property
    def chosen(self) -> NDArray[np.intp]:
        """The place of each row's best neighbour by margin."""
        best: NDArray[np.intp] = self.places[np.arange(len(self.places)), self.margins.argmax(axis=1)]
        return best


def mine(
    source: Vectors,
    target: Vectors,
    *,
    k: int = NEIGHBOURHOOD,
    margin: Margin = "ratio",
    index: Index = exact_index,
) -> Candidates:
    """The one-to-one pairs of rows of ``source`` and ``target`` with a margin above 0, greedily by margin.

    Both are (sentences, width) and hold each sentence once (``bucc.unified``). Among equal margins a source's own
    proposal comes first, then the lower row.
    """
    forward, backward = _both_ways(source, target, k, margin, index)
    from_source = np.concatenate([np.arange(len(source)), backward.chosen])
    to_target = np.concatenate([forward.chosen, np.arange(len(target))])
    scores = np.concatenate([forward.margins.max(axis=1), backward.margins.max(axis=1)])
    kept = _one_to_one(from_source, to_target, scores)
    return Candidates(margin=scores[kept], source=from_source[kept], target=to_target[kept])


def margin_nearest(
    queries: Vectors,
    candidates: Vectors,
    *,
    k: int = NEIGHBOURHOOD,
    margin: Margin = "ratio",
    index: Index = exact_index,
) -> NDArray[np.intp]:
    """The place of each query's best candidate by margin among its k nearest by cosine, shape (queries,)."""
    return _both_ways(queries, candidates, k, margin, index)[0].chosen


def _both_ways(source: Vectors, target: Vectors, k: int, margin: Margin, index: Index) -> tuple[_Side, _Side]:
    """Each source's neighbours among the targets, and each target's among the sources."""
    forward = neighbours(source, target, k, index=index).places
    backward = neighbours(target, source, k, index=index).places
    ahead, back = cosines(source, target, forward), cosines(target, source, backward)
    means = ahead.mean(axis=1), back.mean(axis=1)
    return (
        _Side(forward, _margin(ahead, (means[0][:, None] + means[1][forward]) / 2, margin)),
        _Side(backward, _margin(back, (means[1][:, None] + means[0][backward]) / 2, margin)),
    )


def _margin(similarity: FloatArray, around: FloatArray, margin: Margin) -> FloatArray:
    if margin == "ratio":
        # Where either side is a vector of zeros there is nothing around and nothing alike.
        return np.divide(similarity, around, out=np.zeros(similarity.shape), where=around != 0)
    return similarity - around if margin == "distance" else similarity


def _one_to_one(source: NDArray[np.intp], target: NDArray[np.intp], scores: FloatArray) -> NDArray[np.intp]:
    """The places of the pairs that are taken when each side's row is used once, best first, above 0."""
    kept, used_source, used_target = [], set(), set()
    for place in np.argsort(-scores, kind="stable"):
        pair = int(source[place]), int(target[place])
        if scores[place] <= 0:
            break
        if pair[0] not in used_source and pair[1] not in used_target:
            used_source.add(pair[0])
            used_target.add(pair[1])
            kept.append(place)
    return np.array(kept, np.intp)
