"""What plan says of stages: those of one kind and task in a line, with the time and memory that they take."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from typing import TypedDict

from stilts.study.memory import Memory
from stilts.study.plan import Plan
from stilts.study.slots import Resources
from stilts.study.stage import Stage

# What a figure rests on: stages of its like in this store, or arithmetic.
MEASURED, DERIVED = "measured", "derived"


class StageLine(TypedDict):
    """Stages of one kind and name that hold the same: how many there are, were asked for, are to run, and for how long.

    ``peak_memory_gib`` is the most that one of them needs on a device, None where no model runs or its sizes are not
    known. Each figure has its basis, MEASURED or DERIVED; "" where nothing is to run. ``cpus`` and ``gpus`` are what
    each holds.
    """

    kind: str
    name: str
    stages: int
    requested: int
    to_run: int
    seconds: float
    seconds_basis: str
    peak_memory_gib: float | None
    memory_basis: str
    cpus: float
    gpus: float
    ids: list[str]


@dataclass(frozen=True, kw_only=True)
class StageLines:
    """Makes the lines of a plan.

    ``measured`` gives a stage's seconds from its like, or None, ``assumed`` those by arithmetic. ``peaks`` are those
    measured of train stages, in GiB, ``derived`` gives a stage's peak by arithmetic, ``held`` what it holds.
    """

    plan: Plan
    needed: Set[str]
    measured: Callable[[Stage], float | None]
    assumed: Callable[[Stage], float]
    peaks: Mapping[str, float]
    derived: Callable[[Stage], Memory | None]
    held: Callable[[Stage], Resources]

    def grouped(self) -> list[StageLine]:
        """A line for each kind and name, and for what they hold, in the order of the plan."""
        groups: dict[tuple[str, str, Resources], list[str]] = {}
        for stage_id, stage in self.plan.stages.items():
            groups.setdefault((stage.kind.value, stage.name, self.held(stage)), []).append(stage_id)
        return [self._line(kind, name, held, ids) for (kind, name, held), ids in groups.items()]

    def _line(self, kind: str, name: str, held: Resources, ids: list[str]) -> StageLine:
        waiting = [self.plan.stages[stage_id] for stage_id in ids if stage_id in self.needed]
        known = [self.measured(stage) for stage in waiting]
        seconds = [self.assumed(stage) if one is None else one for stage, one in zip(waiting, known, strict=True)]
        peak, memory_basis = self._peak(ids)
        return StageLine(
            kind=kind,
            name=name,
            stages=len(ids),
            requested=sum(self.plan.requested[stage_id] for stage_id in ids),
            to_run=len(waiting),
            seconds=sum(seconds),
            seconds_basis=(DERIVED if None in known else MEASURED) if waiting else "",
            peak_memory_gib=peak,
            memory_basis=memory_basis,
            cpus=held.cpus,
            gpus=held.gpus,
            ids=ids,
        )

    def _peak(self, ids: list[str]) -> tuple[float | None, str]:
        found = [self.peaks[stage_id] for stage_id in ids if stage_id in self.peaks]
        if found:
            return max(found), MEASURED
        derived = [memory.total for stage_id in ids if (memory := self.derived(self.plan.stages[stage_id]))]
        return (round(max(derived) / 2**30, 2), DERIVED) if derived else (None, "")
