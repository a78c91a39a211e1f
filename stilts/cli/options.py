"""Options that several verbs share, and printing for people or as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer
from rich.console import Console, RenderableType

StudyPath = Annotated[str, typer.Argument(metavar="STUDY", help="A study file, for example search_spaces/demo.yaml.")]
StudyName = Annotated[str, typer.Argument(metavar="STUDY", help="A study file, or the name of a study in the store.")]
StoreOption = Annotated[
    str | None,
    typer.Option("--store", help="Folder or bucket URL of results. [default: $STILTS_STORE or stilts_store]"),
]
TrackingOption = Annotated[
    str | None,
    typer.Option(
        "--tracking-uri",
        help='MLflow\'s address; "none" for no tracking. [default: $MLFLOW_TRACKING_URI or sqlite:///mlflow.db]',
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def say(value: Any, render: Callable[[], RenderableType], *, as_json: bool) -> None:
    """Prints ``value`` as JSON, or what ``render`` makes of it."""
    if as_json:
        json.dump(value, sys.stdout, indent=2, ensure_ascii=False, allow_nan=False)
        sys.stdout.write("\n")
        return
    console().print(render())


def console() -> Console:
    """A console for standard output: as wide as the terminal, 140 columns where there is none."""
    return Console() if sys.stdout.isatty() else Console(width=140)


def examples(*lines: str) -> str:
    """An epilog that shows how a verb is typed."""
    return "**Examples**\n\n" + "\n\n".join(f"`{line}`" for line in lines)
