"""Verbs that answer: matrix, best, explain."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from stilts.cli.options import JsonOption, StoreOption, StudyName, examples, say


def register(app: typer.Typer) -> None:
    """Adds the verbs of this file."""
    app.command(
        epilog=examples(
            "stilts matrix search_spaces/demo.yaml", "stilts matrix demo --languages udpos", "stilts matrix demo --json"
        )
    )(matrix)
    app.command(epilog=examples("stilts best search_spaces/demo.yaml", "stilts best demo --target xnli --json"))(best)
    app.command(
        epilog=examples(
            "stilts explain search_spaces/demo.yaml 'mnli>udpos'",
            "stilts explain demo train-mnli-0123456789ab",
            "stilts explain search_spaces/demo.yaml train-mnli-0123456789ab --why-rerun",
        )
    )(explain)


def matrix(
    study: StudyName,
    store: StoreOption = None,
    languages: Annotated[str | None, typer.Option(help="Show one target's scores by language instead.")] = None,
    json: JsonOption = False,
) -> None:
    """Show the transfer matrix: scores, gains over `none`, replicates, and what is missing."""
    from stilts.analysis.matrix import cells, language_scores, load_matrix
    from stilts.cli.compose import load_record, open_store_at
    from stilts.errors import UnknownNameError
    from stilts.report.tables import language_table, matrix_table

    opened = open_store_at(store, create=False)
    record = load_record(study, opened)
    names = [column.name for column in record.columns]
    if languages is not None and languages not in names:
        raise UnknownNameError("target", languages, names)
    frame = load_matrix(record, opened)
    table = cells(record, frame)
    value = {
        "study": record.name,
        "toy": record.toy,
        "cells": _lines(table),
        "languages": _lines(language_scores(record, frame)),
    }
    if languages is not None:
        say(value, lambda: language_table(frame, record, languages), as_json=json)
    else:
        say(value, lambda: matrix_table(table, record), as_json=json)


def best(
    study: StudyName,
    store: StoreOption = None,
    target: Annotated[str | None, typer.Option(help="Only this target.")] = None,
    json: JsonOption = False,
) -> None:
    """Say which intermediate is best for each target, and how sure that is.

    Chosen on `select`; scores and gains are on `report`.
    """
    from stilts.analysis.best import best as answers_of
    from stilts.cli.compose import load_record, open_store_at
    from stilts.cli.explaining import chosen_recipes
    from stilts.errors import UnknownNameError
    from stilts.report.tables import answer_lines

    opened = open_store_at(store, create=False)
    record = load_record(study, opened)
    names = [column.name for column in record.columns]
    if target is not None and target not in names:
        raise UnknownNameError("target", target, names)
    answers = [answer for answer in answers_of(record, opened) if target in (None, answer.target)]
    recipes = chosen_recipes(record, opened)
    value = {
        "study": record.name,
        "toy": record.toy,
        "answers": [answer.to_json() for answer in answers],
        "recipes": recipes,
    }
    say(value, lambda: Group(answer_lines(answers), *_recipe_lines(recipes)), as_json=json)


def explain(
    study: StudyName,
    what: Annotated[str, typer.Argument(metavar="STAGE|CELL", help="A stage id, or a cell such as mnli>udpos.")],
    store: StoreOption = None,
    why_rerun: Annotated[
        bool, typer.Option("--why-rerun", help="Show the fields that differ from stored stages.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Show what made a result: lineage, configuration, states; or why a stage is run again."""
    from stilts.cli.explaining import explanation

    value = explanation(study, what, store, why_rerun=why_rerun)
    say(value, lambda: _explanation(value), as_json=json)


def _recipe_lines(recipes: list[dict[str, Any]]) -> list[Text]:
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
            lines.append(f"{pad}{key}: {inner}")
    return lines
