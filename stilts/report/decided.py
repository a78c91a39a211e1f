"""What a study decided on its own, as terminal text: every decision with its reason, in order of time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from stilts.ledger.decision import Decision
from stilts.shown import shown


def decision_lines(study: str, found: Sequence[Decision]) -> RenderableType:
    """A line per decision with its reason below it; one sentence where there is none."""
    if not found:
        return Text(
            f"{study} decided nothing by itself: every cell of its grid was asked for, and no recipe was searched."
        )
    count = "1 decision" if len(found) == 1 else f"{len(found)} decisions"
    parts: list[RenderableType] = [Text(f"{study}: {count}, times in UTC", style="italic")]
    for one in found:
        when = datetime.fromtimestamp(one.time, UTC).strftime("%m-%d %H:%M:%S")
        parts.append(Text.assemble(f"{when}  ", (one.kind, "bold"), f"  {shown(one.about)}: {shown(one.decided)}"))
        parts.append(Padding(Text(shown(one.reason or "why: not recorded"), style="dim"), (0, 0, 0, 4)))
    return Group(*parts)
