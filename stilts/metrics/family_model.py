"""Gains of languages that share a family effect: residuals that can be exchanged, and how they are permuted.

Model: ``gain = covariates + family effect + language effect``; both effects are random, those of one family are shared.
The languages are the random units here (DESIGN rule 9). What test items and seeds add to a gain's error is part of its
language effect, and is not counted a second time.

Under that model and no difference between groups, two things are exchangeable, whatever the sizes of the families:

* the families' means, each divided by its standard deviation ``sqrt(tau^2 + sigma^2 / size)``. *Whole families are
  permuted*: a family's languages keep together.
* the deviations of a family's languages from its mean, among the languages of that family. They matter only where a
  group cuts through a family (Cyrillic through Indo-European).

So a group that cuts through families is tested on both kinds of evidence, each permuted as it may be, and a group made
of whole families on the first kind alone. Covariates are taken out first and the residuals permuted (Freedman and Lane
1983); ``tau^2`` and ``sigma^2`` come from the residuals without groups, by moments of the one-way layout (Searle et al.
1992, 3.6).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stilts.metrics.metric import FloatArray

# Tells rounding from a column that still varies once others are taken out.
_NOTHING = 1e-9
# Moments often give no family effect where there is a small one. With tau^2 of at least this share of sigma^2, 4.0 to
# 5.1 % of null studies with tau = sigma / 2 fall below p = 0.05; without, 4.3 to 5.7 % (1,500 of XTREME's languages).
_LEAST_SHARE = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """Least-squares effects of one column on data and their t values, first the observed one.

    Shapes (1 + permutations,). Effects are in points per unit of the column.
    """

    effects: FloatArray
    t_values: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyModel:
    """Gains whitened under the family model, with their permutations.

    ``draws``: (1 + permutations, languages), the observed one first, orthogonal to the whitened covariates.
    ``basis``: (languages, covariates + 1), orthonormal columns that span these. ``families``: index of each language's
    family. ``shrink``: (languages,), the share of its family's mean that whitening takes from each value. ``design``:
    (languages, covariates + 1), the covariates as they were given, after a column of ones.
    """

    draws: FloatArray
    basis: FloatArray
    families: NDArray[np.intp]
    shrink: FloatArray
    design: FloatArray

    @property
    def free(self) -> int:
        """Degrees of freedom left by the covariates."""
        return int(self.basis.shape[0] - self.basis.shape[1])

    def whiten(self, columns: FloatArray) -> FloatArray:
        """Columns of shape (languages, k) in the whitened space, covariates taken out."""
        white = columns - self.shrink[:, None] * _family_means(columns, self.families)
        out: FloatArray = white - self.basis @ (self.basis.T @ white)
        return out

    def effects(self, column: FloatArray) -> Effects | None:
        """The effect of one column (languages,) in every draw; None where covariates explain all of it."""
        [white] = self.whiten(column[:, None]).T
        size = float(white @ white)
        if size < _NOTHING * max(1.0, float(column @ column)) or self.free < 2:
            return None
        effects = self.draws @ white / size
        rest = np.maximum((self.draws**2).sum(axis=1) - effects**2 * size, 0.0)
        errors = np.sqrt(rest / (self.free - 1) / size)
        t_values = np.divide(effects, errors, out=np.zeros_like(effects), where=errors > 0)
        return Effects(effects=effects, t_values=t_values)

    def refitted(self, gains: FloatArray, column: FloatArray) -> float:
        """The t value of a column's effect on other gains of the same languages, their variances estimated anew."""
        found = _model(gains, self.families, self.design, 0, 0).effects(column)
        return 0.0 if found is None else float(found.t_values[0])

    def explained(self, columns: FloatArray) -> FloatArray:
        """The share of the sum of squares that the columns explain together, in every draw; shape (draws,)."""
        parts, sizes, _ = np.linalg.svd(self.whiten(columns), full_matrices=False)
        axes = parts[:, sizes > _NOTHING]
        total = np.maximum((self.draws**2).sum(axis=1), np.finfo(float).tiny)
        out: FloatArray = ((self.draws @ axes) ** 2).sum(axis=1) / total
        return out


