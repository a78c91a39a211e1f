"""``--with FILE``: an option of every verb that takes a study."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from stilts.errors import InputError

OVERLAYS = "overlays"
WithOption = Annotated[
    list[str] | None,
    typer.Option("--with", metavar="FILE", help="Lay this file over the study's. May be given several times."),
]


def with_overlays(verb: Callable[..., Any]) -> Callable[..., Any]:
    """The verb with ``--with``, whose files its ``study`` then carries; as it is where it takes no study."""
    signature = inspect.signature(verb, eval_str=True)
    if "study" not in signature.parameters:
        return verb

    @functools.wraps(verb)
    def laid(**given: Any) -> Any:
        if overlays := given.pop(OVERLAYS):
            given["study"] = _overlaid(given["study"], overlays)
        return verb(**given)

    option = inspect.Parameter(OVERLAYS, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=WithOption)
    laid.__signature__ = signature.replace(parameters=[*signature.parameters.values(), option])  # type: ignore[attr-defined]
    return laid


def _overlaid(study: str | None, overlays: list[str]) -> str:
    from stilts.app.places import is_file
    from stilts.study.overlay import StudyFiles

    if study is None or not is_file(study):
        raise InputError(
            f"--with {overlays[0]}",
            "no study is given" if study is None else f'"{study}" is the name of a study in the store',
            "An overlay lies over a study file",
            "Give the study by its file",
        )
    return StudyFiles.of(study, overlays)
