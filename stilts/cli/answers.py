"""What matrix, best and explain print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from stilts.analysis.agreement import agreements
from stilts.analysis.best import answers_of
from stilts.analysis.claims import claims_of
from stilts.analysis.compare import compare_studies
from stilts.analysis.groups import group_answers
from stilts.analysis.negative_transfer import negative_cells
from stilts.analysis.objectives import objective_answer
from stilts.analysis.only_one import only_one
from stilts.analysis.results import StudyResults
from stilts.analysis.wording import unscored_notes
from stilts.app.explaining import chosen_recipes, explanation, story_of
from stilts.app.places import load_record, open_store_at
from stilts.app.results import results_at
from stilts.app.soundness import tell_damage
from stilts.cli.notice import notice
from stilts.cli.options import say
from stilts.errors import InputError, UnknownNameError
from stilts.ledger.decisions import decisions
from stilts.report.claim_words import claim_words
from stilts.report.decided import decision_lines
from stilts.report.explained import story_lines
from stilts.report.recipe_words import recipe_words
from stilts.report.search_words import agreement_lines
from stilts.report.tables import answer_lines, glance_lines, language_table, matrix_table
from stilts.report.wide_answers import comparison_lines, group_lines, objective_lines, only_one_lines
from stilts.shown import shown
from stilts.tasks.language_groups import GROUPINGS

# Checks of negative transfer read every language's predictions; the worst cells are enough for one answer.
_MOST_CHECKED = 12


def show_matrix(study: str, store: str | None, languages: str | None, *, as_json: bool) -> None:
    """The matrix with its gains and their intervals, or one target's scores by language."""
    results = _results(study, store)
    notes = _unscored(results.unscored)
    if languages is not None:
        value = _matrix_json(results, {})
        if languages in results.unscored and languages not in {column.name for column in results.record.columns}:
            return say(value, lambda: Group(*notes), as_json=as_json)
        results.column(languages)
        table = language_table(results.frame, results.record, languages)
        return say(value, lambda: Group(table, *notes), as_json=as_json)
    gains = {
        (row.name, column.name): gain
        for row in results.record.rows
        for column in results.record.columns
        if (gain := results.gain(row.name, column.name)) is not None
    }
    cells, record = results.cells, results.record
    say(
        _matrix_json(results, gains),
        lambda: Group(matrix_table(cells, record, answers_of(results), gains), *notes),
        as_json=as_json,
    )


def show_comparison(study: str, store: str | None, other: str, other_store: str | None, *, as_json: bool) -> None:
    """Two studies side by side."""
    comparison = compare_studies(results_at(study, store), results_at(other, other_store))
    say(comparison.to_json(), lambda: comparison_lines(comparison), as_json=as_json)


def show_best(
    study: str,
    store: str | None,
    *,
    target: str | None,
    by: str | None,
    objective: str | None,
    if_only_one: bool,
    as_json: bool,
) -> None:
    """The answer per target, per group of languages, or for all targets together."""
    results = _results(study, store)
    if target is not None:
        results.column(target)
    _one_question(by=by, objective=objective, if_only_one=if_only_one, target=target)
    if objective is not None:
        return _objective(results, objective, as_json)
    if if_only_one:
        return _only_one(results, as_json)
    if by is not None:
        return _by(results, by, target, as_json)
    return _best(results, target, as_json)


def show_decisions(study: str, store: str | None, *, why_rerun: bool, as_json: bool) -> None:
    """What a study decided by itself, and why."""
    if why_rerun:
        raise InputError("stilts explain --why-rerun", "no stage or cell is given", "", "Name one, such as mnli/udpos")
    opened = open_store_at(store)
    name = load_record(study, opened).name
    found = decisions(opened, name)
    say([one.to_json() for one in found], lambda: decision_lines(name, found), as_json=as_json)


def show_explanation(
    study: str, what: str, store: str | None, *, why_rerun: bool, language: str | None, as_json: bool
) -> None:
    """What made a cell or a stage, or why it is run again."""
    story = None if why_rerun else story_of(study, what, store, language)
    if story is not None:
        return say(story.to_json(), lambda: story_lines(story, language=language), as_json=as_json)
    value = explanation(study, what, store, why_rerun=why_rerun)
    return say(value, lambda: _explanation(value), as_json=as_json)


def _results(study: str, store: str | None) -> StudyResults:
    """The study's results; from here on it is known how many are read."""
    results = results_at(study, store)
    count = sum(len(keys) for one in results.record.replicates for keys in one.outputs.values())
    notice.begin(f"reading {count} results of {results.record.name}")
    return results


