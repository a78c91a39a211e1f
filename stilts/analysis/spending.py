"""What a row costs to use for a target: measured training compute, as GPU or CPU hours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TypeAlias

from stilts.analysis.results import StudyResults
from stilts.metrics.resampling import Side
from stilts.study.record import Replicate, StudyRecord

# The done replicates behind each (row, column).
Cells: TypeAlias = Mapping[tuple[str, str], Sequence[Replicate]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowCost:
    """Seconds of training behind one replicate of a cell: the intermediate's stage and the target's, on average.

    A searched row counts the recipe that stands for it, not the search; the encoder's own pretraining is not counted.
    """

    intermediate_s: float
    target_s: float

    @property
    def seconds(self) -> float:
        """Both stages together."""
        return self.intermediate_s + self.target_s


def replicates_in_cells(results: StudyResults) -> Cells:
    """The done replicates behind the score of each (row, column), in the study's order."""
    found: dict[tuple[str, str], list[Replicate]] = {}
    for replicate in results.record.replicates:
        if replicate.replicate_id in results.done:
            found.setdefault((replicate.row, replicate.column), []).append(replicate)
    return found


def row_cost(replicates: Iterable[Replicate], seconds: Mapping[str, float]) -> RowCost | None:
    """The mean cost of these replicates of one cell; None where a stage was not measured."""
    found = list(replicates)
    intermediates = [seconds.get(r.intermediate_stage) if r.intermediate_stage else 0.0 for r in found]
    targets = [seconds.get(r.target_stage) if r.target_stage else 0.0 for r in found]
    known = [part for part in (*intermediates, *targets) if part is not None]
    if not found or len(known) < 2 * len(found):
        return None
    return RowCost(intermediate_s=fmean(known[: len(found)]), target_s=fmean(known[len(found) :]))


def unit_seconds(side: Side, cost: RowCost) -> float:
    """Seconds of one more of what varies independently in a cell: an intermediate seed with its target seeds.

    Where a cell has several target seeds under its only intermediate seed, it is one more target seed.
    """
    if len(side.clusters) == 1 and len(side.scores) > 1:
        return cost.target_s
    return cost.intermediate_s + cost.target_s * len(side.scores) / len(side.clusters)


def compute_hours(record: StudyRecord, seconds: float) -> tuple[float, str]:
    """Seconds of stages as device hours, and their unit: GPU-h where the study's stages hold GPUs, else CPU-h."""
    resources = record.settings.get("resources")
    held = resources if isinstance(resources, Mapping) else {}
    gpus, cpus = held.get("gpus", 0.0), held.get("cpus", 1.0)
    if isinstance(gpus, int | float) and gpus > 0:
        return seconds * gpus / 3600, "GPU-h"
    return seconds * (cpus if isinstance(cpus, int | float) and cpus > 0 else 1.0) / 3600, "CPU-h"


def compute_words(record: StudyRecord, seconds: float) -> str:
    """Seconds of stages as device hours in words: ``hours_words``."""
    return hours_words(*compute_hours(record, seconds))


def hours_words(hours: float, unit: str) -> str:
    """Device hours with one or two significant digits, whole from a hundred on: "1.8 GPU-h"."""
    if hours < 0.01:
        return f"under 0.01 {unit}" if hours else "nothing to train"
    if hours >= 100:
        return f"{hours:,.0f} {unit}"
    return f"{hours:.1f} {unit}" if hours >= 1 else f"{hours:.2g} {unit}"
