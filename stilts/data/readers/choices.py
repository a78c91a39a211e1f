"""Readers of multiple choice: HellaSwag, Cosmos QA, CommonsenseQA, COPA and XCOPA."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from stilts.data.readers.reading import Reading, csv_rows, filled, json_rows, not_blank
from stilts.errors import DataError
from stilts.tasks.examples import ChoiceExample

# What COPA asks of a premise, by its field "question".
COPA_QUESTIONS: Mapping[str, str] = {"cause": "What was the cause?", "effect": "What was the effect?"}


def read_hellaswag_jsonl(reading: Reading) -> Iterator[ChoiceExample]:
    """HellaSwag's lines: a context and its possible endings, no question. The item is the row number from 0."""
    number = -1
    for path in reading.paths:
        for line, row in json_rows(path):
            number += 1
            endings = _texts(row.get("endings"), path, line, "endings")
            yield ChoiceExample(
                item=str(number),
                context=filled(row, "ctx", path, line),
                question="",
                choices=endings,
                label=choice_index(row.get("label"), len(endings), path, line, "label"),
            )


def read_cosmos_csv(reading: Reading) -> Iterator[ChoiceExample]:
    """Cosmos QA's CSV: context, question, answer0 to answer3, label."""
    for path in reading.paths:
        for line, row in csv_rows(path):
            names = sorted(name for name in row if name.startswith("answer"))
            choices = _texts([row[name] for name in names], path, line, "answer0")
            yield ChoiceExample(
                item=filled(row, "id", path, line),
                context=filled(row, "context", path, line),
                question=filled(row, "question", path, line),
                choices=choices,
                label=choice_index(row.get("label"), len(choices), path, line, "label"),
            )


def read_csqa_jsonl(reading: Reading) -> Iterator[ChoiceExample]:
    """CommonsenseQA's lines: a question with lettered choices, no context. A line without answerKey is unlabelled."""
    for path in reading.paths:
        for line, row in json_rows(path):
            choices = row.get("choices")
            if not isinstance(choices, dict):
                raise DataError(path, "no choices", line=line, field="choices")
            letters = _texts(choices.get("label"), path, line, "choices.label")
            texts = _texts(choices.get("text"), path, line, "choices.text")
            key = row.get("answerKey") or None
            if key is not None and key not in letters:
                raise DataError(path, f'"{key}" is none of {", ".join(letters)}', line=line, field="answerKey")
            yield ChoiceExample(
                item=filled(row, "id", path, line),
                context="",
                question=filled(row, "question", path, line),
                choices=texts,
                label=None if key is None else letters.index(str(key)),
            )


def read_copa_jsonl(reading: Reading) -> Iterator[ChoiceExample]:
    """COPA's and XCOPA's lines: a premise, two causes or effects of it. The item is ``idx``, shared by translations."""
    for path in reading.paths:
        for line, row in json_rows(path):
            asked = filled(row, "question", path, line)
            if asked not in COPA_QUESTIONS:
                raise DataError(path, f'"{asked}" is neither cause nor effect', line=line, field="question")
            index = row.get("idx")
            if not isinstance(index, int):
                raise DataError(path, "no row number", line=line, field="idx")
            yield ChoiceExample(
                item=str(index),
                context=filled(row, "premise", path, line),
                question=COPA_QUESTIONS[asked],
                choices=(filled(row, "choice1", path, line), filled(row, "choice2", path, line)),
                label=choice_index(row.get("label"), 2, path, line, "label"),
            )


def choice_index(raw: object, num_choices: int, path: object, line: int | None, at: str) -> int | None:
    """The index of the right choice, None where the release gives none (missing, empty or -1); raises for any other."""
    if raw is None or raw == "" or str(raw) == "-1":
        return None
    text = str(raw)
    if isinstance(raw, bool) or not text.isdecimal() or int(text) >= num_choices:
        raise DataError(path, f'"{text}" is no choice', line=line, field=at, why=f"There are {num_choices}, from 0")
    return int(text)


def _texts(values: object, path: Path, line: int, at: str) -> tuple[str, ...]:
    if not isinstance(values, Sequence) or isinstance(values, str) or len(values) < 2:
        raise DataError(path, "not a list of at least two texts", line=line, field=at)
    if not all(isinstance(value, str) for value in values):
        raise DataError(path, "something in the list is no text", line=line, field=at)
    return tuple(not_blank(str(value), path, line, at) for value in values)
