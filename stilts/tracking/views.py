"""What MLflow is to show of a study, from the store alone. Start here; ``sync.py`` writes it.

One parent run for the study, one child run per trained recipe (an intermediate's train stage) and per
replicate of which something is known. Pure: no MLflow, no clock, no paths. Scores, gains and states are those of
``analysis/matrix.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from stilts.analysis.results import StudyResults
from stilts.fingerprint import Json
from stilts.ledger.decision import Pruned
from stilts.ledger.records import Failure
from stilts.ledger.results import EvaluateResult, TrainResult
from stilts.ledger.state import State
from stilts.metrics.uncertainty import Interval
from stilts.study.record import NONE_ROW, Replicate, StudyRecord
from stilts.tracking.configs import recipe_config, replicate_config
from stilts.tracking.lineage import encoder_params, evaluate_input, train_inputs, train_params
from stilts.tracking.parent import is_fixed, parent_view, study_status
from stilts.tracking.points import (
    cost_points,
    evaluate_seconds_point,
    score_points,
    stress_points,
    train_points,
    value_point,
)
from stilts.tracking.replicates import ScoredReplicate, last_report_times, scored_replicates
from stilts.tracking.run_notes import cell_note, recipe_note, replicate_note
from stilts.tracking.run_view import (
    DataInput,
    MetricPoint,
    RunStatus,
    RunView,
    metric_name,
    milliseconds,
    sorted_points,
)
from stilts.tracking.stored import StoredStudy
from stilts.tracking.tags import column_tags, failure_tags, ran_tags, row_tags, study_tags


def run_views(
    results: StudyResults, *, running: bool = True, intervals: Mapping[tuple[str, str], Interval] | None = None
) -> Iterator[RunView]:
    """The parent run, then the recipes', then the replicates' runs, each in the record's order.

    ``running`` says whether a process works on the study; without one, no run is shown as waiting for results.
    A replicate of which neither a result nor a failure is stored has no run; nor has a recipe. ``intervals`` are those
    of the cells' gains by (row, column), for the notes.
    """
    stored = StoredStudy(results=results)
    scored = scored_replicates(stored)
    status = study_status(stored, scored, running=running)
    yield parent_view(stored, scored, status)
    for stage, row in _recipes(results.record).items():
        if stage in stored.trainings or stored.trouble(stage):
            yield _recipe_view(stored, stage, row)
    baselines = _baselines(stored, scored, status)
    for item in scored:
        if item.is_started:
            cell = item.replicate.row, item.replicate.column
            interval = (intervals or {}).get(cell)
            yield _replicate_view(stored, item, baselines.get(item.replicate.column), interval, running=running)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Baseline:
    """The row ``none`` of one column: its score, its scores by language, and when the last one was finished."""

    score: float
    languages: Mapping[str, float]
    time_ms: int


def _baselines(stored: StoredStudy, scored: list[ScoredReplicate], status: RunStatus) -> dict[str, _Baseline]:
    """By column, what gains are counted from; absent while ``none`` has no score there, or a choice may change it."""
    if not is_fixed(NONE_ROW, stored.record, status):
        return {}
    times = last_report_times(scored)
    cells, scores = stored.results.cells, stored.results.language_scores
    cells = cells[(cells["row"] == NONE_ROW) & cells["score"].notna() & (cells["state"] != State.UNCONFIRMED)]
    scores = scores[scores["row"] == NONE_ROW]
    return {
        column: _Baseline(
            score=score,
            languages=scores[scores["column"] == column].set_index("language")["score"].to_dict(),
            time_ms=times[NONE_ROW, column],
        )
        for column, score in zip(cells["column"], cells["score"], strict=True)
    }


def _recipes(record: StudyRecord) -> dict[str, Replicate]:
    """The first replicate that needs each intermediate stage, by stage."""
    first: dict[str, Replicate] = {}
    for replicate in record.replicates:
        if replicate.intermediate_stage is not None:
            first.setdefault(replicate.intermediate_stage, replicate)
    return first


def _recipe_view(stored: StoredStudy, stage: str, row: Replicate) -> RunView:
    result, payload, trouble = stored.trainings.get(stage), stored.payload(stage), stored.trouble(stage)
    status = RunStatus.DONE if result else RunStatus.FAILED if isinstance(trouble[0], Failure) else RunStatus.PRUNED
    results = [result] if result else []
    started, ended = _span_ms(results, trouble)
    points = [point for each in results for point in (*train_points(each), *cost_points(results))]
    served = sum(each.intermediate_stage == stage for each in stored.record.replicates)
    return RunView(
        identity=("stage_id", stage),
        name=row.row + _suffix(p=row.proposal, i=row.intermediate_seed),
        status=status,
        started_ms=started,
        ended_ms=ended,
        params=_params(stored.record, row, intermediate=payload),
        tags={
            **study_tags(stored.record, "recipe", status),
            **row_tags(row),
            **ran_tags(results),
            **failure_tags(stored, stage),
            "stage_id": stage,
        },
        points=sorted_points(points),
        inputs=_sorted_inputs([each for one in results for each in train_inputs(payload, one)]),
        config=recipe_config(stage, stored),
        note=recipe_note(row.row, row.intermediate_seed, status, served),
    )


def _replicate_view(
    stored: StoredStudy, item: ScoredReplicate, baseline: _Baseline | None, interval: Interval | None, *, running: bool
) -> RunView:
    replicate = item.replicate
    status = RunStatus.STOPPED if item.status is RunStatus.PARTIAL and not running else item.status
    started, ended = _span_ms(item.own_results, stored.trouble(*item.own_stages))
    return RunView(
        identity=("replicate_id", replicate.replicate_id),
        name=f"{replicate.row} > {replicate.column}"
        + _suffix(p=replicate.proposal, i=replicate.intermediate_seed, t=replicate.target_seed),
        status=status,
        started_ms=started,
        ended_ms=None if status is RunStatus.PARTIAL else ended,
        params=_replicate_params(stored, replicate),
        tags={
            **study_tags(stored.record, "replicate", status),
            **row_tags(replicate),
            **column_tags(replicate),
            **ran_tags(item.own_results),
            **failure_tags(stored, *item.own_stages),
        },
        points=sorted_points(_replicate_points(item, baseline)),
        inputs=_replicate_inputs(stored, item),
        config=replicate_config(replicate, stored),
        note=replicate_note(item, baseline.score if baseline else None),
        cell_note=cell_note(item, interval),
    )


def _replicate_points(item: ScoredReplicate, baseline: _Baseline | None) -> Iterator[MetricPoint]:
    if item.train is not None:
        yield from train_points(item.train)
    yield from score_points(item.evaluations)
    # Once nothing more is to come: its time is that of the last result, and a point that is there is never moved.
    if item.own_results and item.status is not RunStatus.PARTIAL:
        yield from cost_points(item.own_results)
        if item.evaluations:
            yield evaluate_seconds_point(list(item.evaluations.values()))
    if item.score is not None:
        yield value_point("score", item.score, item.last_report_ms)
    if item.select is not None:
        yield value_point("select", item.select, item.last_select_ms)
    if baseline is not None and item.replicate.row != NONE_ROW:
        yield from _gain_points(item, baseline)
    yield from stress_points(item.replicate.stressed, item.stressed)


def _gain_points(item: ScoredReplicate, baseline: _Baseline) -> Iterator[MetricPoint]:
    if item.score is not None:
        yield value_point("gain", item.score - baseline.score, max(item.last_report_ms, baseline.time_ms))
    for language, result in item.report.items():
        if language in baseline.languages and result.score is not None:
            at = max(milliseconds(result.ended), baseline.time_ms)
            yield value_point(metric_name("gain", language), result.score - baseline.languages[language], at)


def _replicate_params(stored: StoredStudy, replicate: Replicate) -> dict[str, str]:
    payloads = [stored.payload(stage) for stage in (replicate.intermediate_stage, replicate.target_stage)]
    params = _params(stored.record, replicate, intermediate=payloads[0], target=payloads[1])
    return {**params, "seeds": _numbers(i=replicate.intermediate_seed, t=replicate.target_seed)}


def _params(
    record: StudyRecord,
    replicate: Replicate,
    *,
    intermediate: Mapping[str, Json],
    target: Mapping[str, Json] | None = None,
) -> dict[str, str]:
    params = {"encoder": record.encoder, "intermediate": replicate.row}
    if target is not None:
        params["target"] = replicate.column
    for prefix, payload in (("intermediate", intermediate), ("target", target or {})):
        if payload:
            params |= encoder_params(payload) | train_params(prefix, payload)
    return params


def _replicate_inputs(stored: StoredStudy, item: ScoredReplicate) -> tuple[DataInput, ...]:
    target = item.replicate.target_stage
    inputs = [] if item.train is None or target is None else list(train_inputs(stored.payload(target), item.train))
    task = stored.results.column(item.replicate.column).task
    for use, keys in item.replicate.outputs.items():
        if stored.is_scored(keys):  # an input that is there is never changed
            inputs.append(evaluate_input(task, use, stored.views(keys)))
    return _sorted_inputs(inputs)


def _sorted_inputs(inputs: list[DataInput]) -> tuple[DataInput, ...]:
    # MLflow keeps one input per (name, digest).
    unique = {(each.name, each.digest): each for each in inputs}
    return tuple(unique[key] for key in sorted(unique))


def _span_ms(results: Sequence[TrainResult | EvaluateResult], trouble: Sequence[Failure | Pruned]) -> tuple[int, int]:
    times = [milliseconds(one.time) for one in trouble]
    starts, ends = [milliseconds(one.started) for one in results], [milliseconds(one.ended) for one in results]
    return min(starts + times), max(ends + times)


def _suffix(**numbers: int | None) -> str:
    known = _numbers(**numbers)
    return f" / {known}" if known else ""


def _numbers(**numbers: int | None) -> str:
    return " ".join(f"{key}{value}" for key, value in numbers.items() if value is not None)