def _matrix_json(results: StudyResults, gains: dict[tuple[str, str], Any]) -> dict[str, Any]:
    cells = _lines(results.cells)
    for cell in cells:
        gain = gains.get((cell["row"], cell["column"]))
        cell |= {"gain_low": gain.low if gain else None, "gain_high": gain.high if gain else None}
    return {
        "study": results.record.name,
        "toy": results.record.toy,
        "cells": cells,
        "unscored": {column: dict(languages) for column, languages in results.unscored.items()},
        "languages": _lines(results.language_scores),
    }


def _one_question(*, by: str | None, objective: str | None, if_only_one: bool, target: str | None) -> None:
    """Raises InputError where options ask for different answers at once, UnknownNameError for a grouping."""
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


def _best(results: StudyResults, target: str | None, as_json: bool) -> None:
    answers = [answer for answer in answers_of(results) if target in (None, answer.target)]
    _tell_lost_costs(results)
    recipes = [item for item in chosen_recipes(results) if target in (None, item["target"])]
    value: dict[str, Any] = {"study": results.record.name, "toy": results.record.toy}
    if as_json:
        value["answers"] = [answer.to_json() for answer in answers]
        value["recipes"] = recipes
        cells = negative_cells(results, target=target, at_most=_MOST_CHECKED)
        value["negative"] = [cell.to_json() for cell in cells]
    claims = claims_of(results)
    value["claims"] = [claim.to_json() for claim in claims]
    claimed = [Text(shown(f"{claim_words(claim)}.")) for claim in claims]
    searched = any(row.searched for row in results.record.rows)
    believed = agreements(results) if searched else ()
    value["agreement"] = [one.to_json() for one in believed]
    claimed += [Text(shown(line)) for line in agreement_lines(believed)]
    answered = {answer.target for answer in answers}
    silent = _unscored({name: why for name, why in results.unscored.items() if name not in answered})
    value["unscored"] = {column: dict(languages) for column, languages in results.unscored.items()}
    say(
        value,
        lambda: Group(*claimed, glance_lines(answers), "", answer_lines(answers), *silent, *_recipe_lines(recipes)),
        as_json=as_json,
    )


def _unscored(unscored: Mapping[str, Mapping[str, str]]) -> list[Text]:
    """What is said of languages without a score, where no answer says it."""
    return [Text(shown(f"note: {note}")) for note in unscored_notes(unscored)]


def _tell_lost_costs(results: StudyResults) -> None:
    """Says which trainings cannot be read: their cells have scores, and the cost of those is not known."""
    stages = results.record.stages.items()
    trained = {key for _, stage in stages if stage["kind"] == "train" for key in stage["outputs"]}
    tell_damage(results.record.name, results.view.results(sorted(trained)).faults)


def _by(results: StudyResults, by: str, target: str | None, as_json: bool) -> None:
    groups = group_answers(results, by, [item for item in answers_of(results) if target in (None, item.target)])
    value = {"study": results.record.name, "toy": results.record.toy, "groups": [item.to_json() for item in groups]}
    say(value, lambda: group_lines(groups), as_json=as_json)


def _objective(results: StudyResults, objective: str, as_json: bool) -> None:
    answer = objective_answer(results, objective)
    value = {"study": results.record.name, "toy": results.record.toy, "objective": answer.to_json()}
    say(value, lambda: objective_lines(answer), as_json=as_json)


def _only_one(results: StudyResults, as_json: bool) -> None:
    answer = only_one(results, answers_of(results))
    value = {"study": results.record.name, "toy": results.record.toy, "only_one": answer.to_json()}
    say(value, lambda: only_one_lines(answer), as_json=as_json)


def _recipe_lines(recipes: Sequence[dict[str, Any]]) -> list[Text]:
    return [
        Text(f"recipe of {item['row']} for {item['target']}: {recipe_words(item['params'] or {})} ({_which(item)})")
        for item in recipes
    ]


def _which(item: dict[str, Any]) -> str:
    lost = "" if item["params"] else ", whose values are not recorded"
    return f"proposal {item['proposal']}{lost}"


def _lines(table: Any) -> list[dict[str, Any]]:
    """The rows of a DataFrame as JSON-ready mappings with every digit, missing values as None."""
    whole = table.astype("object").where(table.notna(), None)
    lines: list[dict[str, Any]] = whole.to_dict(orient="records")
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
