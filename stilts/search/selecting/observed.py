"""Choosing by what was seen, without a model: the best observed mean, or the source that is good on other targets."""

from __future__ import annotations

import numpy as np

from stilts.search.selecting.policy import Choice, FloatArray
from stilts.search.selecting.tally import Tally


def best_observed(tally: Tally, otherwise: FloatArray | None = None) -> tuple[Choice, ...]:
    """Per target the source with the best mean.

    Where a target has no score: the source with the highest of ``otherwise`` (sources, targets), by default its average
    over the other targets.
    """
    fallback = on_other_targets(tally) if otherwise is None else otherwise
    means = tally.means
    chosen = {}
    for t, target in enumerate(tally.targets):
        values = means[:, t] if np.isfinite(means[:, t]).any() else fallback[:, t]
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

    A source's mean standardised score; 0 without any.
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
    """Mean scores (sources, targets), standardised per target, NaN where there are none."""
    means = tally.means
    known = np.isfinite(means)
    count = known.sum(axis=0)
    centre = np.where(known, means, 0).sum(axis=0) / np.maximum(count, 1)
    spread = np.sqrt((np.where(known, means - centre, 0) ** 2).sum(axis=0) / np.maximum(count - 1, 1))
    out: FloatArray = (means - centre) / np.where(spread > 0, spread, 1)
    return out


def _or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
