"""The verb fetch: what a study needs of the hub, for nodes without a network."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stilts.cli.notice import notice
from stilts.cli.options import JsonOption, StudyPath, examples, say
from stilts.shown import shown

if TYPE_CHECKING:
    from rich.console import RenderableType


def register(app: typer.Typer) -> None:
    """Adds the verb of this file."""
    app.command(epilog=examples("stilts fetch my_study.yaml --to /shared/hub", "stilts fetch my_study.yaml --json"))(
        fetch
    )


def fetch(
    study: StudyPath,
    to: Annotated[
        str | None, typer.Option(metavar="FOLDER", help="Into this cache folder. [default: the hub's usual one]")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Fetch all that the study reads of the hub, for nodes that have no network.

    What lies there already is not fetched again. On such a node HF_HUB_CACHE names the folder, and HF_HUB_OFFLINE=1
    has the commits of branches be those that were fetched.
    """
    notice.begin(f"fetching what {study} reads of the hub")
    from rich.text import Text

    from stilts.app.fetching import fetch as fetch_study

    found = fetch_study(study, to, lambda one: notice.begin(f"fetching {one.kind} {one.repo}"))
    value = [{**asdict(one.wanted), "folder": one.folder} for one in found]
    where = f"HF_HUB_CACHE={to} " if to else ""
    closing = f"On a node without a network: {where}HF_HUB_OFFLINE=1 stilts run {study}" if found else _NOTHING
    say(value, lambda: Text("\n".join([*map(line_of, value), closing])), as_json=json)


_NOTHING = "Nothing of it is on the hub."


def fetch_lines(wanted: list[dict[str, Any]]) -> RenderableType:
    """What plan --fetch-list prints: a line for each repository."""
    from rich.text import Text

    return Text("\n".join(map(line_of, wanted)) or _NOTHING)


def line_of(one: dict[str, Any]) -> str:
    """``dataset nyu-mll/multi_nli at its main branch: default (mnli)``."""
    at = one["revision"] or "its main branch"
    return shown(f"{one['kind']} {one['repo']} at {at}: {' '.join(one['files'])} ({one['used_for']})")
