"""BUCC 2018: sentence pairs mined by margin, a threshold chosen on dev and applied to test, and their F1.

The rules are those of XTREME's bucc_eval (Zweigenbaum et al. 2018; Artetxe and Schwenk 2019), checked against its
figures.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from stilts.errors import InputError
from stilts.metrics.metric import FloatArray
from stilts.metrics.mining import NEIGHBOURHOOD, Margin, mine
from stilts.metrics.neighbours import Index, Vectors, exact_index

Pair: TypeAlias = tuple[str, str]


def mine_sentences(
    source: Vectors,
    target: Vectors,
    texts: tuple[Sequence[str], Sequence[str]],
    ids: tuple[Sequence[str], Sequence[str]],
    *,
    k: int = NEIGHBOURHOOD,
    margin: Margin = "ratio",
    index: Index = exact_index,
) -> dict[Pair, float]:
    """The margin of every mined pair of ids, best first, from one vector, text and id per sentence and side.

    Equal texts of a side are one sentence. A text that stands there under several ids takes part and crowds others out,
    but its pairs are left out, as no id can be named: the official rule. InputError where the lengths differ.
    """
    for vectors, side_texts, side_ids in zip((source, target), texts, ids, strict=True):
        _check_side(len(vectors), len(side_texts), len(side_ids))
    rows = [unified(side) for side in texts]
    mined = mine(source[rows[0]], target[rows[1]], k=k, margin=margin, index=index)
    names = [_names(side, side_ids, kept) for side, side_ids, kept in zip(texts, ids, rows, strict=True)]
    found = zip(mined.margin.tolist(), mined.source.tolist(), mined.target.tolist(), strict=True)
    pairs = ((score, names[0][i], names[1][j]) for score, i, j in found)
    return {(left, right): score for score, left, right in pairs if left is not None and right is not None}


def unified(texts: Sequence[str]) -> NDArray[np.intp]:
    """For each distinct text, in order of first appearance, the row of its last: whose vector stands for it."""
    last = {text: row for row, text in enumerate(texts)}
    return np.fromiter(last.values(), np.intp, len(last))


def best_threshold(margins: Mapping[Pair, float], gold: Collection[Pair]) -> float:
    """The margin midway between the last pair of the prefix with the best F1 and the next; the shortest among equals.

    Where all pairs are best taken, the last one's margin (the official script fails there); 0, so all, where no pair is
    right.
    """
    wanted = set(gold)
    ranked = sorted(margins.items(), key=lambda item: -item[1])
    threshold = best = 0.0
    right = 0
    for taken, (pair, score) in enumerate(ranked, start=1):
        right += pair in wanted
        f1 = 2 * right / (taken + len(wanted))
        if f1 > best:
            best = f1
            threshold = (score + ranked[min(taken, len(ranked) - 1)][1]) / 2
    return threshold


def above(margins: Mapping[Pair, float], threshold: float) -> list[Pair]:
    """The pairs whose margin is at least the threshold, in order."""
    return [pair for pair, score in margins.items() if score >= threshold]


def pair_row(gold: Collection[Pair], found: Collection[Pair]) -> FloatArray:
    """Columns (tp, predicted, gold) of the distinct pairs, shape (1, 3), for the metric ``pair_f1``."""
    wanted, mined = set(gold), set(found)
    return np.array([[len(wanted & mined), len(mined), len(wanted)]], np.float64)


def _names(texts: Sequence[str], ids: Sequence[str], rows: NDArray[np.intp]) -> list[str | None]:
    """The id of every unified text, None for one that stands there more than once, the space around it aside."""
    counts = Counter(text.strip() for text in texts)
    return [ids[row] if counts[texts[row].strip()] == 1 else None for row in rows]


def _check_side(vectors: int, texts: int, ids: int) -> None:
    if not vectors == texts == ids:
        raise InputError(
            "mining", f"{vectors} vectors, {texts} texts and {ids} ids on one side", "Every sentence has one of each"
        )