def family_model(
    gains: FloatArray,
    families: Sequence[str],
    covariates: FloatArray | None = None,
    *,
    permutations: int = 10_000,
    seed: int = 0,
) -> FamilyModel:
    """The model of gains (languages,) in families, given covariates (languages, k), with permuted residuals."""
    names = {name: index for index, name in enumerate(dict.fromkeys(families))}
    index = np.array([names[name] for name in families], np.intp)
    ones = np.ones((len(gains), 1))
    design = ones if covariates is None else np.column_stack([ones, covariates])
    return _model(gains, index, design, permutations, seed)


def without_effect(model: FamilyModel, gains: FloatArray, column: FloatArray) -> FloatArray:
    """Gains less what covariates and the column explain of them (least squares), shape (languages,)."""
    out: FloatArray = gains - _fitted(np.column_stack([model.design, column]), gains)
    return out


def _model(
    gains: FloatArray, families: NDArray[np.intp], design: FloatArray, permutations: int, seed: int
) -> FamilyModel:
    shrink = _shrink(gains - _fitted(design, gains), families, design.shape[1])
    basis = _orthonormal(design - shrink[:, None] * _family_means(design, families))
    white = gains - shrink * _family_means(gains[:, None], families)[:, 0]
    residuals = white - basis @ (basis.T @ white)
    draws = np.vstack([residuals, _permuted(residuals, families, permutations, np.random.default_rng(seed))])
    draws = draws - (draws @ basis) @ basis.T
    return FamilyModel(draws=draws, basis=basis, families=families, shrink=shrink, design=design)


def _shrink(residuals: FloatArray, families: NDArray[np.intp], num_columns: int) -> FloatArray:
    """``1 - sqrt(sigma^2 / (sigma^2 + size * tau^2))`` per language: 0 without a family effect, towards 1 with one."""
    count = len(residuals)
    sizes = np.bincount(families).astype(np.float64)
    num = len(sizes)
    if num in (1, count):
        return np.zeros(count)  # Family and language effects cannot be told apart.
    means = np.bincount(families, residuals) / sizes
    within = float(((residuals - means[families]) ** 2).sum()) / (count - num)
    between = float((sizes * means**2).sum()) / max(num - num_columns, 1)
    tau2 = (between - within) / float((count - (sizes**2).sum() / count) / (num - 1))
    tau2 = max(tau2, _LEAST_SHARE * within)
    total = within + sizes * tau2
    out: FloatArray = (1.0 - np.sqrt(np.divide(within, total, out=np.ones_like(total), where=total > 0)))[families]
    return out


def _permuted(
    residuals: FloatArray, families: NDArray[np.intp], permutations: int, stream: np.random.Generator
) -> FloatArray:
    """Families' standardised means permuted among families, deviations among the languages of each family."""
    sizes = np.bincount(families)
    roots = np.sqrt(sizes)
    means = np.bincount(families, residuals) / sizes
    order = np.argsort(families, kind="stable")
    keys = families[order] + stream.random((permutations, len(residuals)))
    shuffled = order[np.argsort(keys, axis=1)]
    deviations = np.empty_like(keys)
    deviations[:, order] = (residuals - means[families])[shuffled]
    chosen = np.argsort(stream.random((permutations, len(sizes))), axis=1)
    out: FloatArray = ((means * roots)[chosen] / roots)[:, families] + deviations
    return out


def _family_means(columns: FloatArray, families: NDArray[np.intp]) -> FloatArray:
    sizes = np.bincount(families)
    means = np.stack([np.bincount(families, column) / sizes for column in columns.T], axis=1)
    out: FloatArray = means[families]
    return out


def _fitted(design: FloatArray, values: FloatArray) -> FloatArray:
    basis = _orthonormal(design)
    out: FloatArray = basis @ (basis.T @ values)
    return out


def _orthonormal(columns: FloatArray) -> FloatArray:
    """Orthonormal columns with the same span; columns that add nothing are left out."""
    left, sizes, _ = np.linalg.svd(columns, full_matrices=False)
    out: FloatArray = left[:, sizes > _NOTHING * max(1.0, float(sizes[0]))]
    return out
