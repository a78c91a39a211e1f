"""Scores brought to one scale: per target centred, scaled, and with their low tail drawn in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stilts.search.selecting.policy import FloatArray
from stilts.search.selecting.tally import Tally

# Sources' worth of the targets' common spread in each target's own.
_SPREAD_ROWS = 4.0
# From so many spreads below the centre on, scores are drawn in (logarithmically): a training run that collapsed says
# "not the best", and by how much does not matter.
_KNEE = 1.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scaled:
    """Standardised means per cell (S, T) at the highest fidelity seen, 0 where none was.

    ``by_level``: (S, T, F), the same for every fidelity, NaN where there is none. ``counts``: scores behind each.
    ``level``: that fidelity's number. ``squares``: sum of squares within the cell. ``centre``, ``spread``: (T,),
    points: a score is ``centre + spread * z`` above the knee. ``covariates``: (S, T, k), standardised per target,
    foreign matrices first (``is_prior``). ``doublings``: (F,), how often each fidelity's price doubles up to the
    full one. ``repeated``: whether a cell can be scored more than once; where it cannot, its one score is the truth
    asked about.
    """

    z: FloatArray
    by_level: FloatArray
    counts: NDArray[np.intp]
    level: NDArray[np.intp]
    squares: FloatArray
    centre: FloatArray
    spread: FloatArray
    covariates: FloatArray
    is_prior: NDArray[np.bool_]
    doublings: FloatArray
    repeated: bool

    @property
    def seen_rows(self) -> NDArray[np.bool_]:
        """Sources of which something was observed."""
        out: NDArray[np.bool_] = np.max(self.counts, axis=1) > 0
        return out

    def points(self, z: FloatArray) -> FloatArray:
        """Standardised values (..., T) as scores."""
        out: FloatArray = self.centre + self.spread * np.where(z > -_KNEE, z, -_KNEE - np.expm1(-_KNEE - z))
        return out


def scaled(tally: Tally) -> Scaled:
    """A tally on the model's scale."""
    counts = tally.counts
    levels = counts.shape[2]
    level = np.where(counts.any(axis=2), levels - 1 - np.argmax(counts[:, :, ::-1] > 0, axis=2), levels - 1)
    at = level[:, :, None]
    number = np.take_along_axis(counts, at, axis=2)[:, :, 0]
    chosen = level[:, :, None, None]
    centre, spread = _scale(np.take_along_axis(tally.scores, chosen, axis=3)[:, :, :, 0])
    every = _drawn_in((tally.scores - centre[None, :, None, None]) / spread[None, :, None, None])
    by_level = np.divide(np.nansum(every, axis=2), counts, out=np.full(counts.shape, np.nan), where=counts > 0)
    means = np.where(number > 0, np.take_along_axis(by_level, at, axis=2)[:, :, 0], 0.0)
    z = np.take_along_axis(every, chosen, axis=3)[:, :, :, 0]
    squares = np.nansum((z - means[:, :, None]) ** 2, axis=2)
    covariates, is_prior = _covariates(tally)
    return Scaled(
        z=means,
        by_level=by_level,
        counts=number,
        level=level,
        squares=squares,
        centre=centre,
        spread=spread,
        covariates=covariates,
        is_prior=is_prior,
        doublings=_doublings(tally),
        repeated=tally.question.seeds > 1,
    )


def _scale(scores: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Median of the sources per target, and a spread that is shrunk towards the targets' common one."""
    known = np.isfinite(scores)
    count = known.sum(axis=2)
    cells = np.divide(np.nansum(scores, axis=2), count, out=np.full(count.shape, np.nan), where=count > 0)
    rows = np.isfinite(cells).sum(axis=0)
    centre = np.array(
        [np.median(column[np.isfinite(column)]) if n else np.nan for column, n in zip(cells.T, rows, strict=True)]
    )
    centre = np.where(rows > 0, centre, np.nanmean(centre) if rows.any() else 0.0)
    off = np.where(np.isfinite(cells), cells - centre, 0.0)
    variance = np.array([_upper(column[np.isfinite(c)]) for column, c in zip(off.T, cells.T, strict=True)])
    free = np.maximum(rows - 1, 0)
    several = free >= 2
    common = float(np.exp(np.mean(np.log(np.maximum(variance[several], 1e-4))))) if several.any() else 1.0
    spread = np.sqrt((free * variance + _SPREAD_ROWS * common) / (free + _SPREAD_ROWS))
    return centre, np.maximum(spread, 1e-6)


def _upper(off: FloatArray) -> float:
    """Variance of deviations from the median, those below it counted as no larger than those above on the whole."""
    if len(off) < 2:
        return 0.0
    up, down = off[off >= 0], off[off <= 0]
    return float(np.mean(up**2) * 0.5 + min(np.mean(down**2), 4 * np.mean(up**2) + 1e-9) * 0.5)


def _drawn_in(z: FloatArray) -> FloatArray:
    out: FloatArray = np.where(z > -_KNEE, z, -_KNEE - np.log1p(np.maximum(-_KNEE - z, 0.0)))
    return out


def _covariates(tally: Tally) -> tuple[FloatArray, NDArray[np.bool_]]:
    layers = list(tally.priors)
    num_priors = len(layers)
    if tally.features is not None:
        layers += [tally.features[:, :, k] for k in range(tally.features.shape[2])]
    shape = (len(tally.sources), len(tally.targets))
    stack = [_standard(layer, drawn_in=k < num_priors) for k, layer in enumerate(layers)]
    out = np.stack(stack, axis=2) if stack else np.zeros((*shape, 0))
    return out, np.arange(len(layers)) < num_priors


def _standard(layer: FloatArray, *, drawn_in: bool) -> FloatArray:
    """A covariate standardised per target like a score; 0, its centre, where it is unknown."""
    centre, spread = _scale(layer[:, :, None])
    z = (layer - centre) / spread
    out: FloatArray = np.where(np.isfinite(z), _drawn_in(z) if drawn_in else z, 0.0)
    return out


def _doublings(tally: Tally) -> FloatArray:
    """log2 of the full fidelity's mean price over each fidelity's, at least 0; 0 for the full one."""
    total = tally.cell_price.mean(axis=1).mean(axis=0) + tally.stage_price.mean(axis=0)
    out: FloatArray = np.maximum(np.log2(np.maximum(total[-1], 1e-300) / np.maximum(total, 1e-300)), 0.0)
    return out
