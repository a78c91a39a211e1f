"""A study's data read and encoded, its splits proved disjoint: what ``validate`` says, as plain values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stilts.analysis.wording import unscored_notes
from stilts.app.checks import check_before_running, check_encoder
from stilts.app.looked_at import DataLook
from stilts.app.measuring import study_tokenizer
from stilts.app.resting import rests_well
from stilts.app.searching import trial_proposals
from stilts.app.workspace import Workspace, assemble
from stilts.data.sound_target import check_target, no_score
from stilts.study.planning import make_plan
from stilts.study.resolved_target import ResolvedTarget
from stilts.study.stage import MixturePart
from stilts.study.study import Study
from stilts.tasks.encoder_tensors import checkpoint
from stilts.tasks.resolve import TargetViews
from stilts.tasks.view import DataView
from stilts.tasks.weight_files import files_not_read


def validated(path: str, store: str | None = None) -> dict[str, Any]:
    """Every view of a study read and encoded, its splits proved disjoint; raises what a run would raise, before it."""
    workspace = assemble(Study.load(path))
    check_before_running(workspace)
    check_encoder(workspace, fetch=True)
    targets = [workspace.resolved.target(column) for column in workspace.study.columns]
    for target in targets:
        check_target(target.task, target.views, workspace.roots)
    notes = rests_well(workspace, store)
    look = DataLook(tokenizer=study_tokenizer(workspace), roots=workspace.roots)
    for target in targets:
        _look_at_target(look, target)
    plan = make_plan(workspace.resolved, trial_proposals(workspace.resolved))
    for row in workspace.study.rows:
        for part in workspace.resolved.parts(row):
            look.add(row, "train", part.train, part)
    notes += [*_of_encoder(workspace), *plan.record.notes, *_of_data(workspace, look, targets)]
    notes += [f"Overlap: {row} x {column}: {why}." for row, column, why in plan.record.overlaps]
    truncated: dict[str, int] = {}
    for view in look.lines:
        truncated[view["task"]] = truncated.get(view["task"], 0) + view["truncated"]
    return {"study": path, "views": look.lines, "truncated": truncated, "decoded": look.decoded, "notes": notes}


def _look_at_target(look: DataLook, target: ResolvedTarget) -> None:
    parts = target.views
    part = MixturePart(task=target.task, weight=1.0, config=target.config, train=parts.train, select=parts.select)
    for use, group in _uses(parts):
        look.add(target.name, use, group, part)
    if target.before is not None:
        look.add(target.name, "train", target.before.train, target.before)


def _uses(parts: TargetViews) -> Iterator[tuple[str, tuple[DataView, ...]]]:
    """A target's data by use: also what only a threshold is chosen on, and the candidates of a pool."""
    yield "train", parts.train
    yield "select", parts.select
    yield "report", parts.report
    if parts.calibration != parts.select:
        yield "threshold", parts.calibration
    yield "pool", parts.pool


def _of_encoder(workspace: Workspace) -> Iterator[str]:
    """What lies in the encoder's folder and is not taken over."""
    folder = workspace.encoder_path
    if folder is None:
        return
    beside, heads = files_not_read(folder), checkpoint(folder).heads
    if beside:
        yield f"Encoder: {', '.join(beside)} {'is' if len(beside) == 1 else 'are'} not read."
    if heads:
        yield f"Encoder: its head ({', '.join(heads)}) is left out; every task gets one of its own."


def _of_data(workspace: Workspace, look: DataLook, targets: list[ResolvedTarget]) -> Iterator[str]:
    for dataset, entries in look.unmapped.items():
        if entries:
            shown = ", ".join(f'"{entry}"' for entry in sorted(entries))
            yield f"label_map of dataset {dataset}: {shown} stands in none of the files that were read."
    unscored = {
        target.name: {
            view.language: reason
            for view in target.views.report
            if (reason := no_score(target.task, view, workspace.roots))
        }
        for target in targets
    }
    yield from (f"{note[0].upper()}{note[1:]}." for note in unscored_notes(unscored))
    for target in targets:
        missing = workspace.resolved.resolver.languages_not_there(target.task)
        if missing and not workspace.study.columns[target.name].languages:
            yield f"{target.name}: no data here for {', '.join(missing)}, which the release has; they are in no table."
