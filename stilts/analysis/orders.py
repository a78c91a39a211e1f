"""How well an order of rows does: rank correlation, regret of its first few, NDCG. Arrays are (rows,).

``guess`` orders the rows, ``truth`` is what each turned out to score; higher is better in both. Rows of equal guess
keep their order.
"""

from __future__ import annotations

from math import comb

import numpy as np

from stilts.metrics.metric import FloatArray


def kendall(guess: FloatArray, truth: FloatArray) -> float | None:
    """Kendall's tau-b (Kendall 1945), -1 to 1; None where either side is constant."""
    upper = np.triu_indices(len(guess), 1)
    one, other = (np.sign(side[:, None] - side[None, :])[upper] for side in (guess, truth))
    norm = np.sqrt(np.abs(one).sum() * np.abs(other).sum())
    return float((one * other).sum() / norm) if norm else None


def regret_at(guess: FloatArray, truth: FloatArray, first: int) -> float:
    """Points between the best row and the best of the ``first`` rows by ``guess``."""
    return float(truth.max() - truth[_order(guess)[:first]].max())


def random_regret_at(truth: FloatArray, first: int) -> float:
    """The expectation of ``regret_at`` over all orders."""
    falling, total = np.sort(truth)[::-1], len(truth)
    first = min(first, total)
    # The best of the drawn ones is the i-th (from 0) where the others come from those behind it.
    chances = [comb(total - 1 - i, first - 1) / comb(total, first) for i in range(total)]
    return float(falling[0] - np.dot(chances, falling))


def relevance(truth: FloatArray) -> FloatArray:
    """What NDCG counts of each row: its score between the target's worst row (0) and best (1)."""
    span = truth.max() - truth.min()
    scaled: FloatArray = (truth - truth.min()) / span if span > 0 else np.zeros(len(truth))
    return scaled


def ndcg(guess: FloatArray, truth: FloatArray) -> float | None:
    """Normalised discounted cumulative gain over all rows (Jarvelin and Kekalainen 2002), 0 to 1.

    The gain is ``relevance``, linear, and the row at rank r counts 1 / log2(1 + r). None where all rows score alike.
    """
    gains = relevance(truth)
    best = float(np.sort(gains)[::-1] @ _discounts(len(gains)))
    return float(gains[_order(guess)] @ _discounts(len(gains))) / best if best else None


def random_ndcg(truth: FloatArray) -> float | None:
    """The expectation of ``ndcg`` over all orders."""
    gains = relevance(truth)
    best = float(np.sort(gains)[::-1] @ _discounts(len(gains)))
    return float(gains.mean() * _discounts(len(gains)).sum()) / best if best else None


def _order(guess: FloatArray) -> np.ndarray:
    return np.argsort(-guess, kind="stable")


def _discounts(number: int) -> FloatArray:
    found: FloatArray = 1.0 / np.log2(np.arange(number) + 2.0)
    return found
