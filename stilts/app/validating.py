"""A study's data read and encoded, its splits proved disjoint: what ``validate`` says, as plain values."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from stilts.analysis.wording import unscored_notes
from stilts.app.adapter_notes import adapter_notes
from stilts.app.checks import check_before_running, check_encoder
from stilts.app.looked_at import DataLook
from stilts.app.resting import rests_well
from stilts.app.searching import trial_proposals
from stilts.app.workspace import Workspace, assemble
from stilts.study.planning import make_plan
from stilts.study.study import Study
from stilts.tasks.encoder_tensors import checkpoint
from stilts.tasks.weight_files import files_not_read


def validated(path: str, store: str | None = None) -> dict[str, Any]:
    """Every view of a study read and encoded, its splits proved disjoint; raises what a run would raise, before it.

    What was found good before, to the last byte, is said again without reading it (``findings``).
    """
    with _no_search_for_cycles():
        return _validated(path, store)


@contextmanager
def _no_search_for_cycles() -> Iterator[None]:
    """Python's collector rests: none of 200,000 examples is part of a cycle, and each search would go through them all.

    It takes a seventh of the time of a first look (benchmarks/RESULTS.md) and frees a hundredth of its memory.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _validated(path: str, store: str | None) -> dict[str, Any]:
    workspace = assemble(Study.load(path))
    check_before_running(workspace)
    check_encoder(workspace, fetch=True)
    targets = [workspace.resolved.target(column) for column in workspace.study.columns]
    notes = rests_well(workspace, store)
    look = DataLook(workspace=workspace)
    for target in targets:
        look.add_target(target)
    plan = make_plan(workspace.resolved, trial_proposals(workspace.resolved))
    for row in workspace.study.rows:
        for part in workspace.resolved.parts(row):
            look.add_part(row, part)
    notes += [*_of_encoder(workspace), *plan.record.notes, *adapter_notes(plan), *_of_data(workspace, look)]
    notes += _overlaps(plan.record.overlaps)
    truncated: dict[str, int] = {}
    for view in look.lines:
        truncated[view["task"]] = truncated.get(view["task"], 0) + view["truncated"]
    changes = [asdict(change) for change in workspace.study.changes]
    return {
        "study": path,
        "overlays": changes,
        "views": look.lines,
        "truncated": truncated,
        "decoded": look.decoded,
        "notes": notes,
    }


def _overlaps(found: Sequence[tuple[str, str, str]]) -> list[str]:
    """What rows share with a column, each reason once, with all the rows that it holds for."""
    rows: dict[tuple[str, str], list[str]] = {}
    for row, column, why in found:
        rows.setdefault((column, why), []).append(row)
    return [f"Overlap: {', '.join(names)} x {column}: {why}." for (column, why), names in rows.items()]


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


def _of_data(workspace: Workspace, look: DataLook) -> Iterator[str]:
    for dataset, entries in look.unmapped.items():
        if entries:
            shown = ", ".join(f'"{entry}"' for entry in sorted(entries))
            yield f"label_map of dataset {dataset}: {shown} stands in none of the files that were read."
    yield from (f"{note[0].upper()}{note[1:]}." for note in unscored_notes(look.unscored))
    yield from workspace.gaps()
