"""World: a finished matrix with its seeds; splits that choose by one half and judge by the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
PER_CELL, PER_STAGE = "per-cell", "per-stage"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class World:
    """What a table or study recorded.

    ``scores``: (sources, targets, seeds), NaN where nothing was run. ``report``: (sources, targets), the scores that
    judge where they are others than those that choose (a study's report scores); None where the seeds are split.
    ``cell_cost``: (sources, targets), price of one trial. ``stage_cost``: (sources,), the source's own; None where it
    is not known, and then a stage costs what its cells cost together. ``features``: (sources, targets, k) or None.
    ``look``: (sources, targets), scores of a cheap run of every cell, or None; ``look_frac``: its price, 1 being that
    of the full run.
    """

    name: str
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    scores: FloatArray
    cell_cost: FloatArray
    stage_cost: FloatArray | None = None
    report: FloatArray | None = None
    features: FloatArray | None = None
    look: FloatArray | None = None
    look_frac: float = 0.0

    @property
    def exists(self) -> BoolArray:
        """Cells that can be asked for: recorded, and not a source on itself."""
        recorded = np.isfinite(self.scores).any(axis=2)
        others = np.array(self.sources, object)[:, None] != np.array(self.targets, object)[None, :]
        out: BoolArray = recorded & others
        return out

    @property
    def means(self) -> FloatArray:
        """Mean scores over seeds (sources, targets), NaN where nothing was recorded."""
        return _means(self.scores)

    def prices(self, price: str) -> tuple[FloatArray, FloatArray]:
        """Cell prices and stage prices under a price rule, of which a full grid of one seed costs 1."""
        exists = self.exists
        cells, stages = self.cell_cost, np.zeros(len(self.sources))
        if price == PER_STAGE:
            own = (self.cell_cost * exists).sum(axis=1)
            stages = own if self.stage_cost is None else self.stage_cost
            cells = np.zeros_like(cells) if self.stage_cost is None else cells
        elif self.stage_cost is not None:
            per_row = np.maximum(exists.sum(axis=1), 1)
            cells = cells + (self.stage_cost / per_row)[:, None]
        total = float((cells * exists).sum() + (stages * exists.any(axis=1)).sum())
        return cells / total, stages / total


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Split:
    """One way to look at a world: ``scores`` (sources, targets, seeds) choose, ``judge`` (sources, targets)
    is the truth, NaN for cells that do not count."""

    number: int
    scores: FloatArray
    judge: FloatArray


def splits(world: World, count: int, seed: int = 0) -> list[Split]:
    """``count`` splits; the same ones for the same world, count and seed, so that policies are compared in pairs.

    With several seeds and no report scores: a random half of the seeds chooses, in random order, the other half judges.
    Else all seeds choose (in random order), and report scores or the single seed judge.
    """
    stream = np.random.default_rng([seed, world.scores.shape[2]])
    return [_split(world, number, stream) for number in range(count)]


def _split(world: World, number: int, stream: np.random.Generator) -> Split:
    seeds = stream.permutation(world.scores.shape[2])
    if world.report is not None or len(seeds) == 1:
        judge = _means(world.scores) if world.report is None else world.report
        return Split(number=number, scores=_recorded_first(world.scores[:, :, seeds]), judge=_counted(world, judge))
    half = len(seeds) // 2
    judge = _means(world.scores[:, :, seeds[half:]])
    return Split(number=number, scores=_recorded_first(world.scores[:, :, seeds[:half]]), judge=_counted(world, judge))


def _recorded_first(scores: FloatArray) -> FloatArray:
    """The same scores, those of seeds that a cell lacks moved behind the others."""
    order = np.argsort(np.isnan(scores), axis=2, kind="stable")
    out: FloatArray = np.take_along_axis(scores, order, axis=2)
    return out


def _counted(world: World, judge: FloatArray) -> FloatArray:
    return np.where(world.exists, judge, np.nan)


def _means(scores: FloatArray) -> FloatArray:
    """Means over the last axis of what is recorded, NaN where nothing is."""
    known = np.isfinite(scores)
    count = known.sum(axis=-1)
    total = np.where(known, scores, 0.0).sum(axis=-1)
    out: FloatArray = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return out


def aligned(world: World, other: World) -> FloatArray:
    """Another world's mean scores (sources, targets) for this world's names, NaN for names that it lacks."""
    means = other.means
    rows = _places(world.sources, other.sources)
    columns = _places(world.targets, other.targets)
    padded = np.pad(means, ((0, 1), (0, 1)), constant_values=np.nan)
    out: FloatArray = padded[np.ix_(rows, columns)]
    return out


def _places(names: Sequence[str], known: Sequence[str]) -> list[int]:
    """Indices of names among the known ones; -1, the padding, for others."""
    index = {name: place for place, name in enumerate(known)}
    return [index.get(name, -1) for name in names]
