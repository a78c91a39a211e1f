"""What the store holds of a study beside its scores: payloads, results and troubles of its stages, read once, typed.

Which replicates are done, and what they score, is asked of ``analysis``. What is damaged counts as not done.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

from stilts.analysis.results import StudyResults
from stilts.errors import UnreadableError
from stilts.fingerprint import Json
from stilts.ledger.decision import CellsDecision, Pruned, Stopped
from stilts.ledger.decisions import decisions
from stilts.ledger.records import FAILURES, PRUNED, Failure
from stilts.ledger.results import EvaluateResult, Result, TrainResult, typed_result
from stilts.store.published import Published
from stilts.study.record import StudyRecord, outputs_of


@dataclass(frozen=True, kw_only=True)
class StoredStudy:
    """The stages of one study as the store held them when they were first asked for."""

    results: StudyResults

    @property
    def record(self) -> StudyRecord:
        """What the study asks of the store."""
        return self.results.record

    @cached_property
    def trainings(self) -> Mapping[str, TrainResult]:
        """The results of the trainings that are done, by stage."""
        return {key: result for key, result in self._typed.items() if isinstance(result, TrainResult)}

    @property
    def own_results(self) -> list[TrainResult | EvaluateResult]:
        """The results of all that is done of the study, in an order of their own."""
        evaluated = sorted(self.results.evaluations.done)
        return [*self.trainings.values(), *(self.evaluation(key) for key in evaluated)]

    def is_scored(self, keys: Mapping[str, str]) -> bool:
        """Whether there are outputs, one for each language, and all of them are done."""
        return bool(keys) and self.results.evaluations.done.issuperset(keys.values())

    def evaluation(self, key: str) -> EvaluateResult:
        """The result of an output that is done: its own, or what a summary keeps of it."""
        result = self._typed.get(key)
        return result if isinstance(result, EvaluateResult) else self.results.evaluations.evaluation(key)

    def payload(self, key: str) -> Mapping[str, Json]:
        """The identity payload of an artifact; empty where it is not done."""
        return self._published[key].payload if key in self._published else {}

    def views(self, keys: Mapping[str, str]) -> dict[str, Mapping[str, Json]]:
        """By language, the data that outputs were scored on."""
        return {language: mapping(self.payload(key).get("view")) for language, key in keys.items()}

    @cached_property
    def failures(self) -> Mapping[str, Failure]:
        """Why stages failed, by stage."""
        return FAILURES.all(self.results.store).values

    @cached_property
    def pruned(self) -> Mapping[str, Pruned]:
        """Why trainings of the study were stopped, by stage."""
        return PRUNED.all(self.results.store, self.record.name).values

    def trouble(self, *stages: str) -> list[Failure | Pruned]:
        """Why those of the stages ended that ended without a result."""
        known: list[Failure | Pruned | None] = [
            found.get(stage)
            for stage in stages
            for found in (self.failures, self.pruned)
            if stage not in self.trainings and not self._is_evaluated(stage)
        ]
        return [one for one in known if one is not None]

    @cached_property
    def ended_itself(self) -> bool:
        """Whether policy or budget want nothing more, though the matrix may have gaps."""
        found = decisions(self.results.store, self.record.name)
        ends = [one.kind for one in found if isinstance(one, CellsDecision | Stopped)]
        return ends[-1:] == ["stop"]

    @cached_property
    def _published(self) -> Mapping[str, Published]:
        """What is published of the study's trainings and evaluations, by key; one round of reads."""
        stages = [stage for stage in self.record.stages.values() if stage["kind"] != "estimate"]
        keys = {key for stage in stages for key in outputs_of(stage)}
        return self.results.store.publications(sorted(keys & self.results.store.done())).good

    @cached_property
    def _typed(self) -> Mapping[str, Result]:
        """The results of what is published, by key, sorted; without those that cannot be believed."""
        found: dict[str, Result] = {}
        for key, published in sorted(self._published.items()):
            with suppress(UnreadableError):
                found[key] = typed_result(key, published.result)
        return found

    def _is_evaluated(self, stage: str) -> bool:
        facts = self.record.stages.get(stage)
        return facts is not None and self.results.evaluations.done.issuperset(outputs_of(facts))


def text(value: Json | None) -> str:
    """The value as MLflow shows it: text as it is, numbers as Python writes them, nothing as "none"."""
    return "none" if value is None else str(value)


def mapping(value: Json | None) -> Mapping[str, Json]:
    """The value as a mapping; empty where it is absent."""
    return value if isinstance(value, dict) else {}


def sequence(value: Json | None) -> list[Json]:
    """The value as a list; empty where it is absent."""
    return value if isinstance(value, list) else []
