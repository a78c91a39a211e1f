"""The verb that hands results out: export, of a model or of a submission."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from stilts.cli.options import JsonOption, StoreOption, StudyName, examples, say
from stilts.errors import InputError, SelectionError, StoreError, StudyError, UnknownNameError
from stilts.whole_file import check_empty

if TYPE_CHECKING:
    from stilts.analysis.results import StudyResults
    from stilts.store.store import Store
    from stilts.study.record import Replicate, StudyRecord


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
    from stilts.cli.compose import open_store_at

    if submission is not None:
        _check_submission(model, rebuild)
        _submit(study, open_store_at(store), submission, labels, target, row, seed, as_json=json)
        return
    if model is None or target is None or labels is not None:
        raise _unclear(model, target)
    check_empty(model, f"--model {model}", "Name a new folder, or empty this one")
    opened = open_store_at(store)
    value = export_model(study, opened, target, model, row=row, seed=seed, rebuild=rebuild, device=device)
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
    from stilts.cli.submitting import check_agreement, export_submission, told

    written = export_submission(study, store, folder, labels=labels, target=target, row=row, seed=seed)
    say(written.to_json(), lambda: told(written), as_json=as_json)
    check_agreement(written)


def _check_submission(model: Path | None, rebuild: bool) -> None:
    if model is not None or rebuild:
        raise InputError(
            "--submission",
            f"it was given with {'--model' if model is not None else '--rebuild'}",
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


def export_model(
    study: str,
    store: Store,
    target: str,
    folder: Path,
    *,
    row: str | None = None,
    seed: str | None = None,
    rebuild: bool = False,
    device: str = "cpu",
) -> dict[str, str | None]:
    """What was written: folder, target, row, replicate, stage. Nothing is left in ``folder`` when it fails."""
    from stilts.analysis.results import StudyResults
    from stilts.cli.champions import model_stage
    from stilts.cli.compose import load_record
    from stilts.cli.model_folder import model_of, write_model
    from stilts.cli.rebuilding import Rebuilder

    rebuilder = Rebuilder(study, store, device=device) if rebuild else None
    results = StudyResults(record=rebuilder.record if rebuilder else load_record(study, store), store=store)
    replicate = find_replicate(results, target, row, seed, may_be_missing=rebuild)
    stage = model_stage(results.record, replicate)
    if stage is None:
        source = _encoder_folder(study, results)
    else:
        if rebuilder is not None:
            rebuilder.train(stage)
        source = _weights(study, store, replicate, stage)
    parent = folder.absolute().parent
    try:
        parent.mkdir(parents=True, exist_ok=True)
        Path(tempfile.mkdtemp(dir=parent, prefix=".stilts-export-")).rmdir()
    except OSError as error:
        raise InputError(
            f"model folder {folder}",
            f"its place cannot be written ({error.strerror or error})",
            "The model is put together beside it",
            "Name another folder with --model",
        ) from error
    with tempfile.TemporaryDirectory(dir=parent, prefix=".stilts-export-") as name:
        partial = Path(name, "model")
        write_model(results, model_of(results, replicate, stage), source, partial)
        os.replace(partial, folder)
    told = {"target": target, "row": replicate.row, "replicate": replicate.replicate_id, "stage": stage}
    return {"folder": str(folder), **told}


def find_replicate(
    results: StudyResults, target: str, row: str | None, seed: str | None, *, may_be_missing: bool = False
) -> Replicate:
    """The replicate that is meant: of the chosen row, or ``row``, the best on select, or the one of ``seed``.

    ``may_be_missing`` admits, with row and seed given, one that is not done. UnknownNameError for a name that the study
    does not have, SelectionError where nothing can be chosen, StoreError where nothing is done.
    """
    from stilts.cli.champions import chosen_replicates, ranked_replicates

    record = results.record
    results.column(target)
    if row is None:
        chosen = chosen_replicates(record, results.frame).get(target)
        if chosen is None:
            raise _nothing_chosen(record, target)
        row = chosen.row
    if row not in [each.name for each in record.rows]:
        raise UnknownNameError("row", row, [each.name for each in record.rows])
    if seed is not None:
        return _of_seed(record, target, row, seed)
    ranked = ranked_replicates(record, results.frame, row, target)
    planned = [each for each in record.replicates if (each.row, each.column) == (row, target)]
    if not ranked and may_be_missing and len(planned) == 1:
        return planned[0]
    if not ranked:
        raise StoreError(
            f"model of {row} > {target}",
            f"none of its {len(planned)} replicates is done",
            "There is no model to export",
            f"Run the study first, or train one: --rebuild --seed, one of {_seeds(planned)}",
        )
    return ranked[0]


def _of_seed(record: StudyRecord, target: str, row: str, seed: str) -> Replicate:
    from stilts.cli.model_folder import seed_of

    planned = [each for each in record.replicates if (each.row, each.column) == (row, target)]
    for replicate in planned:
        if seed in (seed_of(replicate), replicate.replicate_id):
            return replicate
    raise UnknownNameError("replicate", seed, [seed_of(each) for each in planned], where=f"{row} > {target}")


def _seeds(planned: list[Replicate]) -> str:
    from stilts.cli.model_folder import seed_of

    return ", ".join(seed_of(each) for each in planned[:5]) or "none planned"


def _nothing_chosen(record: StudyRecord, target: str) -> SelectionError:
    rows = ", ".join(row.name for row in record.rows)
    return SelectionError(
        f"champion of {target}",
        f"no row has a selection score there (selection: {record.selection})",
        "A row chosen by its report scores would be an oracle's",
        f"Name the row yourself: --row, one of {rows}",
    )


def _weights(study: str, store: Store, replicate: Replicate, stage: str) -> Path:
    """The artifact's folder; StoreError, with what to type, where its weights are not there."""
    from stilts.cli.model_folder import seed_of

    if not store.is_done(stage) or store.gone(stage):
        seed = f" --seed {seed_of(replicate)}" if seed_of(replicate) else ""
        file = study if Path(study).suffix in (".yaml", ".yml") else "STUDY.yaml"
        cell = f"--target {replicate.column} --row {replicate.row}{seed}"
        raise StoreError(
            f"weights of {stage} ({replicate.replicate_id})",
            "they were dropped" if store.is_done(stage) else "the stage is not done",
            "Results stay, weights only of champions, unless a study runs with --keep-weights",
            f"Train them again: stilts export {file} {cell} --model DIR --rebuild",
        )
    return store.fetch(stage)


def _encoder_folder(study: str, results: StudyResults) -> Path:
    """The pretrained encoder's own folder, for a row ``none`` on a target that does not train."""
    from stilts.cli.compose import assemble
    from stilts.execute.inputs import encoder_folder
    from stilts.study.study import Study
    from stilts.training.run_config import RunConfig

    if Path(study).suffix not in (".yaml", ".yml"):
        raise StudyError(
            f"study {study}",
            "the model is the pretrained encoder itself, which is not in the store",
            "The study file says where it lies",
            "Give the study's file instead of its name",
        )
    workspace = assemble(Study.load(study))
    return encoder_folder(workspace.planner.encoder, RunConfig(roots=workspace.roots))


def _told(value: dict[str, str | None]) -> str:
    return (
        f"{value['replicate']} ({value['stage'] or 'the pretrained encoder'}) is in {value['folder']}\n"
        f"Its card: {value['folder']}/README.md"
    )
