"""What MLflow is to show of a study, from the store alone. Start here; ``sync.py`` writes it.

One parent run for the study, one child run per trained recipe (an intermediate's train stage) and per
replicate of which something is known. Pure: no MLflow, no clock, no paths.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from stilts.fingerprint import Json
from stilts.store.artifact_store import ArtifactStore
from stilts.study.record import NONE_ROW, Replicate, StudyRecord
from stilts.tracking.configs import recipe_config, replicate_config
from stilts.tracking.lineage import encoder_params, evaluate_input, train_inputs, train_params
from stilts.tracking.parent import parent_view
from stilts.tracking.points import (
    cost_points,
    evaluate_seconds_point,
    last_end_ms,
    mean_point,
    score_points,
    train_points,
    value_point,
)
from stilts.tracking.replicates import Scored, scored_replicates
from stilts.tracking.run_view import DataInput, Point, RunView, Status, metric_name, milliseconds, sorted_points
from stilts.tracking.stored import StoredStudy, number
from stilts.tracking.tags import column_tags, failure_tags, row_tags, study_tags, trouble_of


def run_views(record: StudyRecord, store: ArtifactStore | StoredStudy, *, running: bool = True) -> Iterator[RunView]:
    """The parent run, then the recipes', then the replicates' runs, each in the record's order.

    ``running`` says whether a process works on the study; without one, no run is shown as waiting for results.
    Pass a ``StoredStudy`` that is kept between calls to read only what is new. A replicate of which neither a
    result nor a failure is stored has no run; nor has a recipe.
    """
    stored = (store if isinstance(store, StoredStudy) else StoredStudy(store=store, study=record.name)).refresh()
    scored = scored_replicates(record, stored)
    recipes = {stage: row for stage, row in _recipes(record).items() if stage_status(stage, stored) is not None}
    yield parent_view(record, stored, scored, running=running)
    for stage, row in recipes.items():
        yield _recipe_view(record, stored, stage, row)
    baselines = {column.name: _Baseline.of(column.name, scored) for column in record.columns}
    for item in scored:
        if item.is_started:
            none = item.replicate.row == NONE_ROW
            baseline = None if none else baselines[item.replicate.column]
            yield _replicate_view(record, stored, item, baseline, running=running)


def stage_status(stage_id: str, stored: StoredStudy) -> Status | None:
    """How a stage ended; None while it has not."""
    if stage_id in stored.done:
        return Status.DONE
    if stage_id in stored.failures:
        return Status.FAILED
    return Status.PRUNED if stage_id in stored.pruned else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Baseline:
    """The row ``none`` of one column: mean scores of its done replicates, and when the last one was finished."""

    score: float
    languages: Mapping[str, float] = field(default_factory=dict)
    time_ms: int = 0

    @classmethod
    def of(cls, column: str, scored: list[Scored]) -> _Baseline | None:
        """The baseline of a column; None while its row ``none`` has no done replicate.

        Where ``none`` has searched and unsearched replicates, only the unsearched ones count.
        """
        rows = [other for other in scored if other.replicate.row == NONE_ROW and other.replicate.column == column]
        done = [other for other in rows if other.status is Status.DONE and other.report]
        done = [other for other in done if other.replicate.proposal is None] or done
        if not done:
            return None
        languages = {
            language: sum(number(other.report[language].get("score")) for other in done) / len(done)
            for language in done[0].report
            if all(language in other.report for other in done)
        }
        mean = sum(other.mean_report for other in done) / len(done)
        return cls(score=mean, languages=languages, time_ms=max(other.last_report_ms for other in done))


def _recipes(record: StudyRecord) -> dict[str, Replicate]:
    """The first replicate that needs each intermediate stage, by stage."""
    first: dict[str, Replicate] = {}
    for replicate in record.replicates:
        if replicate.intermediate_stage is not None:
            first.setdefault(replicate.intermediate_stage, replicate)
    return first


def _recipe_view(record: StudyRecord, stored: StoredStudy, stage: str, row: Replicate) -> RunView:
    status = stage_status(stage, stored) or Status.PARTIAL
    result = stored.result(stage) if status is Status.DONE else {}
    payload = stored.payload(stage) if status is Status.DONE else {}
    tags = {
        **study_tags(record, "recipe", status),
        **row_tags(row),
        **failure_tags(stored, stage),
        "stage_id": stage,
    }
    points = [*train_points(result), *cost_points([result])] if result else []
    started, ended = _span_ms([result] if result else [], trouble_of(stored, stage))
    return RunView(
        identity=("stage_id", stage),
        name=row.row + _suffix(p=row.proposal, i=row.intermediate_seed),
        status=status,
        started_ms=started,
        ended_ms=ended,
        params=_params(record, row, intermediate=payload),
        tags=tags,
        points=sorted_points(points),
        inputs=_sorted_inputs(list(train_inputs(payload, result))),
        config=recipe_config(stage, stored),
    )


def _replicate_view(
    record: StudyRecord, stored: StoredStudy, item: Scored, baseline: _Baseline | None, *, running: bool
) -> RunView:
    replicate = item.replicate
    status = Status.STOPPED if item.status is Status.PARTIAL and not running else item.status
    started, ended = _span_ms(item.own_results, trouble_of(stored, *item.own_stages))
    return RunView(
        identity=("replicate_id", replicate.replicate_id),
        name=f"{replicate.row} > {replicate.column}"
        + _suffix(p=replicate.proposal, i=replicate.intermediate_seed, t=replicate.target_seed),
        status=status,
        started_ms=started,
        ended_ms=None if status is Status.PARTIAL else ended,
        params=_replicate_params(record, stored, replicate),
        tags={
            **study_tags(record, "replicate", status),
            **row_tags(replicate),
            **column_tags(replicate),
            **failure_tags(stored, *item.own_stages),
        },
        points=sorted_points(_replicate_points(item, baseline)),
        inputs=_replicate_inputs(record, stored, item),
        config=replicate_config(replicate, stored),
    )


def _replicate_points(item: Scored, baseline: _Baseline | None) -> Iterator[Point]:
    if item.train is not None:
        yield from train_points(item.train)
    yield from score_points(item.evaluations)
    # Once nothing more is to come: its time is that of the last result, and a point that is there is never moved.
    if item.own_results and item.status is not Status.PARTIAL:
        yield from cost_points(item.own_results)
        if item.evaluations:
            yield evaluate_seconds_point(list(item.evaluations.values()))
    if item.has_all_report:
        yield mean_point("score", list(item.report.values()))
    if baseline is not None:
        yield from _gain_points(item, baseline)


def _gain_points(item: Scored, baseline: _Baseline) -> Iterator[Point]:
    if item.has_all_report:
        at = max(item.last_report_ms, baseline.time_ms)
        yield value_point("gain", item.mean_report - baseline.score, at)
    for language, result in item.report.items():
        if language in baseline.languages:
            gain = number(result.get("score")) - baseline.languages[language]
            yield value_point(metric_name("gain", language), gain, max(last_end_ms([result]), baseline.time_ms))


def _replicate_params(record: StudyRecord, stored: StoredStudy, replicate: Replicate) -> dict[str, str]:
    payloads = [
        stored.payload(stage) if stage is not None and stage in stored.done else {}
        for stage in (replicate.intermediate_stage, replicate.target_stage)
    ]
    return _params(record, replicate, intermediate=payloads[0], target=payloads[1])


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


def _replicate_inputs(record: StudyRecord, stored: StoredStudy, item: Scored) -> tuple[DataInput, ...]:
    target = item.replicate.target_stage
    inputs = [] if item.train is None or target is None else list(train_inputs(stored.payload(target), item.train))
    task = next(column.task for column in record.columns if column.name == item.replicate.column)
    for use, keys in item.replicate.outputs.items():
        if keys and stored.done.issuperset(keys.values()):  # an input that is there is never changed
            inputs.append(evaluate_input(task, use, stored.views(keys)))
    return _sorted_inputs(inputs)


def _sorted_inputs(inputs: list[DataInput]) -> tuple[DataInput, ...]:
    # MLflow keeps one input per (name, digest).
    unique = {(each.name, each.digest): each for each in inputs}
    return tuple(unique[key] for key in sorted(unique))


def _span_ms(results: list[Mapping[str, Json]], trouble: list[Mapping[str, Json]]) -> tuple[int, int]:
    starts = [milliseconds(number(result.get("started"))) for result in results]
    ends = [milliseconds(number(result.get("ended"))) for result in results]
    times = [milliseconds(number(record.get("time"))) for record in trouble]
    return min(starts + times), max(ends + times)


def _suffix(**numbers: int | None) -> str:
    known = [f"{key}{value}" for key, value in numbers.items() if value is not None]
    return " / " + " ".join(known) if known else ""
