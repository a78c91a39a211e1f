"""Wide tables go on below rather than break a cell."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.text import Text

from stilts.report.blocks import BlockColumn, Blocks

COLUMNS = [BlockColumn(name=f"target{n}", cells=[Text(f"5{n}.1 +0.{n}\n±5.0(0.8)"), Text("missing")]) for n in range(9)]
TABLE = Blocks(heading="row", rows=("none", "a_rather_long_name"), columns=COLUMNS)


def lines(table: Blocks, width: int) -> list[str]:
    text = io.StringIO()
    Console(file=text, width=width).print(table)
    return [line.rstrip() for line in text.getvalue().splitlines()]


@pytest.mark.parametrize("width", [40, 80, 140])
def test_every_cell_stands_whole_in_its_order(width: int) -> None:
    told = lines(TABLE, width)
    assert all(len(line) <= width for line in told)
    heads = [word for line in told if line.split()[:1] == ["row"] for word in line.split()[1:]]
    assert heads == [column.name for column in COLUMNS]
    scores = [word for line in told if line.split()[:1] == ["none"] for word in line.split()[1::2]]
    assert scores == [f"5{n}.1" for n in range(9)]


def test_a_block_takes_as_many_columns_as_fit_and_each_names_its_rows() -> None:
    assert len([line for line in lines(TABLE, 140) if line.startswith("  none")]) == 1
    blocks = len([line for line in lines(TABLE, 80) if line.startswith("  none")])
    assert blocks == 2 and len([line for line in lines(TABLE, 80) if line.startswith("  a_rather")]) == blocks


def test_where_not_even_one_column_fits_it_is_folded() -> None:
    told = lines(TABLE, 20)
    assert all(len(line) <= 20 for line in told) and "…" not in "".join(told)
    assert len([line for line in told if "none" in line]) == 9
