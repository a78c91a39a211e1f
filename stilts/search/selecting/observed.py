"""Choosing by what was seen, without a model: the best observed mean, or the source that is good on other targets."""

from __future__ import annotations

import numpy as np

from stilts.search.selecting.policy import Choice, FloatArray
from stilts.search.selecting.tally import Tally


def best_observed(tally: Tally, otherwise: FloatArray | None = None) -> tuple[Choice, ...]:
    """Per target the source with the best mean at the highest fidelity at which the target has scores.

    Where a target has no score: the source with the highest of ``otherwise`` (sources, targets), by default its average
    over the other targets.
    """
    fallback = on_other_targets(tally) if otherwise is None else otherwise
    means = tally.means
    chosen = {}
    for t, target in enumerate(tally.targets):
        seen = [f for f in range(means.shape[2]) if np.isfinite(means[:, t, f]).any()]
        values = means[:, t, seen[-1]] if seen else fallback[:, t]
        values = np.where(np.isfinite(values) & tally.exists[:, t], values, -np.inf)
        if tally.exists[:, t].any():
            s = int(np.argmax(np.where(tally.exists[:, t], values, -np.inf)))
            s = s if tally.exists[s, t] else int(np.argmax(tally.exists[:, t]))
            chosen[target] = Choice(target=target, source=tally.sources[s], expected=_or_none(values[s]))
    return in_order(tally, chosen)


def in_order(tally: Tally, chosen: dict[str, Choice]) -> tuple[Choice, ...]:
    """Choices in the question's order of targets."""
    return tuple(chosen[target] for target in tally.question.targets if target in chosen)


def on_other_targets(tally: Tally) -> FloatArray:
    """How good a source is on the targets other than each one, (sources, targets), in standard deviations.

    A source's mean standardised score, at each target's highest fidelity with scores; 0 without any.
    """
    z = standardised(tally)
    known = np.isfinite(z)
    filled = np.where(known, z, 0.0)
    total = filled.sum(axis=1, keepdims=True) - filled
    count = known.sum(axis=1, keepdims=True) - known
    # One pseudo-observation of an average source: a source seen once is not yet a champion.
    out: FloatArray = total / (count + 1)
    return out


def standardised(tally: Tally) -> FloatArray:
    """Mean scores (sources, targets) at the highest fidelity of each cell, standardised per target and fidelity."""
    means = tally.means
    out = np.full(means.shape[:2], np.nan)
    for f in range(means.shape[2]):
        column = means[:, :, f]
        known = np.isfinite(column)
        count = known.sum(axis=0)
        centre = np.where(known, column, 0).sum(axis=0) / np.maximum(count, 1)
        spread = np.sqrt((np.where(known, column - centre, 0) ** 2).sum(axis=0) / np.maximum(count - 1, 1))
        z = (column - centre) / np.where(spread > 0, spread, 1)
        out = np.where(known, z, out)
    return out


def _or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
