"""Options that several verbs share, and printing for people or as JSON."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from stilts.cli.terminal import TextConsole
from stilts.shown import shown_json

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
        sys.stdout.write(shown_json(value, indent=2) + "\n")
        return
    console().print(render())


def console() -> TextConsole:
    """A console for standard output: as wide as the terminal, 140 columns where there is none."""
    return TextConsole() if sys.stdout.isatty() else TextConsole(width=140)


def examples(*lines: str) -> str:
    """An epilog that shows how a verb is typed."""
    return "**Examples**\n\n" + "\n\n".join(f"`{line}`" for line in lines)
