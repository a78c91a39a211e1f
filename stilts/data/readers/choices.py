"""Readers of multiple choice: a general one by named fields, HellaSwag, Cosmos QA, CommonsenseQA, COPA and XCOPA."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from stilts.data.readers.reading import Reading
from stilts.data.readers.rows import csv_rows, json_rows, numbered_lines
from stilts.data.readers.texts import filled, not_blank
from stilts.errors import DataError
from stilts.tasks.kinds.multiple_choice import ChoiceExample, choice_index, filled_blank

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
                label=_index(reading, row.get("label"), len(endings), path, line, "label"),
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
                label=_index(reading, row.get("label"), len(choices), path, line, "label"),
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
            if len(texts) != len(letters):
                raise DataError(path, f"{len(letters)} letters for {len(texts)} choices", line=line, field="choices")
            key = None if reading.unlabelled else row.get("answerKey") or None
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
            if not isinstance(index, int) or isinstance(index, bool):
                raise DataError(path, "no row number", line=line, field="idx")
            yield ChoiceExample(
                item=str(index),
                context=filled(row, "premise", path, line),
                question=COPA_QUESTIONS[asked],
                choices=(filled(row, "choice1", path, line), filled(row, "choice2", path, line)),
                label=_index(reading, row.get("label"), 2, path, line, "label"),
            )


def read_choice_jsonl(reading: Reading) -> Iterator[ChoiceExample]:
    """A JSON object per line, its fields named by options (Social IQA, PIQA, WinoGrande, MedMCQA).

    ``choices`` names their fields, separated by commas, or one field with a list; ``context``, ``question``,
    ``item`` and ``label`` name theirs where there are such (the item is else the row number from 0). ``first_choice``
    is the number of the first choice (0). ``blank``: the context holds this mark, which the choices fill (see
    ``filled_blank``). A second file, where one is given, holds the labels, one per line.
    """
    if len(reading.paths) not in (1, 2):
        raise DataError("choice_jsonl", f"{len(reading.paths)} files", why="One with questions, one with labels")
    rows = list(reading.spoken(json_rows(reading.paths[0]), reading.paths[0]))
    if len(reading.paths) == 1:
        yield from (_named_choice(reading, reading.paths[0], line, i, row) for i, (line, row) in enumerate(rows))
        return
    path = reading.paths[1]
    labels = [(line, text.strip()) for line, text in numbered_lines(path)]
    if len(labels) != len(rows):
        raise DataError(
            path,
            f"{len(labels)} lines, but {reading.paths[0].name} has {len(rows)}",
            line=min(len(labels), len(rows)) + 1,
            why="Line n labels question n",
            next_step="Copy both files again",
        )
    for i, ((line, row), (label_line, label)) in enumerate(zip(rows, labels, strict=True)):
        example = _named_choice(reading, reading.paths[0], line, i, row)
        first = _first_choice(reading)
        index = _index(reading, label, len(example.choices), path, label_line, "label", first)
        yield replace(example, label=index)


def read_choice_csv(reading: Reading) -> Iterator[ChoiceExample]:
    """A CSV with a header, its columns named by the options of ``read_choice_jsonl`` (CaseHOLD)."""
    number = -1
    for path in reading.paths:
        for line, row in reading.spoken(csv_rows(path), path):
            number += 1
            yield _named_choice(reading, path, line, number, row)


def _named_choice(reading: Reading, path: Path, line: int, number: int, row: Mapping[str, object]) -> ChoiceExample:
    names = {key: str(value) for key, value in reading.options.items() if value}
    fields = [name.strip() for name in names.get("choices", "choices").split(",")]
    if len(fields) == 1:
        choices = _texts(row.get(fields[0]), path, line, fields[0])
    else:
        choices = tuple(filled(row, name, path, line) for name in fields)
    label_field = names.get("label", "")
    first = _first_choice(reading)
    raw = row.get(label_field) if label_field else None
    label = _index(reading, raw, len(choices), path, line, label_field, first)
    context = filled(row, names["context"], path, line) if "context" in names else ""
    if "blank" in names:
        parted = filled_blank(context, choices, names["blank"])
        if parted is None:
            raise DataError(path, f'no blank "{names["blank"]}"', line=line, field=names["context"])
        context, choices = parted
    return ChoiceExample(
        item=_item(row, names["item"], path, line) if "item" in names else str(number),
        context=context,
        question=filled(row, names["question"], path, line) if "question" in names else "",
        choices=choices,
        label=label,
    )


def _item(row: Mapping[str, object], key: str, path: Path, line: int) -> str:
    value = row.get(key)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else filled(row, key, path, line)


def _index(
    reading: Reading, raw: object, num_choices: int, path: Path, line: int, at: str, first: int = 0
) -> int | None:
    """The index of the right choice; None where labels are kept back, whatever stands there."""
    return None if reading.unlabelled else choice_index(raw, num_choices, path, line, at, first)


def _first_choice(reading: Reading) -> int:
    return int(str(reading.options.get("first_choice", 0)))


def _texts(values: object, path: Path, line: int, at: str) -> tuple[str, ...]:
    if not isinstance(values, Sequence) or isinstance(values, str) or len(values) < 2:
        raise DataError(path, "not a list of at least two texts", line=line, field=at)
    if not all(isinstance(value, str) for value in values):
        raise DataError(path, "something in the list is no text", line=line, field=at)
    return tuple(not_blank(str(value), path, line, at) for value in values)
