"""A study's data read and encoded, its splits proved disjoint: what ``validate`` says, as plain values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from stilts.app.checks import check_before_running, check_encoder
from stilts.app.measuring import study_tokenizer
from stilts.app.resting import rests_well
from stilts.app.searching import trial_proposals
from stilts.app.workspace import Workspace, assemble
from stilts.data.disjoint import check_disjoint
from stilts.data.encode import TaskTokenizer
from stilts.data.load import load_examples
from stilts.study.planning import make_plan
from stilts.study.stage import MixturePart
from stilts.study.study import Study
from stilts.tasks.resolve import TargetViews
from stilts.tasks.view import DataView

SHOWN_PER_KIND = 3


def validated(path: str, store: str | None = None) -> dict[str, Any]:
    """Every view of a study read and encoded, its splits proved disjoint; raises what a run would raise, before it."""
    workspace = assemble(Study.load(path))
    check_before_running(workspace)
    check_encoder(workspace, fetch=True)
    views: list[dict[str, Any]] = []
    decoded: list[dict[str, str]] = []
    notes = rests_well(workspace, store)
    for column in workspace.study.columns:
        target = workspace.resolved.target(column)
        labels = target.task.labels or None
        parts = target.views
        chosen_by = parts.select or parts.calibration
        counts = check_disjoint(parts.train, chosen_by, parts.report, workspace.roots, labels=labels)
        del counts
        part = MixturePart(task=target.task, weight=1.0, config=target.config, train=parts.train, select=parts.select)
        for use, group in _uses(parts):
            shown = decoded if use in ("train", "report") else []
            views.extend(_view_lines(column, use, group, part, workspace, shown))
        if target.before is not None:
            views.extend(_view_lines(column, "train", target.before.train, target.before, workspace, decoded))
    plan = make_plan(workspace.resolved, trial_proposals(workspace.resolved))
    for row in workspace.study.rows:
        for part in workspace.resolved.parts(row):
            views.extend(_view_lines(row, "train", part.train, part, workspace, decoded))
    notes.extend(f"Overlap: {row} x {column}: {why}." for row, column, why in plan.record.overlaps)
    truncated: dict[str, int] = {}
    for view in views:
        truncated[view["task"]] = truncated.get(view["task"], 0) + view["truncated"]
    shown = _enough_of_each(decoded)
    return {"study": path, "views": views, "truncated": truncated, "decoded": shown, "notes": notes}


def _uses(parts: TargetViews) -> Iterator[tuple[str, tuple[DataView, ...]]]:
    """A target's data by use: also what only a threshold is chosen on, and the candidates of a pool."""
    yield "train", parts.train
    yield "select", parts.select
    yield "report", parts.report
    if parts.calibration != parts.select:
        yield "threshold", parts.calibration
    yield "pool", parts.pool


def _view_lines(
    of: str, use: str, views: Sequence[DataView], part: MixturePart, workspace: Workspace, decoded: list[dict[str, str]]
) -> Iterator[dict[str, Any]]:
    from stilts.kinds.learning import decoded as decoded_text
    from stilts.kinds.learning import encode

    tokenizer = study_tokenizer(workspace)
    for view in views:
        examples = load_examples(view, workspace.roots, labels=part.task.labels or None)
        encoder = TaskTokenizer(
            tokenizer=tokenizer,
            labels=part.task.labels,
            **part.config.lengths,
        )
        encoded = encode(part.task.kind, examples[:200], encoder)
        kind = part.task.kind.name
        for number in range(min(SHOWN_PER_KIND, encoded.num_examples)):
            decoded.append({"of": of, "kind": kind, "text": decoded_text(part.task, encoded, tokenizer, number)})
        left_out = _left_out(view, workspace)
        yield {
            "of": of,
            "task": part.task.name,
            "use": use,
            "language": view.language,
            "examples": len(examples),
            "left_out": left_out,
            "truncated": encoded.num_truncated,
        }


def _left_out(view: DataView, workspace: Workspace) -> int:
    """How many examples of a view stand in evaluation data too and are left out for that."""
    if not view.exclude:
        return 0
    unlimited = replace(view, limit=None)
    return len(load_examples(replace(unlimited, exclude=()), workspace.roots)) - len(
        load_examples(unlimited, workspace.roots)
    )


def _enough_of_each(decoded: list[dict[str, str]]) -> list[dict[str, str]]:
    """The first decoded example of each row and column, and further ones of a kind that has fewer than three."""
    first = {line["of"]: line for line in reversed(decoded)}
    chosen = [line for line in decoded if first[line["of"]] is line]
    for line in decoded:
        is_new = line["text"] not in [other["text"] for other in chosen]
        if is_new and sum(other["kind"] == line["kind"] for other in chosen) < SHOWN_PER_KIND:
            chosen.append(line)
    kinds = list(dict.fromkeys(line["kind"] for line in chosen))
    return sorted(chosen, key=lambda line: kinds.index(line["kind"]))
