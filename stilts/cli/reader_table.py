"""What tasks --readers prints: per kind its readers, below each what it may be told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

_INDENT = 4


def reader_table(value: Mapping[str, Any]) -> RenderableType:
    """The readers for people."""
    return Group(*_parts(value))


def _parts(value: Mapping[str, Any]) -> Iterator[RenderableType]:
    yield Text(f"{len(value['readers'])} readers, by kind of task; the files may be packed: .gz, .bz2, .xz")
    for kind, lines in groupby(value["readers"], key=lambda line: line["kind"]):
        yield Text(f"\n{kind}", style="bold")
        for line in lines:
            several = "; one file may hold several languages" if line["several_languages"] else ""
            yield Padding(Text(f"{line['reader']}: {line['holds']}{several}"), (0, 0, 0, 2))
            if line["options"]:
                yield _options(line["options"])
    yield Text("\nevery reader", style="bold")
    yield _options(value["every_reader"])


def _options(options: Sequence[Mapping[str, Any]]) -> RenderableType:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column()
    for option in options:
        table.add_row(Text(option["option"]), Text(_said(option)))
    return Padding(table, (0, 0, 0, _INDENT))


def _said(option: Mapping[str, Any]) -> str:
    """What an option is, what holds where it is left out, and how it is written."""
    default = option["default"]
    without = "" if default is None else f"; left out: {default if default != '' else 'none'}"
    example = f", such as {option['example']}" if option["example"] else ""
    return f"{option['about']} ({option['values']}{example}{without})"
