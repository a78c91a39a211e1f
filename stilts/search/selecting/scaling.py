"""Scores brought to one scale: per target centred, scaled, and with their low tail drawn in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stilts.search.selecting.policy import FloatArray
from stilts.search.selecting.tally import Tally

# Sources' worth of the targets' common spread in each target's own.
_SPREAD_ROWS = 4.0
# Cells' worth of a slope of 1 of scores on the first prior, and of the targets' common shift in each target's own.
_SLOPE_CELLS, _SHIFT_CELLS = 10.0, 2.0
# From so many spreads below the centre on, scores are drawn in (logarithmically): a training run that collapsed says
# "not the best", and by how much does not matter.
_KNEE = 1.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scaled:
    """Standardised means per cell (S, T), 0 where there is none.

    ``counts``: scores behind each. ``squares``: (S, T), sum of squares within the cell. ``centre``, ``spread``: (T,),
    points: a score is ``centre + spread * z`` above the knee. ``covariates``: (S, T, k), standardised per target,
    priors first (``is_prior``). ``repeated``: whether a cell can be scored more than once; where it cannot, its one
    score is the truth asked about.
    """

    z: FloatArray
    counts: NDArray[np.intp]
    squares: FloatArray
    centre: FloatArray
    spread: FloatArray
    covariates: FloatArray
    is_prior: NDArray[np.bool_]
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
    centre, spread = _scale(_completed(tally))
    z = _drawn_in((tally.scores - centre[:, None]) / spread[:, None])
    counts = tally.counts
    means = np.nansum(z, axis=2) / np.maximum(counts, 1)
    covariates, is_prior = _covariates(tally)
    return Scaled(
        z=means,
        counts=counts,
        squares=np.nansum((z - means[:, :, None]) ** 2, axis=2),
        centre=centre,
        spread=spread,
        covariates=covariates,
        is_prior=is_prior,
        repeated=tally.question.seeds > 1,
    )


def _completed(tally: Tally) -> FloatArray:
    """Mean scores (S, T), those of cells that were not run as the first prior has them, brought to the scores' scale.

    The cells that were run are those that looked best: of them alone a target's spread comes out far too narrow.
    """
    means = tally.means
    if not tally.priors:
        return means
    prior = tally.priors[0]
    both = np.isfinite(means) & np.isfinite(prior)
    count = both.sum(axis=0)
    (x_mean, x_off), (y_mean, y_off) = _centred(prior, both), _centred(means, both)
    _, off = _centred(prior, np.isfinite(prior))
    believed = _SLOPE_CELLS * max(float((off**2).sum()) / max(int(np.isfinite(prior).sum()), 1), 1e-12)
    slope = ((x_off * y_off).sum() + believed) / ((x_off**2).sum() + believed)
    gap = y_mean - slope * x_mean
    common = float((gap * count).sum() / max(count.sum(), 1))
    shift = (gap * count + _SHIFT_CELLS * common) / (count + _SHIFT_CELLS)
    out: FloatArray = np.where(np.isfinite(means), means, shift + slope * prior)
    return out


def _centred(values: FloatArray, known: NDArray[np.bool_]) -> tuple[FloatArray, FloatArray]:
    """Means (T,) of the cells known, and their deviations (S, T); 0 where unknown."""
    mean = np.where(known, values, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return mean, np.where(known, values - mean, 0.0)


def _scale(cells: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Median of the sources per target, and a spread that is shrunk towards the targets' common one."""
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
    centre, spread = _scale(layer)
    z = (layer - centre) / spread
    out: FloatArray = np.where(np.isfinite(z), _drawn_in(z) if drawn_in else z, 0.0)
    return out
