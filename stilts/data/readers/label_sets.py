"""Readers of texts with any number of labels: MultiEURLEX."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from stilts.data.readers.reading import Reading
from stilts.data.readers.rows import json_rows
from stilts.data.readers.texts import filled
from stilts.errors import DataError
from stilts.tasks.kinds.multi_label import MultiLabelExample


def read_multi_label_jsonl(reading: Reading) -> Iterator[MultiLabelExample]:
    """A JSON object per line: a text, a list of labels; a label that is named twice counts once.

    Options ``text``, ``labels`` and ``item`` name the fields; ``a.b`` reaches into a nested object. The text may be a
    mapping from languages to texts, as in MultiEURLEX: a row without one in the language asked for is counted as left
    out. Without a field for the item it is the row number from 0.
    """
    names = {key: str(reading.options.get(key, key)) for key in ("text", "labels")}
    item = str(reading.options.get("item", ""))
    number = -1
    for path in reading.paths:
        for line, row in json_rows(path):
            number += 1
            fields = {at: _reach(row, at, path, line) for at in (*names.values(), *([item] if item else []))}
            text = fields[names["text"]]
            if isinstance(text, Mapping):
                if text.get(reading.language) is None:
                    reading.skipped[f"no text in {reading.language}"] += 1
                    continue
                fields[names["text"]] = text[reading.language]
            yield MultiLabelExample(
                item=filled(fields, item, path, line) if item else str(number),
                text=filled(fields, names["text"], path, line),
                labels=_labels(reading, fields[names["labels"]], path, line, names["labels"]),
            )


def _labels(reading: Reading, value: object, path: Path, line: int, at: str) -> tuple[str, ...]:
    if reading.unlabelled:
        return ()
    if not isinstance(value, list) or not all(isinstance(label, str | int) for label in value):
        raise DataError(path, "not a list of labels", line=line, field=at, why="An empty list says that none applies")
    return tuple(dict.fromkeys(reading.label(label, path, line=line, at=at) for label in value))


def _reach(row: Mapping[str, object], at: str, path: Path, line: int) -> object:
    value: object = row
    for part in at.split("."):
        if not isinstance(value, Mapping) or part not in value:
            raise DataError(
                path, "the field is missing", line=line, field=at, why=f"Found {', '.join(row) or 'nothing'}"
            )
        value = value[part]
    return value
