"""The study's own run: its settings, how far it is, and every finished cell as a metric."""

from __future__ import annotations

from collections.abc import Iterator

from stilts.fingerprint import Json, digest
from stilts.study.record import NONE_ROW, StudyRecord
from stilts.tracking.points import cost_points, value_point
from stilts.tracking.replicates import Scored
from stilts.tracking.run_view import (
    STUDY_IDENTITY,
    Point,
    RunView,
    Status,
    metric_name,
    milliseconds,
    sorted_points,
)
from stilts.tracking.stored import StoredStudy, number


def parent_view(record: StudyRecord, stored: StoredStudy, scored: list[Scored], *, running: bool = True) -> RunView:
    """The parent run. A metric appears only once nothing that it averages is missing, so none is ever rewritten.

    ``running`` says whether a process works on the study: without one, nothing more is to come by itself.
    """
    results = _stage_results(record, stored)
    times = [milliseconds(number(result.get(key))) for result in results.values() for key in ("started", "ended")]
    status = _status(record, stored, scored)
    if status is Status.PARTIAL and not running:
        status = _end_of(stored, scored)
    points = list(_cell_points(record, scored))
    if status not in (Status.PARTIAL, Status.STOPPED) and results:  # a study that goes on would change them
        points.extend(cost_points(list(results.values())))
    return RunView(
        identity=STUDY_IDENTITY,
        name=record.name,
        status=status,
        started_ms=min(times, default=0),
        ended_ms=None if status is Status.PARTIAL else max(times, default=0),
        params=_params(record),
        tags=_tags(record, scored, status),
        points=sorted_points(points),
    )


def _params(record: StudyRecord) -> dict[str, str]:
    return {
        "encoder": record.encoder,
        "selection": record.selection,
        "intermediates": ", ".join(row.name for row in record.rows)[:6000],
        "targets": ", ".join(column.name for column in record.columns)[:6000],
        "settings_digest": digest(dict(record.settings)),
    }


def _tags(record: StudyRecord, scored: list[Scored], status: Status) -> dict[str, str]:
    known = [each for each in Status if each is not Status.STOPPED]  # which is of studies and runs, not of results
    counts = {each: sum(item.status is each and item.is_started for item in scored) for each in known}
    tags = {"study": record.name, "status": status.value, "toy": str(record.toy).lower()}
    tags |= {f"replicates.{each.value}": str(count) for each, count in counts.items()}
    tags |= {"replicates": str(len(scored)), "selection": record.selection}
    if record.overlaps:
        tags["overlaps"] = "; ".join(f"{row} > {column}: {why}" for row, column, why in record.overlaps)
    return tags | dict([STUDY_IDENTITY])


def _status(record: StudyRecord, stored: StoredStudy, scored: list[Scored]) -> Status:
    lost = {i for i, item in enumerate(scored) if _lost(item, stored)}
    settled = all(item.status is not Status.PARTIAL or i in lost for i, item in enumerate(scored))
    if not scored or not settled or _proposals_to_come(record):
        return Status.PARTIAL
    failed = bool(lost) or any(item.status is Status.FAILED for item in scored)
    return Status.FAILED if failed else Status.DONE


def _end_of(stored: StoredStudy, scored: list[Scored]) -> Status:
    """How a study ended of which something is missing: by itself, by a failure, or because its run was stopped."""
    if any(item.status is Status.FAILED or _lost(item, stored) for item in scored):
        return Status.FAILED
    return Status.DONE if stored.ended_itself else Status.STOPPED


def _lost(item: Scored, stored: StoredStudy) -> bool:
    """Whether a replicate never starts because its intermediate failed."""
    return item.replicate.intermediate_stage in stored.failures.keys() - stored.done


def _proposals_to_come(record: StudyRecord) -> bool:
    """Whether a searched row has been asked for fewer proposals than it is to have."""
    asked = {(each.row, each.proposal) for each in record.replicates if each.proposal is not None}
    searched = [row for row in record.rows if row.searched]
    return any(sum(name == row.name for name, _ in asked) < row.num_proposals for row in searched)


def _cell_points(record: StudyRecord, scored: list[Scored]) -> Iterator[Point]:
    """Score and gain of every cell whose replicates are all done; searched rows have no one recipe to show."""
    cells: dict[tuple[str, str], list[Scored]] = {}
    for item in scored:
        if item.replicate.proposal is None:
            cells.setdefault((item.replicate.row, item.replicate.column), []).append(item)
    whole = {key: items for key, items in cells.items() if all(item.has_all_report for item in items)}
    means = {key: sum(item.mean_report for item in items) / len(items) for key, items in whole.items()}
    times = {key: max(item.last_report_ms for item in items) for key, items in whole.items()}
    for (row, column), mean in means.items():
        yield value_point(metric_name("score", row, column), mean, times[row, column])
        none = (NONE_ROW, column)
        if row != NONE_ROW and none in means:
            at = max(times[row, column], times[none])
            yield value_point(metric_name("gain", row, column), mean - means[none], at)


def _stage_results(record: StudyRecord, stored: StoredStudy) -> dict[str, dict[str, Json]]:
    keys = {key for each in record.replicates for languages in each.outputs.values() for key in languages.values()}
    stages = {stage for each in record.replicates for stage in (each.intermediate_stage, each.target_stage) if stage}
    return {key: dict(stored.result(key)) for key in sorted((keys | stages) & stored.done)}
