"""The verb that scores a finished study again from what it stored: rescore."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from stilts.cli.notice import notice
from stilts.cli.options import JsonOption, StoreOption, StudyName, examples, say
from stilts.shown import shown

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from stilts.analysis.rescoring import Rescored

# Differences that the table shows; --json has all.
SHOWN = 40


def register(app: typer.Typer) -> None:
    """Adds the verb of this file."""
    app.command(
        epilog=examples("stilts rescore search_spaces/demo.yaml", "stilts rescore demo --store results --json")
    )(rescore)


def rescore(study: StudyName, store: StoreOption = None, json: JsonOption = False) -> None:
    """Score every stored evaluation again from its examples, without the model; status 1 where anything differs.

    Scores, parts and summaries are made anew from the statistics of each example, and these, where right answers
    are kept, from predictions. What differs by more than 1e-9 is listed by cell and language.
    """
    notice.begin(f"scoring the examples of {study} again")
    from stilts.analysis.rescoring import rescore as rescored_study
    from stilts.app.results import results_at

    found = rescored_study(results_at(study, store))
    say({"agrees": found.agrees, **found.to_json()}, lambda: _told(found), as_json=json)
    if not found.agrees:
        sys.exit(1)


def _told(found: Rescored) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    lines = [
        f"{found.evaluations} evaluations of {found.examples} examples scored again, "
        f"{found.from_predictions} of them from their predictions.",
    ]
    if found.agrees:
        return Text("\n".join([*lines, "All agree to 1e-9."]))
    lines += [shown(f"Not read: {key}. {why}") for key, why in list(found.unread.items())[:SHOWN]]
    lines.append(f"{len(found.differences)} differences, {len(found.unread)} evaluations not read.")
    return Group(_table(found), Text("\n".join(lines)))


def _table(found: Rescored) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in ("replicate", "use", "language", "what"):
        table.add_column(heading)
    for heading in ("stored", "again"):
        table.add_column(heading, justify="right")
    for each in found.differences[:SHOWN]:
        numbers = ("none" if number is None else f"{number:.10g}" for number in (each.stored, each.recomputed))
        table.add_row(each.replicate, each.use, each.language, each.what, *numbers)
    return table
