"""What tasks prints: one line a task, with as many columns as the terminal is wide for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.table import Table
from rich.text import Text

from stilts.shown import shown

# In the order in which they stand, and in that in which they are given up where the terminal is narrow.
_ORDER = ("task", "kind", "metric", "role", "train", "languages", "here", "trains", "licence", "domain")
_FIRST = ("task", "role", "train", "languages", "here", "trains", "kind", "metric", "licence", "domain")
# A long text is cut to what is left, if that is so much at least.
_CUT, _LEAST = ("licence", "domain"), 12
_GAP = 2
_ROLES = {"intermediate and target": "both"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskTable:
    """The lines of ``app.task_lines`` as a table; what did not fit is named below it."""

    lines: Sequence[Mapping[str, Any]]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """The table at the width of the terminal."""
        cells = [_cells(line) for line in self.lines]
        there = [name for name in _ORDER if any(line[name] for line in cells)]
        widths = _widths(there, cells, options.max_width)
        table = Table(
            title=f"{len(cells)} tasks", title_justify="left", box=box.SIMPLE_HEAD, padding=(0, _GAP - 1, 0, 0)
        )
        table.show_edge = False
        for name in (name for name in there if name in widths):
            right = name == "train"
            table.add_column(
                name, width=widths[name], no_wrap=True, overflow="ellipsis", justify="right" if right else "left"
            )
        for line in cells:
            table.add_row(*(Text(line[name]) for name in there if name in widths))
        yield table
        if hidden := [name for name in there if name not in widths]:
            yield Text(
                f"Not shown at this width: {', '.join(hidden)}. A wider terminal, or --json, has all.", style="dim"
            )
        if any(line["role"] == "both" for line in cells):
            yield Text("both: a task that can be an intermediate and a target.", style="dim")


def _widths(names: Sequence[str], cells: Sequence[Mapping[str, str]], room: int) -> dict[str, int]:
    """How wide each column is that fits, the most telling ones first."""
    left = room + _GAP
    found: dict[str, int] = {}
    for name in (name for name in _FIRST if name in names):
        width = max(cell_len(text) for text in (name, *(line[name] for line in cells)))
        if name in _CUT:
            width = min(width, max(left - _GAP, 0))
            if width < _LEAST:
                continue
        if width + _GAP <= left:
            found[name] = width
            left -= width + _GAP
    return found


def _cells(line: Mapping[str, Any]) -> dict[str, str]:
    spoken = line["languages"]
    told = {name: str(line[name]) for name in ("task", "kind", "metric", "licence", "domain")}
    told |= {
        "role": _ROLES.get(line["role"], line["role"]),
        "train": f"{line['num_train']:,}" if line["num_train"] else "",
        "languages": " ".join(spoken) if len(spoken) == 1 else f"{len(spoken)}",
        "here": "" if line["available"] is None else str(len(line["available"])),
        "trains": "" if line["trains"] is None else "yes" if line["trains"] else "no",
    }
    return {name: shown(text) for name, text in told.items()}
