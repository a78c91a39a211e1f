"""Verbs that run nothing: tasks, validate, plan."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from stilts.cli.options import JsonOption, StoreOption, StudyPath, examples, say
from stilts.errors import InputError
from stilts.shown import shown

if TYPE_CHECKING:
    from stilts.cli.offering import Offer
    from stilts.study.cost import Cost

# How many of the first encoded sequences did not fit into max_length.
TRUNCATED = "cut of first 200"


def register(app: typer.Typer) -> None:
    """Adds the verbs of this file."""
    of_study = "--study search_spaces/mini_xtreme.yaml"
    ways = ("stilts tasks", "stilts tasks --root data", f"stilts tasks {of_study} --json", "stilts tasks --overlap")
    app.command(epilog=examples(*ways))(tasks)
    app.command(epilog=examples("stilts validate search_spaces/mini_xtreme.yaml"))(validate)
    asking = "stilts plan my_study.yaml --address auto --json"
    app.command(epilog=examples("stilts plan search_spaces/demo.yaml", asking))(plan)


def tasks(
    study: Annotated[str | None, typer.Option(help="Count a study's own tasks, and look which data it has.")] = None,
    root: Annotated[
        str | None, typer.Option(help="Look which data lie in this folder of releases, as data.root of a study.")
    ] = None,
    text_root: Annotated[str | None, typer.Option(help="The same for text, as data.text_root of a study.")] = None,
    overlap: Annotated[
        bool, typer.Option("--overlap", help="What intermediates and targets share; with a study, counted in its data.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """List the tasks that a study can name, with kind, metric, train size, languages, licence and domain.

    With a study or a root, "here" counts the languages whose data are there, and "trains" says whether it can be
    learned from what is there.
    """
    if (root or text_root) and (study or overlap):
        raise InputError(
            "stilts tasks --root",
            "a study, or --overlap, is given too",
            "A study says itself where its data lie",
            "Leave one of them out",
        )
    if overlap:
        from stilts.cli.overlapping import overlap_lines, overlap_table

        value = overlap_lines(study)
        say(value, lambda: overlap_table(value), as_json=json)
        return
    from stilts.cli.inspect import task_lines

    lines = task_lines(study, root, text_root)
    say(lines, lambda: _tasks_table(lines), as_json=json)


def validate(study: StudyPath, store: StoreOption = None, json: JsonOption = False) -> None:
    """Read the study and its data, prove the splits disjoint, and show encoded examples of every kind.

    The store is asked only for the studies that this one starts from: start_from and priors.
    Ends with status 2 and one message, naming file and field, at the first thing that cannot be used.
    """
    from stilts.cli.inspect import validated

    value = validated(study, store)
    say(value, lambda: _validation(value), as_json=json)


def plan(
    study: StudyPath,
    store: StoreOption = None,
    address: Annotated[
        str | None, typer.Option(help="A Ray cluster whose machines the hours are for; without it, this machine.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Count the stages that the study needs: shared, done, to run; estimate hours, disk, and price if one is given."""
    from stilts.cli.inspect import filling_text, planned
    from stilts.cli.offering import offer_of
    from stilts.study.study import Study

    offer = offer_of(Study.load(study).file.resources, address)
    cost, stages = planned(study, store, at_once=offer.at_once)
    filling = filling_text(study)
    value: dict[str, Any] = {"study": study, "cost": asdict(cost), "stages": stages, "filling": filling}
    say(value | asdict(offer), lambda: _plan_table(study, cost, stages, filling, offer), as_json=json)


