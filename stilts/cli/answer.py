"""Verbs that answer: matrix, best, explain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from stilts.analysis.best import answers_of
from stilts.cli.options import JsonOption, StoreOption, StudyName, examples, say
from stilts.shown import shown

if TYPE_CHECKING:
    from stilts.analysis.results import StudyResults

# Checks of negative transfer read every language's predictions; the worst cells are enough for one answer.
_MOST_CHECKED = 12


def register(app: typer.Typer) -> None:
    """Adds the verbs of this file."""
    app.command(
        epilog=examples(
            "stilts matrix search_spaces/demo.yaml",
            "stilts matrix demo --languages udpos",
            "stilts matrix demo --vs demo_longer",
            "stilts matrix demo --json",
        )
    )(matrix)
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
            "stilts explain search_spaces/demo.yaml 'mnli>udpos'",
            "stilts explain demo",
            "stilts explain demo 'mnli>udpos' --language de",
            "stilts explain demo train-mnli-0123456789ab",
            "stilts explain search_spaces/demo.yaml 'mnli>udpos' --why-rerun",
        )
    )(explain)


def matrix(
    study: StudyName,
    store: StoreOption = None,
    languages: Annotated[str | None, typer.Option(help="Show one target's scores by language instead.")] = None,
    vs: Annotated[str | None, typer.Option(help="A second study, side by side with the first.")] = None,
    vs_store: Annotated[str | None, typer.Option("--vs-store", help="Its store, where it is another.")] = None,
    json: JsonOption = False,
) -> None:
    """Show the transfer matrix: scores, gains over `none` with 95 % intervals, spread, and what is missing."""
    from stilts.report.tables import language_table, matrix_table

    results = _results(study, store)
    if languages is not None:
        results.column(languages)
    if vs is not None:
        return _versus(results, vs, vs_store or store, json)
    gains = {
        (row.name, column.name): gain
        for row in results.record.rows
        for column in results.record.columns
        if languages is None and (gain := results.gain(row.name, column.name)) is not None
    }
    if languages is not None:
        say(_matrix_json(results, {}), lambda: language_table(results.frame, results.record, languages), as_json=json)
    else:
        table = results.cells
        say(_matrix_json(results, gains), lambda: matrix_table(table, results.record, gains=gains), as_json=json)


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
    results = _results(study, store)
    if target is not None:
        results.column(target)
    _one_question(by=by, objective=objective, if_only_one=if_only_one, target=target)
    if objective is not None:
        return _objective(results, objective, json)
    if if_only_one:
        return _only_one(results, json)
    if by is not None:
        return _by(results, by, target, json)
    return _best(results, target, json)


def explain(
    study: StudyName,
    what: Annotated[
        str | None,
        typer.Argument(metavar="[STAGE|CELL]", help="A stage id, or a cell such as mnli>udpos. [default: the study]"),
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
    from stilts.cli.explaining import explanation, story_of

    if what is None:
        return _decisions(study, store, why_rerun, json)
    story = None if why_rerun else story_of(study, what, store, language)
    if story is not None:
        from stilts.report.explained import story_lines

        say(story.to_json(), lambda: story_lines(story, language=language), as_json=json)
        return
    value = explanation(study, what, store, why_rerun=why_rerun)
    say(value, lambda: _explanation(value), as_json=json)


def _decisions(study: str, store: str | None, why_rerun: bool, json: bool) -> None:
    from stilts.cli.compose import load_record, open_store_at
    from stilts.errors import InputError
    from stilts.ledger.decisions import decisions
    from stilts.report.decided import decision_lines

    if why_rerun:
        raise InputError("stilts explain --why-rerun", "no stage or cell is given", "", "Name one, such as mnli>udpos")
    opened = open_store_at(store)
    name = load_record(study, opened).name
    found = decisions(opened, name)
    say([one.to_json() for one in found], lambda: decision_lines(name, found), as_json=json)


def _results(study: str, store: str | None) -> StudyResults:
    from stilts.analysis.results import StudyResults
    from stilts.cli.compose import load_record, open_store_at

    opened = open_store_at(store)
    return StudyResults(record=load_record(study, opened), store=opened)


def _matrix_json(results: StudyResults, gains: dict[tuple[str, str], Any]) -> dict[str, Any]:
    cells = _lines(results.cells)
    for cell in cells:
        gain = gains.get((cell["row"], cell["column"]))
        cell |= {"gain_low": gain.low if gain else None, "gain_high": gain.high if gain else None}
    return {
        "study": results.record.name,
        "toy": results.record.toy,
        "cells": cells,
        "languages": _lines(results.language_scores),
    }


def _versus(results: StudyResults, study: str, store: str | None, json: bool) -> None:
    from stilts.analysis.compare import compare_studies
    from stilts.report.wide_answers import comparison_lines

    comparison = compare_studies(results, _results(study, store))
    say(comparison.to_json(), lambda: comparison_lines(comparison), as_json=json)


def _one_question(*, by: str | None, objective: str | None, if_only_one: bool, target: str | None) -> None:
    """Raises InputError where options ask for different answers at once, UnknownNameError for a grouping."""
    from stilts.errors import InputError, UnknownNameError
    from stilts.tasks.languages import GROUPINGS

    asked = [
        name
        for name, given in (("--by", by), ("--objective", objective), ("--if-only-one", if_only_one))
        if given not in (None, False)
    ]
    wide = [name for name in asked if name != "--by"]
    if len(asked) > 1 or (wide and target is not None):
        named = " and ".join([*asked, *(["--target"] if wide and target is not None else [])])
        raise InputError("stilts best", f"{named} together", "Each asks for an answer of its own", "Give one of them")
    if by is not None and by not in GROUPINGS:
        raise UnknownNameError("grouping", by, GROUPINGS)


def _best(results: StudyResults, target: str | None, json: bool) -> None:
    from stilts.analysis.negative_transfer import negative_cells
    from stilts.cli.explaining import chosen_recipes
    from stilts.report.tables import answer_lines

    answers = [answer for answer in answers_of(results) if target in (None, answer.target)]
    _tell_lost_costs(results)
    recipes = [item for item in chosen_recipes(results) if target in (None, item["target"])]
    value: dict[str, Any] = {"study": results.record.name, "toy": results.record.toy}
    if json:
        value["answers"] = [answer.to_json() for answer in answers]
        value["recipes"] = recipes
        cells = negative_cells(results, target=target, at_most=_MOST_CHECKED)
        value["negative"] = [cell.to_json() for cell in cells]
    say(value, lambda: Group(answer_lines(answers), *_recipe_lines(recipes)), as_json=json)


def _tell_lost_costs(results: StudyResults) -> None:
    """Says which trainings cannot be read: their cells have scores, and the cost of those is not known."""
    from stilts.cli.soundness import tell_damage

    stages = results.record.stages.items()
    trained = {key for _, stage in stages if stage["kind"] == "train" for key in stage["outputs"]}
    tell_damage(results.record.name, results.view.results(sorted(trained)).faults)


def _by(results: StudyResults, by: str, target: str | None, json: bool) -> None:
    from stilts.analysis.groups import group_answers
    from stilts.report.wide_answers import group_lines

    groups = group_answers(results, by, [item for item in answers_of(results) if target in (None, item.target)])
    value = {"study": results.record.name, "toy": results.record.toy, "groups": [item.to_json() for item in groups]}
    say(value, lambda: group_lines(groups), as_json=json)


def _objective(results: StudyResults, objective: str, json: bool) -> None:
    from stilts.analysis.objectives import objective_answer
    from stilts.report.wide_answers import objective_lines

    answer = objective_answer(results, objective)
    value = {"study": results.record.name, "toy": results.record.toy, "objective": answer.to_json()}
    say(value, lambda: objective_lines(answer), as_json=json)


def _only_one(results: StudyResults, json: bool) -> None:
    from stilts.analysis.only_one import only_one
    from stilts.report.wide_answers import only_one_lines

    answer = only_one(results, answers_of(results))
    value = {"study": results.record.name, "toy": results.record.toy, "only_one": answer.to_json()}
    say(value, lambda: only_one_lines(answer), as_json=json)


def _recipe_lines(recipes: Sequence[dict[str, Any]]) -> list[Text]:
    return [
        Text(f"recipe of {item['row']} for {item['target']}: proposal {item['proposal']}, {item['params']}")
        for item in recipes
    ]


def _lines(table: Any) -> list[dict[str, Any]]:
    """The rows of a DataFrame as JSON-ready mappings, missing values as None."""
    import json as encoding

    lines: list[dict[str, Any]] = encoding.loads(table.to_json(orient="records"))
    return lines


def _explanation(value: dict[str, Any]) -> RenderableType:
    return Group(*(Text(line) for line in _indented(value, 0)))


def _indented(value: Any, depth: int) -> list[str]:
    lines: list[str] = []
    pad = "  " * depth
    for key, inner in value.items():
        if isinstance(inner, dict) and inner:
            lines += [f"{pad}{key}", *_indented(inner, depth + 1)]
        elif isinstance(inner, list) and inner and isinstance(inner[0], dict):
            lines.append(f"{pad}{key}")
            for item in inner:
                first, *rest = _indented(item, depth + 2)
                lines += [f"{pad}  - {first.strip()}", *rest]
        elif inner not in ({}, []):
            lines.append(f"{pad}{key}: {shown(str(inner))}")
    return lines
