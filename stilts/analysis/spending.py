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

    What a target is learned after counts with the target. A searched row counts the recipe that stands for it, not the
    search; the encoder's own pretraining is not counted.
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


def row_cost(replicates: Iterable[Replicate], record: StudyRecord, seconds: Mapping[str, float]) -> RowCost | None:
    """The mean cost of these replicates of one cell; None where a stage was not measured."""
    found = list(replicates)
    intermediates = [(r.intermediate_stage,) if r.intermediate_stage else () for r in found]
    targets = [record.target_stages(r) for r in found]
    if not found or not all(stage in seconds for stages in (*intermediates, *targets) for stage in stages):
        return None
    first, then = (fmean(sum(seconds[one] for one in stages) for stages in side) for side in (intermediates, targets))
    return RowCost(intermediate_s=first, target_s=then)


def unit_seconds(side: Side, cost: RowCost) -> float:
    """Seconds of one more of what varies independently in a cell: an intermediate seed with its target seeds.

    Where a cell has several target seeds under its only intermediate seed, it is one more target seed.
    """
    if len(side.clusters) == 1 and len(side.scores) > 1:
        return cost.target_s
    return cost.intermediate_s + cost.target_s * len(side.scores) / len(side.clusters)


def compute_hours(record: StudyRecord, seconds: float) -> tuple[float, str]:
    """Seconds of training as device hours, and their unit: GPU-h where the study's trainings hold GPUs, else CPU-h.

    What single rows and columns hold instead is not looked at.
    """
    resources = record.settings.get("resources")
    held = dict(resources) if isinstance(resources, Mapping) else {}
    trained = held.get("train")
    held |= {
        name: one for name, one in dict(trained if isinstance(trained, Mapping) else {}).items() if one is not None
    }
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
