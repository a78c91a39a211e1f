"""Expectation: how long a stage will take, from how long its like took in this store."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field

from stilts.ledger.results import results_of
from stilts.store.artifact_store import ArtifactStore
from stilts.study.plan import Plan
from stilts.study.stage import Stage, StageKind, TrainStage


@dataclass(kw_only=True)
class Expectation:
    """Mean seconds per unit of work (an optimizer step, or an evaluated language) by kind and name of stages done."""

    _totals: dict[tuple[str, str], tuple[float, int]] = field(default_factory=dict)

    @classmethod
    def measured(cls, plan: Plan, done: Set[str], store: ArtifactStore) -> Expectation:
        """What the store says of the stages of a plan that are done."""
        expectation = cls()
        for stage_id, stage in plan.stages.items():
            if plan.is_done(stage_id, done):
                expectation.learn(stage, store)
        return expectation

    def learn(self, stage: Stage, store: ArtifactStore) -> None:
        """Adds a finished stage to the means."""
        found = results_of(store, stage.outputs)
        if found.faults:
            return  # what it took is not known any more
        seconds = sum(result.seconds for result in found.values.values())
        total, units = self._totals.get((stage.kind.value, stage.name), (0.0, 0))
        self._totals[(stage.kind.value, stage.name)] = (total + seconds, units + work(stage))

    def seconds(self, stage: Stage) -> float | None:
        """The expected seconds: of stages of the same name, else of the same kind; None when none was done."""
        found = self._totals.get((stage.kind.value, stage.name))
        if found is None:
            alike = [value for (kind, _), value in self._totals.items() if kind == stage.kind.value]
            found = (sum(total for total, _ in alike), sum(units for _, units in alike))
        total, units = found
        return total / units * work(stage) if units else None


def work(stage: Stage) -> int:
    """A stage's units of work: optimizer steps, or outputs of an evaluation."""
    return stage.config.steps if isinstance(stage, TrainStage) and stage.kind is StageKind.TRAIN else len(stage.outputs)
