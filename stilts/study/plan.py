"""Plan: the deduplicated DAG of stages that a study needs, and what of it is ready. Pure values, no store.

What is done, running or failed is *given*, as sets of keys and ids. ``planning.py`` makes plans; read ``stage.py``
first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property

from stilts.study.carriers import reads, rests_on
from stilts.study.record import EstimateOutput, Replicate, StudyRecord
from stilts.study.stage import SEMANTIC_HISTORY, SEMANTIC_VERSION, Estimate, MergeStage, Stage, StageKind, make_stage_id


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Stages by id, parents before children, and the record of what the study asks for.

    ``requested`` counts how often each stage was asked for: above 1, the stage is shared.
    """

    stages: Mapping[str, Stage]
    requested: Mapping[str, int]
    record: StudyRecord

    @cached_property
    def children(self) -> dict[str, tuple[str, ...]]:
        """The stages that start from each stage's weights."""
        found: dict[str, list[str]] = {stage_id: [] for stage_id in self.stages}
        for stage_id, stage in self.stages.items():
            for parent in stage.parents:
                found[parent].append(stage_id)
        return {stage_id: tuple(ids) for stage_id, ids in found.items()}

    @cached_property
    def rests_on(self) -> dict[str, tuple[str, ...]]:
        """The stages without whose artifacts the weights of each are not whole: those below an adapter."""
        return rests_on(self.stages)

    @cached_property
    def reads(self) -> dict[str, tuple[str, ...]]:
        """The stages whose artifacts each reads its first weights from."""
        return reads(self.stages, self.rests_on)

    @cached_property
    def readers(self) -> dict[str, tuple[str, ...]]:
        """The stages that read each one's artifact."""
        found: dict[str, list[str]] = {stage_id: [] for stage_id in self.stages}
        for stage_id, read in self.reads.items():
            for below in read:
                found[below].append(stage_id)
        return {stage_id: tuple(ids) for stage_id, ids in found.items()}

    @cached_property
    def descendants(self) -> dict[str, int]:
        """How many stages need each stage, directly or not."""
        counts: dict[str, int] = {}
        for stage_id in reversed(list(self.stages)):  # children stand after their parents
            counts[stage_id] = sum(1 + counts[child] for child in self.children[stage_id])
        return counts

    def seconds_to_end(self, seconds: Mapping[str, float]) -> dict[str, float]:
        """By stage, seconds until the last that waits for it is done, its own among them, were nothing in the way.

        ``seconds`` are those of the stages that are to be run: no other is on any way.
        """
        found: dict[str, float] = {}
        for stage_id in reversed(list(self.stages)):  # children stand after their parents
            if stage_id in seconds:
                later = (found.get(below, 0.0) for below in (*self.children[stage_id], *self.readers[stage_id]))
                found[stage_id] = seconds[stage_id] + max(later, default=0.0)
        return found

    def with_below(self, stage_ids: Iterable[str]) -> set[str]:
        """Those of some stages that are in the plan, and all that starts from them."""
        found: set[str] = set()
        waiting = [stage_id for stage_id in stage_ids if stage_id in self.stages]
        while waiting:
            stage_id = waiting.pop()
            found.add(stage_id)
            waiting.extend(self.children[stage_id])
        return found

    @cached_property
    def estimating(self) -> frozenset[str]:
        """The stages that make estimates: estimate stages, and probes with their evaluations."""
        made = {output.key.partition("/")[0] for output in self.record.estimates}
        probes = {output.key.partition("/")[0] for output in self.record.estimates if output.estimate == Estimate.PROBE}
        return frozenset(made | {parent for stage in probes if (parent := self.stages[stage].parent) is not None})

    @property
    def replicates(self) -> tuple[Replicate, ...]:
        """Every replicate of the study."""
        return self.record.replicates

    def of(self, replicate: Replicate) -> tuple[str, ...]:
        """The stages that one replicate's plain scores need, parents first."""
        return self._line(replicate.evaluate_stage)

    def all_of(self, replicate: Replicate) -> tuple[str, ...]:
        """The stages of one replicate, parents first, with what stresses its model."""
        return (*self.of(replicate), *replicate.scoring_stages[1:])

    def _line(self, stage_id: str) -> tuple[str, ...]:
        """A stage and all that it starts from, parents first."""
        chain: dict[str, None] = {}
        waiting = [stage_id]
        while waiting:
            at = waiting.pop()
            chain.pop(at, None)  # whatever starts from it, comes behind it
            chain[at] = None
            waiting += self.stages[at].parents
        return tuple(reversed(chain))

    def only(self, replicates: Sequence[Replicate]) -> Plan:
        """The plan of some of its replicates, and of the estimates that train no recipe for their own sake."""
        estimates = self._estimates_beside(replicates)
        counts: dict[str, int] = {}
        lines = [self._line(stage_id) for stage_id in dict.fromkeys(one.key.partition("/")[0] for one in estimates)]
        for line in [*map(self.all_of, replicates), *lines]:
            for stage_id in line:
                counts[stage_id] = counts.get(stage_id, 0) + 1
        described = {stage_id: self.record.stages[stage_id] for stage_id in self.record.stages if stage_id in counts}
        return Plan(
            stages={stage_id: stage for stage_id, stage in self.stages.items() if stage_id in counts},
            requested=counts,
            record=replace(self.record, replicates=tuple(replicates), stages=described, estimates=estimates),
        )

    def _estimates_beside(self, replicates: Sequence[Replicate]) -> tuple[EstimateOutput, ...]:
        """Estimates without a recipe, and those of recipes that the replicates train."""
        recipes = {one.intermediate_stage for one in self.replicates if one.intermediate_stage}
        trained = {one.intermediate_stage for one in replicates}
        return tuple(
            one for one in self.record.estimates if not (recipes & set(self._line(one.key.partition("/")[0]))) - trained
        )

    @property
    def keys(self) -> frozenset[str]:
        """The keys of all that its stages publish."""
        return frozenset(key for stage in self.stages.values() for key in stage.outputs)

    def is_done(self, stage_id: str, done: Set[str]) -> bool:
        """Whether all outputs of the stage are among the published keys."""
        return all(key in done for key in self.stages[stage_id].outputs)

    def needed(self, done: Set[str], gone: Set[str] = frozenset(), hopeless: Set[str] = frozenset()) -> list[str]:
        """The stages to run, parents first.

        A stage that is done is not run again, unless its files are among ``gone`` and a stage to be run reads
        them, be it through an adapter above. A train stage whose every planned descendant is done is not needed either,
        done or not: its scores are what the study wanted. Stages that are ``hopeless`` (pruned, say) are not run, nor
        are others run for their sake.
        """
        wanted: set[str] = set()
        for stage_id in reversed(list(self.stages)):
            stage = self.stages[stage_id]
            needed_by_child = any(child in wanted for child in self.children[stage_id])
            if stage_id in hopeless:
                run = False
            elif stage.kind is not StageKind.TRAIN:
                run = not self.is_done(stage_id, done)
            elif self.is_done(stage_id, done):
                run = stage_id in gone and any(reader in wanted for reader in self.readers[stage_id])
            else:
                run = needed_by_child or not self.children[stage_id]
            if run:
                wanted.add(stage_id)
        return [stage_id for stage_id in self.stages if stage_id in wanted]

    def stale(self, done: Set[str], history: Iterable[Mapping[StageKind, int]] = SEMANTIC_HISTORY) -> dict[str, str]:
        """Stages that are to be run although the store has them under an earlier SEMANTIC_VERSION: id now, id then."""
        stored = {key.split("/")[0] for key in done}
        found: dict[str, str] = {}
        for versions in history:
            then = self._ids_under(versions)
            found |= {now: old for now, old in then.items() if old != now and old in stored and now not in stored}
        return found

    def _ids_under(self, versions: Mapping[StageKind, int]) -> dict[str, str]:
        """The id that each stage had, and its parents had, under other versions."""
        then: dict[str, str] = {}
        for stage_id, stage in self.stages.items():
            parent = then.get(stage.parent, stage.parent) if stage.parent else None
            version = versions.get(stage.kind, SEMANTIC_VERSION[stage.kind])  # older tables know fewer kinds
            payload = {**stage.payload, "semantic_version": version, "parent": parent}
            if isinstance(stage, MergeStage):
                payload["merge"] = [[then.get(part.stage_id, part.stage_id), part.weight] for part in stage.merged]
            then[stage_id] = make_stage_id(stage.kind, stage.name, payload)
        return then

    def ready(self, needed: Iterable[str], busy: Set[str]) -> list[str]:
        """Those of ``needed`` that are not busy and before which nothing is to be run: parent, what they read."""
        waiting = set(needed)
        return [
            stage_id
            for stage_id in self.stages
            if stage_id in waiting
            and stage_id not in busy
            and waiting.isdisjoint((*self.stages[stage_id].parents, *self.reads[stage_id]))
        ]
