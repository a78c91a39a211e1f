"""Verbs that run nothing: tasks, validate, plan."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stilts.cli.notice import notice
from stilts.cli.options import JsonOption, StoreOption, StudyPath, examples, say
from stilts.errors import InputError

if TYPE_CHECKING:
    pass

# How many of the first encoded sequences did not fit into max_length.
TRUNCATED = "cut of first 200"


def register(app: typer.Typer) -> None:
    """Adds the verbs of this file."""
    of_study = "--study search_spaces/mini_xtreme.yaml"
    ways = ("", " --root data", f" {of_study} --json", " --overlap", " --readers")
    app.command(epilog=examples(*(f"stilts tasks{way}" for way in ways)))(tasks)
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
    readers: Annotated[
        bool, typer.Option("--readers", help="The readers of files that a task of your own can have, with options.")
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
    if readers:
        _tell_readers(as_json=json, alone=not (study or root or text_root or overlap))
        return
    if overlap:
        notice.begin("reading the ledger of overlaps" if study is None else f"comparing the texts of {study}")
        from stilts.app.overlapping import overlap_lines
        from stilts.cli.overlapping import overlap_table

        value = overlap_lines(study)
        say(value, lambda: overlap_table(value), as_json=json)
        return
    notice.begin("reading the catalogue" if study is None else f"reading {study} and looking for its data")
    from stilts.app.task_lines import task_lines
    from stilts.cli.task_table import TaskTable

    lines = task_lines(study, root, text_root)
    say(lines, lambda: TaskTable(lines=lines), as_json=json)


def _tell_readers(*, as_json: bool, alone: bool) -> None:
    if not alone:
        raise InputError(
            "stilts tasks --readers",
            "a study, a root or --overlap is given too",
            "Readers are the same wherever data lie",
            "Leave the others out",
        )
    notice.begin("reading the kinds of tasks")
    from stilts.app.reader_lines import reader_lines
    from stilts.cli.reader_table import reader_table

    value = reader_lines()
    say(value, lambda: reader_table(value), as_json=as_json)


def validate(study: StudyPath, store: StoreOption = None, json: JsonOption = False) -> None:
    """Read the study and its data, prove the splits disjoint, and show encoded examples of every kind.

    The store is asked only for the studies that this one starts from: start_from and priors.
    Ends with status 2 and one message, naming file and field, at the first thing that cannot be used.
    """
    notice.begin(f"reading {study}, its data and its encoder")
    from stilts.app.validating import validated
    from stilts.cli.validated import validation

    value = validated(study, store)
    say(value, lambda: validation(value), as_json=json)


def plan(
    study: StudyPath,
    store: StoreOption = None,
    address: Annotated[
        str | None, typer.Option(help="A Ray cluster whose machines the hours are for; without it, this machine.")
    ] = None,
    fetch_list: Annotated[
        bool, typer.Option("--fetch-list", help="List what it reads of the hub instead: what a node without it needs.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Count the stages that the study needs: shared, done, to run; estimate hours, disk, and price if one is given.

    The number at the top is what `stilts run` counts to, with what searches will still add to the plan.
    """
    notice.begin(f"planning {study}")
    if fetch_list:
        from stilts.app.fetching import fetch_list as listed
        from stilts.cli.fetching import fetch_lines

        wanted = [asdict(one) for one in listed(study)]
        return say(wanted, lambda: fetch_lines(wanted), as_json=json)
    from stilts.app.costing import filling_text, planned
    from stilts.app.offering import offer_of
    from stilts.cli.planned import plan_lines
    from stilts.study.holding import Holding
    from stilts.study.study import Study

    offer = offer_of(Holding(file=Study.load(study).file), address)
    cost, stages = planned(study, store, offer)
    filling = filling_text(study)
    value: dict[str, Any] = {"study": study, "total": cost.total, "cost": asdict(cost), "stages": stages}
    value |= {"filling": filling, **asdict(offer)}
    return say(value, lambda: plan_lines(study, cost, stages, filling, offer), as_json=json)
