"""What the store knows of every replicate: its status, its own training, its scores by use and language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stilts.fingerprint import Json
from stilts.study.record import Replicate, StudyRecord
from stilts.tracking.points import last_end_ms, mean_score
from stilts.tracking.run_view import Status
from stilts.tracking.stored import StoredStudy


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """A replicate with what is stored of it; ``train`` is its target's train result, where there is one.

    ``own_stages`` are those that belong to it alone: the intermediate's is shared by a whole row.
    """

    replicate: Replicate
    own_stages: tuple[str, ...]
    status: Status
    train: Mapping[str, Json] | None
    evaluations: Mapping[tuple[str, str], Mapping[str, Json]]

    @property
    def is_started(self) -> bool:
        """Whether anything is known: a result of its own, a failure, or a pruning."""
        return bool(self.own_results) or self.status in (Status.FAILED, Status.PRUNED)

    @property
    def own_results(self) -> list[Mapping[str, Json]]:
        """The results of its own stages."""
        return ([] if self.train is None else [self.train]) + list(self.evaluations.values())

    @property
    def report(self) -> dict[str, Mapping[str, Json]]:
        """Evaluation results on ``report``, by language."""
        return {language: result for (use, language), result in self.evaluations.items() if use == "report"}

    @property
    def has_all_report(self) -> bool:
        """Whether every language that it reports has its score; a mean over fewer would mean something else."""
        wanted = self.replicate.outputs.get("report", {})
        return bool(wanted) and len(self.report) == len(wanted)

    @property
    def mean_report(self) -> float:
        """The mean score over the languages of ``report``, 0 to 100."""
        return mean_score(list(self.report.values()))

    @property
    def last_report_ms(self) -> int:
        """When the last score on ``report`` was there."""
        return last_end_ms(list(self.report.values()))


def scored_replicates(record: StudyRecord, stored: StoredStudy) -> list[Scored]:
    """Every replicate of the record, in its order, with what is stored of it."""
    return [_scored(replicate, record, stored) for replicate in record.replicates]


def _scored(replicate: Replicate, record: StudyRecord, stored: StoredStudy) -> Scored:
    keys = {(use, lang): key for use, languages in replicate.outputs.items() for lang, key in languages.items()}
    evaluations = {where: stored.result(key) for where, key in sorted(keys.items()) if key in stored.done}
    target = replicate.target_stage
    own = (*record.target_stages(replicate), replicate.evaluate_stage)
    return Scored(
        replicate=replicate,
        own_stages=own,
        status=_status(frozenset(own), stored, all_scored=len(evaluations) == len(keys)),
        train=stored.result(target) if target is not None and target in stored.done else None,
        evaluations=evaluations,
    )


def _status(stages: frozenset[str], stored: StoredStudy, *, all_scored: bool) -> Status:
    if all_scored:
        return Status.DONE
    own = stages - stored.done
    if own & stored.failures.keys():
        return Status.FAILED
    return Status.PRUNED if own & stored.pruned.keys() else Status.PARTIAL
