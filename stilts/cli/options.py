"""Options that several verbs share, and printing for people or as JSON."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stilts.cli.notice import notice
from stilts.shown import shown_json

if TYPE_CHECKING:
    from rich.console import RenderableType

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
RootOption = Annotated[
    list[str] | None,
    typer.Option(
        "--root",
        metavar="NAME=FOLDER",
        help="Where data, text, encoders or tasks lie, in place of what the study says. May be given several times.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def say(value: Any, render: Callable[[], RenderableType], *, as_json: bool) -> None:
    """Prints ``value`` as JSON, or what ``render`` makes of it."""
    if as_json:
        notice.end()
        sys.stdout.write(shown_json(value, indent=2) + "\n")
        return
    from stilts.cli.terminal import console

    made = render()
    notice.end()
    console().print(made, crop=False)


def examples(*lines: str) -> str:
    """An epilog that shows how a verb is typed."""
    return "\n".join(("Examples:", "", "\b", *(f"  {line}" for line in lines)))
