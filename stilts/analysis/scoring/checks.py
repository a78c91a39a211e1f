"""What a label file and a prediction file must agree in; the official scorer looks at numbers of examples alone.

A ``check_`` raises DataError with file and line. The others return notes: counts, by what was seen, of what is accepted
as the official scorer does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from stilts.analysis.scoring.submission_files import TaggedSentence
from stilts.errors import DataError

Notes: TypeAlias = Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The label file and the prediction file of one task in one language."""

    labels: Path
    predictions: Path
    language: str


def check_not_empty(gold: Sequence[object] | Mapping[str, object], labels: Path) -> None:
    """Raises for a label file without labels."""
    if not gold:
        raise DataError(labels, "no labels", why="There is nothing to score against")


def check_same_number(gold: Sequence[object], predicted: Sequence[object], files: Files) -> None:
    """Raises unless every label has one prediction; names the line where one file ends."""
    check_not_empty(gold, files.labels)
    if len(gold) == len(predicted):
        return
    surplus = len(predicted) == len(gold) + 1 and predicted[-1] == ""
    raise DataError(
        files.predictions,
        f"{len(predicted)} predictions",
        line=min(len(gold), len(predicted)) + 1,
        why=f"{files.labels} has {len(gold)} labels, and every example is scored once",
        next_step="Take out the blank line at the end: it counts as a prediction" if surplus else "Predict each once",
    )


def check_same_words(gold: Sequence[TaggedSentence], predicted: Sequence[TaggedSentence], files: Files) -> None:
    """Raises unless both files have the same sentences, word for word.

    The official scorer compares the number of sentences alone, and a dropped word shifts all that follow.
    """
    check_not_empty(gold, files.labels)
    for number, (wanted, found) in enumerate(zip(gold, predicted, strict=False), start=1):
        if len(wanted.tags) != len(found.tags):
            raise DataError(
                files.predictions,
                f"sentence {number} has {len(found.tags)} tags",
                line=found.line + min(len(wanted.tags), len(found.tags)),
                why=f"It has {len(wanted.tags)} words in {files.labels}, line {wanted.line}",
                next_step="Predict one tag for every word, also of long sentences; end each with a blank line",
            )
    if len(gold) != len(predicted):
        longer = max(gold, predicted, key=len)
        file = files.predictions if longer is predicted else files.labels
        raise DataError(
            file,
            f"sentence {min(len(gold), len(predicted)) + 1} is in this file only",
            line=longer[min(len(gold), len(predicted))].line,
            why=f"{files.predictions} has {len(predicted)} sentences and {files.labels} {len(gold)}",
            next_step="Predict every sentence once, in order",
        )


def unknown_labels(predicted: Sequence[str], known: frozenset[str] | set[str], files: Files) -> Notes:
    """A note of the predictions that are no label; raises where none is one."""
    strange = sorted(set(predicted) - known)
    if strange and not set(predicted) & known:
        raise DataError(
            files.predictions,
            f'"{strange[0][:40]}" and all other predictions are none of the labels',
            line=1,
            why=f"Labels are {', '.join(sorted(known))}",
            next_step="Write labels as the label file does",
        )
    number = sum(label not in known for label in predicted)
    return {"predictions are no label and count as wrong": number} if number else {}


def check_numbers(predicted: Sequence[str], path: Path) -> None:
    """Raises for a line that is neither a number nor blank."""
    for number, line in enumerate(predicted, start=1):
        if line and not (line.isascii() and line.isdigit()):
            raise DataError(
                path, f'"{line[:40]}" is no number', line=number, why="A line is the found sentence's number"
            )


def blank_lines(predicted: Sequence[str]) -> Notes:
    """A note of the blank lines."""
    number = sum(not line for line in predicted)
    return {"lines are blank and count as predictions": number} if number else {}


def check_right_answers(gold: Mapping[str, Sequence[str]], labels: Path) -> None:
    """Raises for a query without a right answer."""
    check_not_empty(gold, labels)
    for query, names in gold.items():
        if not names:
            raise DataError(labels, "no right answer", field=query, why="Every query has one")


def missing_queries(wanted: Sequence[str], given: Mapping[str, object], files: Files, what: str) -> Notes:
    """Notes of queries without a prediction, and of predictions for no query; raises where none fit."""
    absent, surplus = sum(query not in given for query in wanted), len(given.keys() - set(wanted))
    if given and surplus == len(given):
        raise DataError(
            files.predictions,
            f"none of its {len(given)} ids is in {files.labels}",
            why="These are predictions of another file",
            next_step="Check language and task",
        )
    counts = {f"questions have no {what} and score 0": absent, "predictions are for ids without a label": surplus}
    return {text: number for text, number in counts.items() if number}
