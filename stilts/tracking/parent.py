"""The study's own run: its settings, how far it is, and the cells of the matrix as metrics."""

from __future__ import annotations

import math
from collections.abc import Iterator

from stilts.fingerprint import digest
from stilts.ledger.state import State
from stilts.study.record import NONE_ROW, StudyRecord
from stilts.tracking.points import cost_points, value_point
from stilts.tracking.replicates import ScoredReplicate, last_report_times
from stilts.tracking.run_view import (
    STUDY_IDENTITY,
    MetricPoint,
    RunStatus,
    RunView,
    metric_name,
    milliseconds,
    sorted_points,
)
from stilts.tracking.stored import StoredStudy


def parent_view(stored: StoredStudy, scored: list[ScoredReplicate], status: RunStatus) -> RunView:
    """The parent run of a study of this status."""
    record, results = stored.record, stored.own_results
    times = [milliseconds(moment) for result in results for moment in (result.started, result.ended)]
    points = list(_cell_points(stored, scored, status))
    if status.is_settled and results:  # a study that goes on would change them
        points.extend(cost_points(results))
    return RunView(
        identity=STUDY_IDENTITY,
        name=record.name,
        status=status,
        started_ms=min(times, default=0),
        ended_ms=None if status is RunStatus.PARTIAL else max(times, default=0),
        params=_params(record),
        tags=_tags(record, scored, status),
        points=sorted_points(points),
    )


def study_status(stored: StoredStudy, scored: list[ScoredReplicate], *, running: bool) -> RunStatus:
    """How far a study is; ``running``: a process works on it. Without one, nothing more is to come by itself."""
    states = {item.status for item in scored}
    complete = bool(scored) and RunStatus.PARTIAL not in states and not _proposals_to_come(stored.record)
    if not complete and running:
        return RunStatus.PARTIAL
    if RunStatus.FAILED in states:
        return RunStatus.FAILED
    return RunStatus.DONE if complete or stored.ended_itself else RunStatus.STOPPED


def is_fixed(row: str, record: StudyRecord, status: RunStatus) -> bool:
    """Whether what stands for a row cannot become another proposal: a score that MLflow holds is not to change."""
    return status.is_settled or not any(each.searched for each in record.rows if each.name == row)


def _params(record: StudyRecord) -> dict[str, str]:
    return {
        "encoder": record.encoder,
        "selection": record.selection,
        "intermediates": ", ".join(row.name for row in record.rows)[:6000],
        "targets": ", ".join(column.name for column in record.columns)[:6000],
        "settings_digest": digest(dict(record.settings)),
    }


def _tags(record: StudyRecord, scored: list[ScoredReplicate], status: RunStatus) -> dict[str, str]:
    known = [
        each for each in RunStatus if each is not RunStatus.STOPPED
    ]  # which is of studies and runs, not of results
    counts = {each: sum(item.status is each and item.is_started for item in scored) for each in known}
    tags = {"study": record.name, "status": status.value, "toy": str(record.toy).lower()}
    tags |= {f"replicates.{each.value}": str(count) for each, count in counts.items()}
    tags |= {"replicates": str(len(scored)), "selection": record.selection}
    if record.overlaps:
        tags["overlaps"] = "; ".join(f"{row} > {column}: {why}" for row, column, why in record.overlaps)
    return tags | dict([STUDY_IDENTITY])


def _proposals_to_come(record: StudyRecord) -> bool:
    """Whether a searched row has been asked for fewer proposals than it is to have."""
    asked = {(each.row, each.proposal) for each in record.replicates if each.proposal is not None}
    searched = [row for row in record.rows if row.searched]
    return any(sum(name == row.name for name, _ in asked) < row.num_proposals for row in searched)


def _cell_points(stored: StoredStudy, scored: list[ScoredReplicate], status: RunStatus) -> Iterator[MetricPoint]:
    """Score and gain of the cells, as ``analysis/matrix.py`` has them; of what is not confirmed neither.

    Of a study that goes on, or would if it were run, only those that are done and fixed.
    """
    times = last_report_times(scored)
    cells = {(cell["row"], cell["column"]): cell for cell in stored.results.cells.to_dict("records")}
    fixed = {row.name for row in stored.record.rows if is_fixed(row.name, stored.record, status)}
    shown = {
        where
        for where, cell in cells.items()
        if math.isfinite(cell["score"])
        and cell["state"] != State.UNCONFIRMED
        and (status.is_settled or (where[0] in fixed and cell["state"] == State.DONE))
    }
    for row, column in sorted(shown):
        cell, none = cells[row, column], (NONE_ROW, column)
        yield value_point(metric_name("score", row, column), cell["score"], times[row, column])
        if row != NONE_ROW and none in shown:
            at = max(times[row, column], times[none])
            yield value_point(metric_name("gain", row, column), cell["gain"], at)
