"""Verbs that answer: matrix, compare, best, explain. What they print is in ``answers.py``."""

from __future__ import annotations

from typing import Annotated

import typer

from stilts.cli.notice import notice
from stilts.cli.options import JsonOption, StoreOption, StudyName, examples


def register(app: typer.Typer) -> None:
    """Adds the verbs of this file."""
    app.command(
        epilog=examples(
            "stilts matrix search_spaces/demo.yaml",
            "stilts matrix demo --languages udpos",
            "stilts matrix demo --json",
        )
    )(matrix)
    app.command(epilog=examples("stilts compare demo demo_longer", "stilts compare demo other_demo --json"))(compare)
    app.command(
        epilog=examples(
            "stilts best search_spaces/demo.yaml",
            "stilts best demo --target xnli --json",
            "stilts best demo --by family",
            "stilts best demo --objective without_retrieval",
            "stilts best demo --if-only-one",
        )
    )(best)
    app.command(
        epilog=examples(
            "stilts explain search_spaces/demo.yaml mnli/udpos",
            "stilts explain demo",
            "stilts explain demo mnli/udpos --language de",
            "stilts explain demo train-mnli-0123456789ab",
            "stilts explain search_spaces/demo.yaml mnli/udpos --why-rerun",
        )
    )(explain)


def matrix(
    study: StudyName,
    store: StoreOption = None,
    languages: Annotated[str | None, typer.Option(help="Show one target's scores by language instead.")] = None,
    json: JsonOption = False,
) -> None:
    """Show the transfer matrix: scores, gains over `none` with 95 % intervals, spread, and what is missing."""
    notice.begin(f"reading the results of {study}")
    from stilts.cli.answers import show_matrix

    show_matrix(study, store, languages, as_json=json)


def compare(
    study: StudyName,
    other: Annotated[str, typer.Argument(metavar="STUDY2", help="The study that it is held beside: its file or name.")],
    store: StoreOption = None,
    other_store: Annotated[
        str | None, typer.Option("--other-store", help="The second study's store, where it is another.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Show two studies side by side: each cell's difference with its interval, over the test items that both have."""
    notice.begin(f"reading the results of {study} and {other}")
    from stilts.cli.answers import show_comparison

    show_comparison(study, store, other, other_store or store, as_json=json)


def best(
    study: StudyName,
    store: StoreOption = None,
    target: Annotated[str | None, typer.Option(help="Only this target.")] = None,
    by: Annotated[
        str | None, typer.Option(help="Per group of languages: language, family, script, morphology or resource.")
    ] = None,
    objective: Annotated[
        str | None,
        typer.Option(
            help="One row for all targets: xtreme_average, without_retrieval, worst_language, gain, languages_hurt, "
            "language:sw, family:Uralic, or a target."
        ),
    ] = None,
    if_only_one: Annotated[
        bool, typer.Option("--if-only-one", help="The one intermediate to keep for all targets.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Say which intermediate is best for each target, and how sure that is.

    Chosen on `select`; scores and gains are on `report`.
    """
    notice.begin(f"reading the results of {study}")
    from stilts.cli.answers import show_best

    show_best(study, store, target=target, by=by, objective=objective, if_only_one=if_only_one, as_json=json)


def explain(
    study: StudyName,
    what: Annotated[
        str | None,
        typer.Argument(metavar="[STAGE|CELL]", help="A stage id, or a cell such as mnli/udpos. [default: the study]"),
    ] = None,
    store: StoreOption = None,
    why_rerun: Annotated[
        bool, typer.Option("--why-rerun", help="Show the fields that differ from stored stages.")
    ] = False,
    language: Annotated[str | None, typer.Option(help="Show this language's flipped examples.")] = None,
    json: JsonOption = False,
) -> None:
    """Show what made a result: lineage, settings beside the other rows', flipped examples, why a cell loses.

    Of a study alone, what it decided by itself and why: cells tried, recipes drawn, stopped or raced, its end. With
    --why-rerun, why a stage or cell is run again.
    """
    notice.begin(f"reading {study if what is None else f'{what} of {study}'}")
    from stilts.cli.answers import show_decisions, show_explanation

    if what is None:
        show_decisions(study, store, why_rerun=why_rerun, as_json=json)
    else:
        show_explanation(study, what, store, why_rerun=why_rerun, language=language, as_json=json)
