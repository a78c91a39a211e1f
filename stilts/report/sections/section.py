"""Section: one part of the report, as HTML with its pictures and tables; and how a table is written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import pandas as pd

from stilts.report.figures.picture import Picture
from stilts.report.markup import as_html

_MORE = "Scroll sideways: there is more to the right \u2192"
MOST_PRINTED = 12  # columns of a table on paper


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of the page: ``name`` is its anchor; ``body`` stands above the pictures, ``after`` below.

    ``tables`` are written as CSV files beside those of the pictures, by name.
    """

    name: str
    title: str
    body: tuple[str, ...] = ()
    pictures: tuple[Picture, ...] = ()
    after: tuple[str, ...] = ()
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)


def html_table(caption: str, head: Iterable[str], lines: Iterable[tuple[str, Sequence[str]]]) -> str:
    """A table that can be sorted: a heading per line and ready ``td`` cells; caption and headings are escaped.

    One with more columns than a page has room for is left out in print, where it would shrink all the rest, and a line
    says so.
    """
    head = list(head)
    kind = "many" if len(head) > MOST_PRINTED else ""
    names = "".join(f'<th scope="col">{as_html(name)}</th>' for name in head)
    body = "\n".join(f'<tr><th scope="row">{as_html(name)}</th>{"".join(row)}</tr>' for name, row in lines)
    told = as_html(caption)
    table = f'<table aria-label="{told}"><thead><tr>{names}</tr></thead><tbody>\n{body}\n</tbody></table>'
    left_out = f'<p class="paper note">{told}: {len(head)} columns, more than paper holds.</p>' if kind else ""
    return f'<p class="caption {kind}">{told}</p>{wide(table, kind=kind)}{left_out}'


def wide(content: str, *, kind: str = "") -> str:
    """Content that may be wider than the window: it can be pushed sideways, and a line below says so where it is."""
    classes = f"wide {kind}".strip()
    return f'<div class="{classes}">{content}</div><p class="more">{_MORE}</p>'


def td(text: str, *, kind: str = "") -> str:
    """A cell with escaped text; ``kind`` is its class."""
    return f'<td class="{kind}">{as_html(text)}</td>' if kind else f"<td>{as_html(text)}</td>"


def folded(summary: str, content: str) -> str:
    """Content that opens on a click: long tables that few will read."""
    return f"<details><summary>{as_html(summary)}</summary>{content}</details>"
