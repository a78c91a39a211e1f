"""A wide table in as many blocks of columns as the terminal takes, one below the other: no cell is ever broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

# Wider than any table is.
_UNBOUND = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockColumn:
    """A column: its heading, a cell for each row, and the style of both."""

    name: str
    cells: Sequence[Text]
    style: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocks:
    """Rows x columns, of which each block repeats the row names; numbers stand to the right.

    Rich renders it: how many columns a block has is known once the width is. A block has one column at least, which
    is folded where even that is too wide.
    """

    heading: str
    rows: Sequence[str]
    columns: Sequence[BlockColumn]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """The blocks."""
        left = list(self.columns)
        while left:
            count = self._fitting(left, lambda table: _width(table, console, options) <= options.max_width)
            block, left = left[: count or 1], left[count or 1 :]
            yield self._table(block, folds=not count)

    def _fitting(self, columns: Sequence[BlockColumn], fits: Callable[[Table], bool]) -> int:
        """How many of the first columns fit beside the row names."""
        counts = range(1, len(columns) + 1)
        return next((n - 1 for n in counts if not fits(self._table(columns[:n], folds=False))), len(columns))

    def _table(self, columns: Sequence[BlockColumn], *, folds: bool) -> Table:
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 0, 0, 1), safe_box=True)
        table.add_column(self.heading, no_wrap=not folds, overflow="fold")
        for column in columns:
            table.add_column(column.name, justify="right", style=column.style, no_wrap=not folds, overflow="fold")
        for number, row in enumerate(self.rows):
            table.add_row(row, *(column.cells[number] for column in columns))
        return table


def _width(table: Table, console: Console, options: ConsoleOptions) -> int:
    return Measurement.get(console, options.update(max_width=_UNBOUND), table).maximum
