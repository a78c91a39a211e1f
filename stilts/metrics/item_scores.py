"""Scores of single items: what paired tests compare, as values small enough for a message between processes.

A score of one example comes from its sufficient statistics (``Metric.example_scores``). An array with a digest of
its source items stands for them: equal digests mean the same items in the same order, so arrays can be paired by place.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from stilts.errors import InputError
from stilts.fingerprint import Json
from stilts.metrics.metric import FloatArray
from stilts.metrics.packed_rows import pack, unpack


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ItemScores:
    """Scores (0 to 100) of the examples of one language, shape (examples,) float32, and the digest of their items."""

    items: str
    scores: NDArray[np.float32]


ByLanguage: TypeAlias = Mapping[str, ItemScores]


def paired(ours: ByLanguage, theirs: ByLanguage) -> tuple[FloatArray, FloatArray]:
    """The scores of both on the units that they share, each of shape (units,); empty where they share none.

    A unit is a source item: languages with one digest hold translations of the same items, so their mean is one
    unit's score, and units stay independent. A language whose items differ between the two is left out.
    """
    shared: dict[str, list[tuple[FloatArray, FloatArray]]] = {}
    for language in sorted(ours.keys() & theirs.keys()):
        left, right = ours[language], theirs[language]
        if left.items == right.items and len(left.scores) == len(right.scores):
            pair = (left.scores.astype(np.float64), right.scores.astype(np.float64))
            shared.setdefault(left.items, []).append(pair)
    means = [
        (np.mean([a for a, _ in pairs], axis=0), np.mean([b for _, b in pairs], axis=0)) for pairs in shared.values()
    ]
    if not means:
        return np.empty(0), np.empty(0)
    return np.concatenate([a for a, _ in means]), np.concatenate([b for _, b in means])


def mean_over(alike: Iterable[ByLanguage]) -> dict[str, ItemScores]:
    """The mean of several models' scores of each item, for languages whose items all of them were asked."""
    models = list(alike)
    found: dict[str, ItemScores] = {}
    for language in models[0] if models else ():
        same = [model[language] for model in models if language in model]
        first = same[0]
        if len(same) == len(models) and all(one.items == first.items for one in same):
            scores = np.stack([one.scores for one in same]).astype(np.float64).mean(axis=0)
            found[language] = ItemScores(items=first.items, scores=np.asarray(scores, np.float32))
    return found


def items_to_json(items: ByLanguage) -> dict[str, Json]:
    """The scores as short JSON values; ``items_from_json`` gives exactly the same back."""
    return {
        language: {"items": one.items, "num": len(one.scores), "scores": pack(one.scores.astype(np.float64))}
        for language, one in items.items()
    }


def items_from_json(value: Json) -> dict[str, ItemScores]:
    """The scores by language that were written; a language that cannot be read is left out."""
    found: dict[str, ItemScores] = {}
    for language, one in (value if isinstance(value, dict) else {}).items():
        if isinstance(one, dict) and isinstance(one.get("num"), int):
            try:
                scores = unpack(one.get("scores"), int(str(one["num"]))).astype(np.float32)
            except InputError:
                continue
            found[language] = ItemScores(items=str(one.get("items")), scores=scores)
    return found


def digest_of_items(items: Sequence[str] | NDArray[np.str_]) -> str:
    """16 hex digits that differ where the items, or their order, do."""
    return hashlib.sha256("\0".join(items).encode()).hexdigest()[:16]
