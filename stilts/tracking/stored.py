"""What the store holds of a study beside its scores: payloads, results and troubles of its stages, read once, typed.

Which replicates are done, and what they score, is asked of ``analysis``. What is damaged counts as not done.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from stilts.analysis.results import StudyResults
from stilts.fingerprint import Json
from stilts.ledger.decision import CellsDecision, Pruned, Stopped
from stilts.ledger.decisions import decisions
from stilts.ledger.records import Failure
from stilts.ledger.results import EvaluateResult, TrainResult
from stilts.ledger.view import StudyView
from stilts.study.record import StudyRecord, outputs_of


@dataclass(frozen=True, kw_only=True)
class StoredStudy:
    """The stages of one study as the store held them when they were first asked for."""

    results: StudyResults

    @property
    def record(self) -> StudyRecord:
        """What the study asks of the store."""
        return self.results.record

    @property
    def view(self) -> StudyView:
        """What became of the study."""
        return self.results.view

    @cached_property
    def trainings(self) -> Mapping[str, TrainResult]:
        """The results of the trainings that are done, by stage."""
        return {key: result for key, result in self.view.all_results.values.items() if isinstance(result, TrainResult)}

    @property
    def own_results(self) -> list[TrainResult | EvaluateResult]:
        """The results of all that is done of the study, in an order of their own."""
        return [*self.trainings.values(), *(self.evaluation(key) for key in sorted(self.view.scored))]

    def is_scored(self, keys: Mapping[str, str]) -> bool:
        """Whether there are outputs, one for each language, and all of them are done."""
        return bool(keys) and self.view.scored.issuperset(keys.values())

    def evaluation(self, key: str) -> EvaluateResult:
        """The result of an output that is done: its own, or what a summary keeps of it."""
        result = self.view.all_results.values.get(key)
        return result if isinstance(result, EvaluateResult) else self.view.evaluations.result(key)

    def payload(self, key: str | None) -> Mapping[str, Json]:
        """The identity payload of an artifact; empty where it is not done, or there is none to do."""
        return self.view.payload(key) if key is not None else {}

    def views(self, keys: Mapping[str, str]) -> dict[str, Mapping[str, Json]]:
        """By language, the data that outputs were scored on."""
        return {language: mapping(self.payload(key).get("view")) for language, key in keys.items()}

    def trouble(self, *stages: str) -> list[Failure | Pruned]:
        """Why those of the stages ended that ended without a result."""
        known: list[Failure | Pruned | None] = [
            found.get(stage)
            for stage in stages
            for found in (self.view.failures.values, self.view.prunings.values)
            if stage not in self.trainings and not self._is_evaluated(stage)
        ]
        return [one for one in known if one is not None]

    @cached_property
    def ended_itself(self) -> bool:
        """Whether policy or budget want nothing more, though the matrix may have gaps."""
        found = decisions(self.results.store, self.record.name)
        ends = [one.kind for one in found if isinstance(one, CellsDecision | Stopped)]
        return ends[-1:] == ["stop"]

    def _is_evaluated(self, stage: str) -> bool:
        facts = self.record.stages.get(stage)
        return facts is not None and self.view.scored.issuperset(outputs_of(facts))


def text(value: Json | None) -> str:
    """The value as MLflow shows it: text as it is, numbers as Python writes them, nothing as "none"."""
    return "none" if value is None else str(value)


def mapping(value: Json | None) -> Mapping[str, Json]:
    """The value as a mapping; empty where it is absent."""
    return value if isinstance(value, dict) else {}


def sequence(value: Json | None) -> list[Json]:
    """The value as a list; empty where it is absent."""
    return value if isinstance(value, list) else []
