"""StudyView: what became of a study, read once from the ledger. The one place that works out a state.

Start at ``output_states`` and ``stage_state``. Scores come from ``evaluations``, whole results and payloads from
``results`` and ``payload``; each is read when it is first asked for and kept, so a view never changes its mind.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from stilts.errors import UnreadableError
from stilts.fingerprint import Json
from stilts.ledger.decision import Pruned
from stilts.ledger.evaluations import Evaluations
from stilts.ledger.records import FAILURES, PRUNED, Failure, Shelf
from stilts.ledger.results import Result, Results, typed_result
from stilts.ledger.state import State, worst
from stilts.store.artifact_store import ArtifactStore
from stilts.store.published import Published
from stilts.study.record import Replicate, StudyRecord, lineage, outputs_of

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class StudyView:
    """A study as the store held it when each part was first asked for.

    A replicate's state is that of its scores, which a summary may hold where an artifact is damaged. A stage's state
    is that of all that it published.
    """

    record: StudyRecord
    store: ArtifactStore
    _published: dict[str, Published] = field(default_factory=dict, repr=False, compare=False)
    _results: dict[str, Result] = field(default_factory=dict, repr=False, compare=False)
    _faults: dict[str, UnreadableError] = field(default_factory=dict, repr=False, compare=False)
    _asked: set[str] = field(default_factory=set, repr=False, compare=False)

    # States

    def output_states(self, replicate: Replicate, use: str | None = None) -> dict[str, State]:
        """The state of each output of a replicate, or of one use of it, by key.

        One that is not published is as its stages are: those of the replicate and all their ancestors.
        """
        uses = replicate.outputs if use is None else {use: replicate.outputs.get(use, {})}
        keys = [key for by_language in uses.values() for key in by_language.values()]
        if self.scored.issuperset(keys):
            return dict.fromkeys(keys, State.DONE)
        undone = self._undone(self._chain(replicate))
        return {
            key: State.DONE if key in self.scored else State.DAMAGED if key in self.damaged else undone for key in keys
        }

    def replicate_state(self, replicate: Replicate, use: str | None = None) -> State:
        """The most serious state of the replicate's outputs, or of those of one use."""
        return worst(self.output_states(replicate, use).values())

    def stage_state(self, stage_id: str) -> State:
        """What became of a stage: done where all its outputs are."""
        keys = outputs_of(self.record.stages[stage_id])
        if self.damaged_of(keys):
            return State.DAMAGED
        return State.DONE if len(self.results(keys).values) == len(keys) else self._undone({stage_id})

    @property
    def is_running(self) -> bool:
        """Whether a live process holds a stage of the study; between two stages of a run there may be none."""
        return not self._leased.isdisjoint(self.record.stages)

    def _undone(self, stages: Set[str]) -> State:
        known = ((State.PENDING, self._leased), (State.FAILED, self._failed), (State.PRUNED, self.pruned_stages))
        return next((state for state, found in known if not found.isdisjoint(stages)), State.MISSING)

    def _chain(self, replicate: Replicate) -> set[str]:
        """The replicate's stages and all their ancestors."""
        ends = (replicate.evaluate_stage, replicate.target_stage, replicate.intermediate_stage)
        return {stage for end in ends for stage in lineage(end, self.record.stages)}

    @cached_property
    def _leased(self) -> frozenset[str]:
        return self.store.leased()

    @cached_property
    def _failed(self) -> frozenset[str]:
        return frozenset(FAILURES.own_names(self.store)) & self.record.stages.keys()

    @cached_property
    def pruned_stages(self) -> frozenset[str]:
        """The stages that a run of the study stopped early."""
        return frozenset(PRUNED.own_names(self.store, self.record.name))

    # Scores

    @cached_property
    def evaluations(self) -> Evaluations:
        """The scores and per-example statistics of the study's outputs."""
        stages = [name for name, stage in self.record.stages.items() if stage["kind"] == "evaluate"]
        return Evaluations(store=self.store, stages=stages)

    def scores(self, replicate: Replicate, use: str) -> dict[str, float]:
        """The scores, 0 to 100, of a replicate's outputs of a use that are done, by language."""
        outputs = replicate.outputs.get(use, {})
        return self.evaluations.scores({name: key for name, key in outputs.items() if key in self.scored})

    @cached_property
    def unscored(self) -> Mapping[str, Mapping[str, str]]:
        """By column, the languages on ``report`` whose data have no score under its metric, each with the reason.

        That is said by evaluations that are done; it is the same in every row.
        """
        columns = {column.name: column for column in self.record.columns}
        found: dict[str, dict[str, str]] = {}
        for replicate in self.record.replicates:
            for language, key in replicate.outputs.get("report", {}).items():
                if key not in self.scored or language in found.get(replicate.column, {}):
                    continue
                result = self.evaluations.result(key)
                if result.score is None:
                    reason = columns[replicate.column].measure.undefined if result.parts else "its labels are kept back"
                    found.setdefault(replicate.column, {})[language] = reason
        return found

    @cached_property
    def scored(self) -> frozenset[str]:
        """The keys of the replicates' outputs that are done and not damaged."""
        return self._evaluated - self.damaged.keys()

    @cached_property
    def damaged(self) -> Mapping[str, UnreadableError]:
        """What is wrong, by key, with those outputs of replicates whose score or examples cannot be believed."""
        faults = self.evaluations.faults(self._evaluated)
        return {key: fault.of(self.record.name) for key, fault in faults.items()}

    @cached_property
    def _evaluated(self) -> frozenset[str]:
        """Replicates' outputs that are published; artifacts are listed only where summaries leave gaps."""
        found = (use for r in self.record.replicates for use in (*r.outputs.values(), *r.stressed.values()))
        keys = {key for outputs in found for key in outputs.values()}
        known = keys & self.evaluations.summaries.keys()
        return frozenset(known if len(known) == len(keys) else known | (keys & self.store.done()))

    # Whole results

    @cached_property
    def published(self) -> frozenset[str]:
        """The keys of the study's stages that are published, damaged or not."""
        return frozenset(self._keys(self.record.stages)) & self.store.done()

    def results(self, keys: Iterable[str]) -> Results:
        """The whole results of those of the keys that are published; what was not read yet in one round."""
        wanted = list(keys)
        self._read([key for key in dict.fromkeys(wanted) if key not in self._asked])
        return Results(values=_among(wanted, self._results), faults=_among(wanted, self._faults))

    def result(self, key: str) -> Result | None:
        """The whole result of a key; None where it is not published, or cannot be read."""
        return self.results([key]).values.get(key)

    def payload(self, key: str) -> Mapping[str, Json]:
        """The identity payload of a key; empty where it is not published, or cannot be read."""
        if key not in self._asked:
            self._read([key])
        return self._published[key].payload if key in self._published else {}

    @cached_property
    def all_results(self) -> Results:
        """The whole results of all that is published, by key, sorted; in one round of reads."""
        found = self.results(sorted(self.published))
        self._asked.update(self._keys(self.record.stages))  # the others are known not to be there
        return found

    @property
    def faults(self) -> Mapping[str, UnreadableError]:
        """What is wrong, by key, with all of the study that is published and cannot be believed."""
        return {**self.all_results.faults, **self.damaged}

    def damaged_of(self, keys: Collection[str]) -> Mapping[str, UnreadableError]:
        """The faults of some of the study's keys."""
        faults = self.results(keys).faults
        return {**faults, **_among(keys, self.damaged)} if any("/" in key for key in keys) else faults

    def _read(self, keys: Sequence[str]) -> None:
        found = self.store.publications(keys)
        self._asked.update(keys)
        self._published.update(found.good)
        self._faults.update(found.damaged)
        for key, published in found.good.items():
            try:
                self._results[key] = typed_result(key, published.result)
            except UnreadableError as fault:
                self._faults[key] = fault

    def _keys(self, stages: Iterable[str]) -> list[str]:
        return [key for stage in stages for key in outputs_of(self.record.stages[stage])]

    # Cost

    def stage_results(self, stage_id: str) -> list[Result]:
        """What is known of the outputs of a stage that are done: whole results, or what its summary keeps of them."""
        keys = outputs_of(self.record.stages[stage_id])
        summed = self.evaluations.summaries
        whole = self.results([key for key in keys if key not in summed]).values
        found = [self.evaluations.result(key) if key in summed else whole.get(key) for key in keys]
        return [result for result in found if result is not None]

    @cached_property
    def seconds(self) -> Mapping[str, float]:
        """Seconds of compute of every stage of which something is done, by stage; an evaluation's languages summed."""
        summed = self.evaluations.summaries
        self.results(key for key in self._keys(self.record.stages) if key not in summed)
        known = {stage: self.stage_results(stage) for stage in self.record.stages}
        return {stage: sum(result.seconds for result in results) for stage, results in known.items() if results}

    # Why stages have no result

    @cached_property
    def failures(self) -> Shelf[Failure]:
        """Why stages of the study failed the last time, by stage."""
        return FAILURES.several(self.store, sorted(self._failed))

    @cached_property
    def prunings(self) -> Shelf[Pruned]:
        """Why trainings of the study were stopped, by stage."""
        return PRUNED.all(self.store, self.record.name)

    def failure(self, stage_id: str) -> Failure | None:
        """Why a stage failed, None where it did not; DamagedError or NewerError where that cannot be read."""
        return _good(self.failures, stage_id)

    def pruning(self, stage_id: str) -> Pruned | None:
        """Why a stage was stopped, None where it was not; errors as of ``failure``."""
        return _good(self.prunings, stage_id)


def _among(keys: Iterable[str], found: Mapping[str, T]) -> dict[str, T]:
    return {key: found[key] for key in keys if key in found}


def _good(shelf: Shelf[T], name: str) -> T | None:
    if name in shelf.faults:
        raise shelf.faults[name]
    return shelf.values.get(name)
