"""Holding: what each stage of a study holds while it runs, by its kind and by the rows and columns that train it.

Execution, never identity: no id looks at it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from stilts.study.plan import Plan
from stilts.study.schema import StageResources, StudyFile, StudyResources
from stilts.study.slots import Node, Resources, most_at_once, num_slots, slots_of
from stilts.study.stage import MergeStage, Stage, StageKind


@dataclass(kw_only=True)
class Holding:
    """What stages hold: that of their row's or column's training, else of their kind, else of all.

    ``planned`` tells it of a plan, before which rows and columns are not known. A training that several rows or columns
    share holds the most that one of them asks for.
    """

    file: StudyFile
    _own: dict[str, Resources] = field(default_factory=dict, init=False)

    def planned(self, plan: Plan) -> None:
        """Takes from a plan which trainings belong to rows and columns that have resources of their own."""
        rows, columns = _given(self.file.intermediates), _given(self.file.targets)
        if not rows and not columns:
            return
        for one in plan.replicates:
            if one.row in rows and one.intermediate_stage is not None:
                self._take(one.intermediate_stage, rows[one.row])
            if one.column in columns:
                for stage_id in plan.record.target_stages(one):
                    self._take(stage_id, columns[one.column])

    def __call__(self, stage: Stage) -> Resources:
        """What the stage holds while it runs."""
        own = self._own.get(stage.stage_id) or self.of_kind(stage.kind)
        return Resources(cpus=own.cpus, gpus=0.0) if isinstance(stage, MergeStage) else own

    def of_kind(self, kind: StageKind) -> Resources:
        """What stages of a kind hold, unless their row or column says otherwise."""
        wanted = self.file.resources
        return _over(Resources(cpus=wanted.cpus, gpus=wanted.gpus), getattr(wanted, kind.value))

    @property
    def classes(self) -> tuple[Resources, ...]:
        """All that some stage of the study may hold, the most GPUs first."""
        return tuple(self.holders)

    @property
    def holders(self) -> Mapping[Resources, tuple[str, ...]]:
        """By class whose stages hold so much: kinds, and rows and columns whose training has resources of its own."""
        train = self.of_kind(StageKind.TRAIN)
        kinds = [kind for kind in StageKind if kind is not StageKind.ESTIMATE or self.file.estimates]
        found: dict[Resources, dict[str, None]] = {}
        for kind in kinds:
            found.setdefault(self.of_kind(kind), {})[kind.value] = None
        if any(row is not None and row.merged_rows for row in self.file.intermediates.values()):
            found.setdefault(Resources(cpus=train.cpus, gpus=0.0), {})["merge"] = None
        for name, one in [*_given(self.file.intermediates).items(), *_given(self.file.targets).items()]:
            found.setdefault(_over(train, one), {})[name] = None
        return {held: tuple(found[held]) for held in sorted(found, key=lambda held: (-held.gpus, -held.cpus))}

    @property
    def most_gpus(self) -> float:
        """The most GPUs that a stage holds; 0 where none holds any."""
        return max(held.gpus for held in self.classes)

    @property
    def bounds(self) -> StudyResources:
        """What the study takes at once, at most."""
        return self.file.resources

    def at_once(self, held: Resources, nodes: Sequence[Node]) -> int:
        """How many stages that hold so much run at once on these nodes, where no others run."""
        return slots_of(self.bounds, held, nodes, beside_gpus=self.most_gpus > 0)

    def at_most(self, held: Resources) -> int | None:
        """The most stages that hold so much which the study allows at once; None where it sets no bound."""
        return most_at_once(self.bounds, held)

    def most_open(self, nodes: Sequence[Node]) -> int:
        """How many trainings of the study run at once: as many as of that class of which most do.

        What scores them is done on the side: were it counted, recipes would be drawn that only wait.
        """
        train, given = self.of_kind(StageKind.TRAIN), [*_given(self.file.intermediates).values()]
        given += _given(self.file.targets).values()
        return max(self.at_once(held, nodes) for held in {train, *(_over(train, one) for one in given)})

    def homeless(self, nodes: Iterable[Node]) -> list[Resources]:
        """The classes that no node can hold."""
        there = list(nodes)
        return [held for held in self.classes if not num_slots(there, held)]

    def _take(self, stage_id: str, given: StageResources) -> None:
        wanted, before = _over(self.of_kind(StageKind.TRAIN), given), self._own.get(stage_id)
        self._own[stage_id] = wanted if before is None else max(before, wanted, key=lambda one: (one.gpus, one.cpus))


def _given(parts: Mapping[str, object]) -> dict[str, StageResources]:
    """What rows or columns say of resources, by their names; those that say nothing are left out."""
    found = {name: getattr(part, "resources", None) for name, part in parts.items()}
    return {name: one for name, one in found.items() if isinstance(one, StageResources) and one.given()}


def _over(usual: Resources, given: StageResources) -> Resources:
    return Resources(
        cpus=usual.cpus if given.cpus is None else given.cpus, gpus=usual.gpus if given.gpus is None else given.gpus
    )
