"""``--with FILE`` and ``--encoder NAME``: options of every verb that takes a study."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from stilts.errors import InputError, StiltsError
from stilts.shown import remark

OVERLAYS, ENCODER = "overlays", "encoder"
WithOption = Annotated[
    list[str] | None,
    typer.Option("--with", metavar="FILE", help="Lay this file over the study's. May be given several times."),
]
EncoderOption = Annotated[
    str | None,
    typer.Option("--encoder", metavar="NAME", help="Of a file with several encoders this one. [default: each in turn]"),
]
_WORD, _MOST_BYTES = b"encoders", 4 * 2**20
# What each encoder's study would write to one place.
_ALONE = ("json", "out")


def with_overlays(verb: Callable[..., Any]) -> Callable[..., Any]:
    """The verb with ``--with``, whose files its ``study`` then carries, and with ``--encoder``.

    Of a file that names several encoders, each makes a study: without ``--encoder`` the verb is done for one after the
    other. As it is where it takes no study.
    """
    signature = inspect.signature(verb, eval_str=True)
    if "study" not in signature.parameters:
        return verb

    @functools.wraps(verb)
    def laid(**given: Any) -> Any:
        overlays, encoder = given.pop(OVERLAYS), given.pop(ENCODER)
        studies = _studies(given["study"], overlays or [], encoder)
        if len(studies) == 1:
            return verb(**{**given, "study": studies[0]})
        _check_apart(studies, given)
        return _in_turn(verb, studies, given)

    named = ((OVERLAYS, WithOption), (ENCODER, EncoderOption))
    options = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        for name, annotation in named
    ]
    laid.__signature__ = signature.replace(parameters=[*signature.parameters.values(), *options])  # type: ignore[attr-defined]
    return laid


def _studies(study: str | None, overlays: list[str], encoder: str | None) -> list[str | None]:
    if not (overlays or encoder or _may_name_several(study)):
        return [study]  # without loading what reads studies: the verb says first what it does
    from stilts.app.places import is_file
    from stilts.study.overlay import StudyFiles

    if study is None or not is_file(study):
        if overlays or encoder:
            raise InputError(
                f"--with {overlays[0]}" if overlays else f"--encoder {encoder}",
                "no study is given" if study is None else f'"{study}" is the name of a study in the store',
                "It belongs to a study file",
                "Give the study by its file",
            )
        return [study]
    files = StudyFiles.of(study, overlays, encoder)
    named = () if encoder else files.encoders
    return [StudyFiles.of(study, overlays, one) for one in named] or [files if overlays or encoder else study]


def _may_name_several(study: str | None) -> bool:
    """Whether a study is given by a file that has the word for several encoders in it."""
    path = Path(study or "")
    try:
        if path.suffix not in (".yaml", ".yml") or not path.is_file() or path.stat().st_size > _MOST_BYTES:
            return False
        return _WORD in path.read_bytes()
    except OSError:  # the verb says what is wrong with it
        return False


def _check_apart(studies: list[str | None], given: dict[str, Any]) -> None:
    for name in _ALONE:
        if given.get(name):
            raise InputError(
                f"--{name}",
                f"the file names {len(studies)} encoders, and each makes a study of its own",
                "What is said of one would hide the others",
                "Name one with --encoder",
            )


def _in_turn(verb: Callable[..., Any], studies: list[str | None], given: dict[str, Any]) -> None:
    """Does the verb for each study; what fails for one is told, and the others are done all the same."""
    worst = 0
    for study in studies:
        remark(f"{study}:")
        try:
            verb(**{**given, "study": study})
        except StiltsError as error:
            remark(f"{type(error).__name__}: {error}")
            worst = max(worst, error.exit_code)
        except SystemExit as end:
            worst = max(worst, end.code if isinstance(end.code, int) else 1)
    if worst:
        sys.exit(worst)