def _tasks_table(lines: list[dict[str, Any]]) -> RenderableType:
    table = Table(title=f"{len(lines)} tasks", title_justify="left")
    for name in ("task", "kind", "metric", "role", "train", "languages", "here", "trains", "licence", "domain"):
        table.add_column(name, overflow="fold", justify="right" if name == "train" else "left")
    for line in lines:
        spoken = line["languages"]
        languages = " ".join(spoken) if len(spoken) <= 8 else f"{len(spoken)} languages"
        here = "" if line["available"] is None else str(len(line["available"]))
        trains = "" if line["trains"] is None else "yes" if line["trains"] else "no"
        size = f"{line['num_train']:,}" if line["num_train"] else ""
        told = (line["task"], line["kind"], line["metric"], line["role"], size)
        cells = (*told, languages, here, trains, line["licence"], line["domain"])
        table.add_row(*cells)
    return table


def _validation(value: dict[str, Any]) -> RenderableType:
    table = Table(title=f"{value['study']}: valid", title_justify="left")
    for name in ("column or row", "use", "language", "examples", "left out", TRUNCATED):
        table.add_column(name, justify="right" if name in ("examples", "left out", TRUNCATED) else "left")
    for line in value["views"]:
        truncated = "" if line["truncated"] is None else str(line["truncated"])
        table.add_row(
            line["of"], line["use"], line["language"], str(line["examples"]), str(line["left_out"] or ""), truncated
        )
    examples_told = [Text(_example(line["of"], line["kind"], line["text"])) for line in value["decoded"]]
    closing = Text("Train, select and report share no item in any target." + _notes(value["notes"]))
    return Group(
        table,
        Text("Encoded examples, decoded (three of each kind, one of each row and column):"),
        *examples_told,
        closing,
    )


def _example(of: str, kind: str, text: str) -> str:
    """One decoded example: what has several lines (choices) stands below its name."""
    return f"{of} ({kind}):\n{text}" if "\n" in text else f"{of} ({kind}): {text}"


def _notes(notes: list[str]) -> str:
    return "".join(f"\n{shown(note)}" for note in notes)


def _plan_table(study: str, cost: Cost, stages: list[dict[str, Any]], filling: str, offer: Offer) -> RenderableType:
    table = Table(title=f"Plan of {study}", title_justify="left")
    for name in ("stages", "kind", "of", "asked for", "to run", "expected"):
        table.add_column(name, justify="left" if name in ("kind", "of") else "right")
    for line in stages:
        table.add_row(
            str(line["stages"]),
            line["kind"],
            line["name"],
            str(line["requested"]),
            str(line["to_run"]),
            duration(line["seconds"]),
        )
    coming = [
        f"{number} {what}"
        for number, what in (
            (cost.open_proposals, "proposals still to be drawn"),
            (cost.open_confirmations, "replicates to confirm what is chosen"),
        )
        if number
    ]
    left = f", and later up to {cost.later} more for {' and '.join(coming)}" if coming else ""
    drawn_too = ", with what comes later" if coming else ""
    lines = [
        f"{cost.stages} stages ({cost.train} train, {cost.evaluate} evaluate"
        + (f", {cost.estimate} estimate" if cost.estimate else "")
        + f"), {cost.shared} of them shared.",
        f"{cost.done} done, {cost.to_run} to run, {cost.train_to_run} of them train{left}."
        + (f" {cost.given_up} given up: pruned, or starting from a pruned one." if cost.given_up else ""),
        f"About {duration(cost.hours * 3600)} on {offer.machines}, {offer.at_once} at once "
        f"({duration(cost.seconds)} of stages one after the other){drawn_too}; "
        f"{cost.measured_frac:.0%} of it from measured stages, the rest assumed.",
        f"At most {cost.disk_bytes / 2**30:.1f} GiB of weights before what is no longer needed goes.",
    ]
    if filling:
        lines.append(filling)
    if cost.stale:
        lines.append(f"{cost.stale} stages are stale: done under an earlier version of what they mean, and run again.")
    if cost.price is not None:
        lines.append(f"{cost.gpu_hours:.1f} GPU hours, {cost.price:.2f} at the study's price.")
    return Group(table, *(Text(line) for line in lines))


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
