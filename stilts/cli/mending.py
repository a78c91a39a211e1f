"""The verb that mends a store: mend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from stilts.cli.keeping import strays_text
from stilts.cli.notice import notice
from stilts.cli.options import JsonOption, StoreOption, StudyName, examples, say

if TYPE_CHECKING:
    from rich.console import RenderableType

    from stilts.ledger.faults import Fault


def register(app: typer.Typer) -> None:
    """Adds the verbs of this file."""
    app.command(epilog=examples("stilts mend search_spaces/demo.yaml --dry-run", "stilts mend demo"))(mend)


def mend(
    study: StudyName,
    store: StoreOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what is wrong.")] = False,
    json: JsonOption = False,
) -> None:
    """Set aside what is damaged in the store, so that the next run makes just that anew; nothing is destroyed.

    Every file is held against its checksum and its shape; what the study rests on to the last byte.
    """
    notice.begin(f"holding what {study} rests on against its checksums")
    from stilts.app.mending import mend_study
    from stilts.app.places import open_store_at, store_url, study_name
    from stilts.ledger.mending import repair_opening

    name = study_name(study)
    opening = repair_opening(store_url(store), dry_run=dry_run)
    if opening and dry_run:
        value = _value(name, opening, dry_run=True)
    else:
        found = mend_study(open_store_at(store), name, dry_run=dry_run)
        value = _value(name, [*opening, *found.faults], dry_run=dry_run) | {
            "folder": found.folder,
            "held_by_others": [fault.paths[0] for fault in found.left],
            "summaries_made_again": found.summaries,
            "checksums_added": found.sealed,
            "strays": list(found.strays),
        }
    say(value, lambda: _table(value, study), as_json=json)


def _value(study: str, faults: list[Fault], *, dry_run: bool) -> dict[str, Any]:
    listed = [
        {"kind": fault.kind.value, "path": fault.paths[0], "found": fault.found, "artifact": fault.key or None}
        for fault in faults
    ]
    return {"study": study, "dry_run": dry_run, "faults": listed}


def _table(value: dict[str, Any], study: str) -> RenderableType:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    lines: list[RenderableType] = []
    if value["faults"]:
        table = Table(title="What is wrong", title_justify="left")
        for name in ("what", "path", "found"):
            table.add_column(name, overflow="fold")
        for fault in value["faults"]:
            table.add_row(fault["kind"], fault["path"], fault["found"])
        lines.append(table)
    return Group(*lines, *(Text(line) for line in _lines(value, study)))


def _lines(value: dict[str, Any], study: str) -> list[str]:
    count = len(value["faults"])
    lines = []
    if not count:
        lines.append("Nothing is wrong: every file agrees with its checksum, and all that the study rests on is there.")
    elif value["dry_run"]:
        lines.append(f'{count} to be set aside. Without --dry-run this is done; then "stilts run" makes it anew.')
    else:
        lines.append(f'{count} set aside in {value["folder"]}. Type "stilts run {study}": it makes just that anew.')
    if value.get("checksums_added"):
        lines.append("The store was from before files had checksums; each has one now.")
    if value.get("summaries_made_again"):
        lines.append(f"{value['summaries_made_again']} summaries were made again from what they sum up.")
    if value.get("held_by_others"):
        lines.append(f"Left, for another process works on it: {strays_text(value['held_by_others'])}.")
    if value.get("strays"):
        lines.append(f"Not made by stilts, and left alone: {strays_text(value['strays'])}.")
    return lines
