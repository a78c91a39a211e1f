"""What status prints: where the study stands, cell by cell, and what failed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from stilts.ledger.state import State
from stilts.report.blocks import BlockColumn, Blocks

_STYLES = {State.DONE: "", State.FAILED: "bold", State.DAMAGED: "bold"}
_MEANING = {
    State.DONE: "all replicates are there",
    State.PENDING: "a stage of it runs now",
    State.MISSING: "not run yet",
    State.PRUNED: "stopped by the study's pruning",
    State.FAILED: "a stage of it failed; the next run tries again",
    State.DAMAGED: "not as it was written; stilts mend sets it aside",
    State.LEFT_OUT: "not asked for",
}


def status_lines(value: Mapping[str, Any]) -> RenderableType:
    """The counts, the states of the cells with a legend of those that occur, and why stages failed."""
    stages, cells = value["stages"], {(cell["row"], cell["column"]): cell for cell in value["cells"]}
    rows, columns = value["rows"], value["columns"]
    failed = f", {stages['failed']} failed" if stages["failed"] else ""
    counts = ", ".join(f"{count} {state}" for state, count in value["replicates"].items())
    parts: list[RenderableType] = [
        Text(f"{value['study']}: {stages['done']} of {stages['total']} stages done{failed}"),
        Text(f"replicates: {counts or 'none asked for yet'}"),
    ]
    table = [BlockColumn(name=column, cells=[_cell(cells.get((row, column))) for row in rows]) for column in columns]
    parts.append(Blocks(heading="intermediate", rows=rows, columns=table))
    parts.append(Text(_legend({cell["state"] for cell in value["cells"]}, len(cells) < len(rows) * len(columns))))
    for stage, failure in value["failures"].items():
        named = value["names"].get(stage, stage)
        parts.append(Text(f"failed {named} ({stage}): {failure['error']}"))
    return Group(*parts)


def _cell(cell: Mapping[str, Any] | None) -> Text:
    if cell is None:
        return Text("-", style="dim")
    counted = "" if cell["done"] == cell["planned"] else f"{cell['done']}/{cell['planned']} "
    return Text(f"{counted}{cell['state']}", style=_STYLES.get(State(cell["state"]), ""))


def _legend(states: set[str], has_gaps: bool) -> str:
    told = [f"{state}: {meaning}" for state, meaning in _MEANING.items() if state in states]
    if states - {State.DONE}:
        told.append("1/3: one of three replicates is done")
    if has_gaps:
        told.append("-: not asked for")
    return "; ".join(told)
