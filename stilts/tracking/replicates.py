"""What became of every replicate: its state, its score as ``analysis/matrix.py`` has it, its own results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stilts.analysis.matrix import replicate_scores
from stilts.ledger.results import EvaluateResult, TrainResult
from stilts.ledger.state import State
from stilts.study.record import Replicate
from stilts.tracking.points import last_end_ms
from stilts.tracking.run_view import RunStatus
from stilts.tracking.stored import StoredStudy

# What MLflow shows of a replicate's state; all others are on their way.
_STATUS = {State.DONE: RunStatus.DONE, State.FAILED: RunStatus.FAILED, State.PRUNED: RunStatus.PRUNED}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredReplicate:
    """A replicate with what is stored of it; ``train`` is its target's training, where that is done.

    ``own_stages`` are those that belong to it alone: the intermediate's is shared by a whole row. ``score``, 0 to 100,
    is the mean over the languages of ``report``, once it has all of them, ``select`` that over those of ``select``.
    ``stressed`` are its results by stress and language.
    """

    replicate: Replicate
    own_stages: tuple[str, ...]
    status: RunStatus
    is_started: bool
    train: TrainResult | None
    evaluations: Mapping[tuple[str, str], EvaluateResult]
    score: float | None
    select: float | None
    stressed: Mapping[tuple[str, str], EvaluateResult]

    @property
    def own_results(self) -> list[TrainResult | EvaluateResult]:
        """The results of its own stages."""
        return [*([] if self.train is None else [self.train]), *self.evaluations.values()]

    @property
    def report(self) -> dict[str, EvaluateResult]:
        """Evaluation results on ``report``, by language."""
        return self._of_use("report")

    @property
    def last_report_ms(self) -> int:
        """When the last score on ``report`` was there."""
        return last_end_ms(list(self.report.values()))

    @property
    def last_select_ms(self) -> int:
        """When the last score on ``select`` was there."""
        return last_end_ms(list(self._of_use("select").values()))

    def _of_use(self, wanted: str) -> dict[str, EvaluateResult]:
        return {language: result for (use, language), result in self.evaluations.items() if use == wanted}


def scored_replicates(stored: StoredStudy) -> list[ScoredReplicate]:
    """Every replicate of the record, in its order, with what is stored of it."""
    uses = {use: replicate_scores(stored.results.frame, use) for use in ("report", "select")}
    means = {use: table.set_index("replicate_id")["score"].dropna().to_dict() for use, table in uses.items()}
    report, select = means["report"], means["select"]
    return [
        _scored(each, stored, report.get(each.replicate_id), select.get(each.replicate_id))
        for each in stored.record.replicates
    ]


def last_report_times(scored: list[ScoredReplicate]) -> dict[tuple[str, str], int]:
    """When the last score of each cell was there, by (row, column), in milliseconds."""
    times: dict[tuple[str, str], int] = {}
    for item in scored:
        if item.score is not None:
            cell = (item.replicate.row, item.replicate.column)
            times[cell] = max(times.get(cell, 0), item.last_report_ms)
    return times


def _evaluations(
    stored: StoredStudy, outputs: Mapping[str, Mapping[str, str]]
) -> dict[tuple[str, str], EvaluateResult]:
    """Those that are done, by use (or stress) and language."""
    keys = {(use, lang): key for use, languages in outputs.items() for lang, key in languages.items()}
    return {where: stored.evaluation(key) for where, key in sorted(keys.items()) if key in stored.view.scored}


def _scored(replicate: Replicate, stored: StoredStudy, score: float | None, select: float | None) -> ScoredReplicate:
    evaluations = _evaluations(stored, replicate.outputs)
    train = stored.trainings.get(replicate.target_stage or "")
    own = (*stored.record.target_stages(replicate), *replicate.scoring_stages)
    return ScoredReplicate(
        replicate=replicate,
        own_stages=own,
        status=_STATUS.get(stored.view.replicate_state(replicate), RunStatus.PARTIAL),
        is_started=train is not None or bool(evaluations) or bool(stored.trouble(*own)),
        train=train,
        evaluations=evaluations,
        score=score,
        select=select,
        stressed=_evaluations(stored, replicate.stressed),
    )
