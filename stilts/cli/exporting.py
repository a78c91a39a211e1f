"""The verb that hands results out: export, of a model or of a submission."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stilts.cli.notice import notice
from stilts.cli.options import JsonOption, StoreOption, StudyName, examples, say
from stilts.errors import InputError
from stilts.whole_file import check_empty

if TYPE_CHECKING:
    from stilts.store.store import Store


def register(app: typer.Typer) -> None:
    """Adds the verbs of this file."""
    app.command(
        epilog=examples(
            "stilts export search_spaces/demo.yaml --target xnli --model exported/xnli",
            "stilts export demo --target tatoeba --row tydiqa_en --model exported/tatoeba",
            "stilts export search_spaces/demo.yaml --target xnli --row mnli --seed i1/t1 --model xnli --rebuild",
            "stilts export search_spaces/mini_xtreme.yaml --submission predictions --labels labels",
        )
    )(export)


def export(
    study: StudyName,
    target: Annotated[
        str | None, typer.Option(help="The target whose model, or whose predictions alone, are wanted.")
    ] = None,
    model: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the model into this new or empty folder.")
    ] = None,
    submission: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write predictions in XTREME's format, of all targets or one.")
    ] = None,
    labels: Annotated[
        Path | None, typer.Option(metavar="DIR", help="With --submission: the right answers of the same examples.")
    ] = None,
    row: Annotated[str | None, typer.Option(help="Its intermediate. [default: the one chosen on select]")] = None,
    seed: Annotated[
        str | None, typer.Option(help="The replicate, such as i0/t1. [default: the best on select]")
    ] = None,
    adapter: Annotated[
        bool, typer.Option("--adapter", help="Write only what was trained, as a folder that peft loads.")
    ] = False,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Train weights that are gone, or were never there, again.")
    ] = False,
    device: Annotated[str, typer.Option(help="With --rebuild: cpu or cuda.")] = "cpu",
    store: StoreOption = None,
    json: JsonOption = False,
) -> None:
    """Write a target's model as a folder that plain transformers loads, or the study's predictions as a submission.

    The weights of each target's champion are kept; others are there if the study ran with --keep-weights. A submission
    is made from the stored predictions, and what cannot be part of it is listed; `stilts score` scores it.
    """
    from rich.text import Text

    notice.begin(f"reading {study}")
    from stilts.app.exporting import export_model
    from stilts.app.places import is_file, make_store_at, open_store_at

    if submission is not None:
        _check_submission(model, rebuild, adapter)
        _submit(study, open_store_at(store), submission, labels, target, row, seed, as_json=json)
        return
    if model is None or target is None or labels is not None:
        raise _unclear(model, target)
    check_empty(model, f"--model {model}", "Name a new folder, or empty this one")
    # It trains, so like a run it may start in a place that is new or empty.
    opened = make_store_at(store) if rebuild and is_file(study) else open_store_at(store)
    value = export_model(
        study, opened, target, model, row=row, seed=seed, rebuild=rebuild, device=device, adapter=adapter
    )
    say(value, lambda: Text(_told(value)), as_json=json)


def _submit(
    study: str,
    store: Store,
    folder: Path,
    labels: Path | None,
    target: str | None,
    row: str | None,
    seed: str | None,
    *,
    as_json: bool,
) -> None:
    from stilts.app.submitting import check_agreement, export_submission
    from stilts.cli.submitting import told

    written = export_submission(study, store, folder, labels=labels, target=target, row=row, seed=seed)
    say(written.to_json(), lambda: told(written), as_json=as_json)
    check_agreement(written)


def _check_submission(model: Path | None, rebuild: bool, adapter: bool) -> None:
    given = [
        name
        for name, asked in (("--model", model is not None), ("--rebuild", rebuild), ("--adapter", adapter))
        if asked
    ]
    if given:
        raise InputError(
            "--submission",
            f"it was given with {given[0]}",
            "A submission is made from stored predictions, without a model",
            "Ask for one of them at a time",
        )


def _unclear(model: Path | None, target: str | None) -> InputError:
    absent = [name for name, value in (("--target", target), ("--model", model)) if value is None]
    return InputError(
        "export",
        f"{' and '.join(absent)} missing" if absent else "--labels was given without --submission",
        "It writes a model (--target, --model) or a submission (--submission)",
        "Try: stilts export STUDY --submission DIR --labels DIR",
    )


def _told(value: dict[str, str | None]) -> str:
    return (
        f"{value['replicate']} ({value['stage'] or 'the pretrained encoder'}) is in {value['folder']}\n"
        f"Its card: {value['folder']}/README.md"
    )
