"""Expectation: how long a stage will take, from how long its like took in this store."""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass, field

from stilts.ledger.results import results_of
from stilts.store.artifact_store import ArtifactStore
from stilts.study.plan import Plan
from stilts.study.stage import Stage


@dataclass(kw_only=True)
class Expectation:
    """How much longer stages took than by arithmetic, by kind and name of those that are done.

    ``assumed`` gives a stage's seconds by arithmetic: it carries what is known of one stage over to others with more
    steps, longer texts or larger batches. ``tempo`` says how much longer such stages took in any study; it counts where
    no stage of the same name is done.
    """

    assumed: Callable[[Stage], float]
    tempo: Callable[[Stage], float | None] = lambda stage: None
    _totals: dict[tuple[str, str], tuple[float, float]] = field(default_factory=dict)

    @classmethod
    def measured(
        cls,
        plan: Plan,
        done: Set[str],
        store: ArtifactStore,
        assumed: Callable[[Stage], float],
        tempo: Callable[[Stage], float | None] = lambda stage: None,
    ) -> Expectation:
        """What the store says of the stages of a plan that are done."""
        expectation = cls(assumed=assumed, tempo=tempo)
        for stage_id, stage in plan.stages.items():
            if plan.is_done(stage_id, done):
                expectation.learn(stage, store)
        return expectation

    def learn(self, stage: Stage, store: ArtifactStore) -> None:
        """Adds a finished stage to what is known."""
        found = results_of(store, stage.outputs)
        if found.faults:
            return  # what it took is not known any more
        seconds = sum(result.took for result in found.values.values())
        total, by_arithmetic = self._totals.get((stage.kind.value, stage.name), (0.0, 0.0))
        self._totals[(stage.kind.value, stage.name)] = (total + seconds, by_arithmetic + self.assumed(stage))

    def seconds(self, stage: Stage) -> float | None:
        """The expected seconds: by stages of its name, else by its tempo, else by stages of its kind; None: unknown."""
        found = self._totals.get((stage.kind.value, stage.name))
        if found is None and (tempo := self.tempo(stage)) is not None:
            return tempo * self.assumed(stage)
        if found is None:
            alike = [value for (kind, _), value in self._totals.items() if kind == stage.kind.value]
            found = (sum(total for total, _ in alike), sum(by_arithmetic for _, by_arithmetic in alike))
        total, by_arithmetic = found
        return total / by_arithmetic * self.assumed(stage) if by_arithmetic else None
