"""What a study decided on its own, as terminal text: every decision with its reason, in order of time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from stilts.ledger.decision import Decision
from stilts.shown import shown


def decision_lines(study: str, found: Sequence[Decision]) -> RenderableType:
    """A line per decision; one sentence where there is none."""
    if not found:
        return Text(
            f"{study} decided nothing by itself: every cell of its grid was asked for, and no recipe was searched."
        )
    table = Table(title=f"{study}: {len(found)} decisions", title_justify="left", show_lines=False)
    for name in ("time (UTC)", "kind", "about", "decided", "why"):
        table.add_column(name, overflow="fold")
    for one in found:
        when = datetime.fromtimestamp(one.time, UTC).strftime("%m-%d %H:%M:%S")
        table.add_row(
            when, one.kind, *(Text(shown(told)) for told in (one.about, one.decided, one.reason or "not recorded"))
        )
    return Group(table)
