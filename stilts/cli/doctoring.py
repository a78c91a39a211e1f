"""The verb doctor: whether this machine's device does what it should, and how fast."""

from __future__ import annotations

import sys
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from stilts.cli.notice import notice
from stilts.cli.options import JsonOption, examples, say

if TYPE_CHECKING:
    from rich.console import RenderableType

    from stilts.execute.device_checks import Finding


class TimedEncoder(StrEnum):
    """Encoders of XLM-R's family whose training is timed."""

    SMALL = "small"
    BASE = "base"
    LARGE = "large"


def register(app: typer.Typer) -> None:
    """Adds the verb of this file."""
    app.command(epilog=examples("stilts doctor --device cuda > page.txt", "stilts doctor --shape base"))(doctor)


def doctor(
    device: Annotated[str, typer.Option(help="What to check: cpu, cuda, or cuda:1.")] = "cpu",
    shape: Annotated[
        TimedEncoder | None, typer.Option(help="Whose training is timed. [default: large on a GPU, small else]")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Check that the device does what the CPU does (numbers, masks, the same bits twice), and time it.

    Random weights and tokens: no study, no data, no store. Exit 1 where a check failed; the page is made to be sent.
    """
    notice.begin(f"checking {device}")
    from stilts.app.doctor import findings

    found = findings(device, None if shape is None else shape.value)
    value = {"device": device, "findings": [asdict(one) for one in found]}
    say(value, lambda: _page(found), as_json=json)
    if any(one.verdict == "failed" for one in found):
        sys.exit(1)


def _page(found: list[Finding]) -> RenderableType:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), safe_box=True)
    for name in ("check", "", "found"):
        table.add_column(name, overflow="fold")
    for one in found:
        advice = f". {one.advice}." if one.advice else ""
        table.add_row(one.check, one.verdict.value, Text(one.found + advice))
    return table
