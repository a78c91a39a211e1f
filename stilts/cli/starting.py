"""The verb that a first study begins with: init."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from stilts.cli.notice import notice
from stilts.cli.options import JsonOption, examples, say

_NEXT = ("validate", "run", "best")


def register(app: typer.Typer) -> None:
    """Adds the verb of this file."""
    app.command(epilog=examples("stilts init my_study", "stilts init my_study --json"))(init)


def init(
    folder: Annotated[str, typer.Argument(metavar="DIR", help="A new folder, or an empty one.")],
    json: JsonOption = False,
) -> None:
    """Write a small study, its tasks file and data to start from, and say what to type next.

    Two tasks, from a TSV and from a CoNLL file, with English to learn from, English and German to be tested in. It runs
    as it is, with a toy encoder; put your own data and an encoder in their place.
    """
    notice.begin(f"writing {folder}")
    from stilts.app.starting import STUDY_FILE, start

    place = Path(folder)
    files = start(place)
    study = str(place / STUDY_FILE)
    value = {"folder": folder, "files": files, "next": [f"stilts {verb} {shlex.quote(study)}" for verb in _NEXT]}
    say(value, lambda: _told(value), as_json=json)


def _told(value: dict[str, Any]) -> Any:
    from rich.console import Group
    from rich.text import Text

    files = "".join(f"\n  {name}" for name in value["files"])
    # A command is to be copied: it is never broken.
    steps = (Text(f"  {line}", no_wrap=True, overflow="ignore") for line in value["next"])
    return Group(Text(f"Wrote in {value['folder']}:{files}\n\nNext:"), *steps)
