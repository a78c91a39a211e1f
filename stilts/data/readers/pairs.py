"""Readers of texts and sentence pairs with a label: XNLI and PAWS-X, the NLI releases, GLUE."""

from __future__ import annotations

from collections.abc import Iterator

from stilts.data.readers.reading import Reading, csv_rows, filled, headed_rows, json_rows, not_blank, tab_rows
from stilts.errors import DataError
from stilts.tasks.kinds.classification import ClassificationExample


def read_pair_tsv(reading: Reading) -> Iterator[ClassificationExample]:
    """XTREME's preprocessed pairs: text TAB text TAB label, no header.

    The item is the row number from 0, so translations of one row share it. Option ``drop``: a row with a sentence
    that is exactly this text has no translation (PAWS-X writes ``NS``) and is left out, as XTREME does.
    """
    drop = reading.options.get("drop")
    for path in reading.paths:
        for line, (text, pair, label) in tab_rows(path, 3):
            if drop is not None and drop in (text, pair):
                reading.skipped[f"a sentence is {drop}"] += 1
                continue
            yield ClassificationExample(
                item=str(line - 1),
                text=not_blank(text, path, line, "first text"),
                text_pair=not_blank(pair, path, line, "second text"),
                label=reading.label(label, path, line=line),
            )


def read_text_tsv(reading: Reading) -> Iterator[ClassificationExample]:
    """Single texts: text TAB label, no header. The item is the row number from 0, which translations share."""
    for path in reading.paths:
        for line, (text, label) in tab_rows(path, 2):
            yield ClassificationExample(
                item=str(line - 1),
                text=not_blank(text, path, line, "text"),
                label=reading.label(label, path, line=line),
            )


def read_nli_jsonl(reading: Reading) -> Iterator[ClassificationExample]:
    """SNLI's and MultiNLI's lines; the item is the row number from 0.

    ``gold_label`` "-" means that the annotators found no majority; such rows are left out, as in both papers.
    """
    row_number = -1
    for path in reading.paths:
        for line, row in json_rows(path):
            row_number += 1
            gold = filled(row, "gold_label", path, line)
            if gold == "-":
                reading.skipped["no gold label"] += 1
                continue
            yield ClassificationExample(
                item=str(row_number),
                text=filled(row, "sentence1", path, line),
                text_pair=filled(row, "sentence2", path, line),
                label=reading.label(gold, path, line=line, at="gold_label"),
            )


def read_anli_jsonl(reading: Reading) -> Iterator[ClassificationExample]:
    """ANLI's lines, its rounds in the order of the files; the option ``label_map`` spells e, n and c out."""
    for path in reading.paths:
        for line, row in json_rows(path):
            yield ClassificationExample(
                item=filled(row, "uid", path, line),
                text=filled(row, "context", path, line),
                text_pair=filled(row, "hypothesis", path, line),
                label=reading.label(filled(row, "label", path, line), path, line=line),
            )


def read_nli_releases_jsonl(reading: Reading) -> Iterator[ClassificationExample]:
    """Lines of SNLI, MultiNLI and ANLI, whichever each file holds, as one split (ANLI+).

    The item is ``<file>/<row number from 0>`` for the first two, and ANLI's ``uid``.
    """
    for path in reading.paths:
        for line, row in json_rows(path):
            if "uid" in row:
                item, names = filled(row, "uid", path, line), ("context", "hypothesis", "label")
            else:
                item, names = f"{path.stem}/{line - 1}", ("sentence1", "sentence2", "gold_label")
            raw = filled(row, names[2], path, line)
            if raw == "-":
                reading.skipped["no gold label"] += 1
                continue
            yield ClassificationExample(
                item=item,
                text=filled(row, names[0], path, line),
                text_pair=filled(row, names[1], path, line),
                label=reading.label(raw, path, line=line, at=names[2]),
            )


def read_pair_jsonl(reading: Reading) -> Iterator[ClassificationExample]:
    """A JSON object per line with two texts and a label; the item is the row number from 0.

    Options ``text``, ``text_pair`` and ``label`` name the fields. A label may be true or false; ``label_map``
    calls these "True" and "False".
    """
    names = {key: str(reading.options.get(key, key)) for key in ("text", "text_pair", "label")}
    number = -1
    for path in reading.paths:
        for line, row in json_rows(path):
            number += 1
            if not isinstance(row.get(names["label"]), str | bool | int):
                raise DataError(path, "no label", line=line, field=names["label"])
            yield ClassificationExample(
                item=str(number),
                text=filled(row, names["text"], path, line),
                text_pair=filled(row, names["text_pair"], path, line),
                label=reading.label(row[names["label"]], path, line=line, at=names["label"]),
            )


def read_nli_csv(reading: Reading) -> Iterator[ClassificationExample]:
    """CSV with the columns premise, hypothesis and label; the item is the record's number from 0."""
    record = -1
    for path in reading.paths:
        for line, row in csv_rows(path):
            record += 1
            yield ClassificationExample(
                item=str(record),
                text=filled(row, "premise", path, line),
                text_pair=filled(row, "hypothesis", path, line),
                label=reading.label(filled(row, "label", path, line), path, line=line),
            )


def read_glue_tsv(reading: Reading) -> Iterator[ClassificationExample]:
    """GLUE's TSV with a header and without quoting.

    Options name the columns: ``text``, ``text_pair``, ``label`` and ``item`` (default: QQP's). Without a column for the
    item (``item`` is "") it is the row number from 0.
    """
    defaults = {"text": "question1", "text_pair": "question2", "label": "is_duplicate", "item": "id"}
    names = {key: str(reading.options.get(key, default)) for key, default in defaults.items()}
    for path in reading.paths:
        for line, row in headed_rows(path):
            yield ClassificationExample(
                item=filled(row, names["item"], path, line) if names["item"] else str(line - 2),
                text=filled(row, names["text"], path, line),
                text_pair=filled(row, names["text_pair"], path, line),
                label=reading.label(filled(row, names["label"], path, line), path, line=line, at=names["label"]),
            )
