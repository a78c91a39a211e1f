"""Readers of texts and sentence pairs with a label: XNLI and PAWS-X, the NLI releases, GLUE."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from stilts.data.readers.reading import Reading
from stilts.data.readers.rows import csv_rows, headed_rows, json_rows, tab_rows
from stilts.data.readers.texts import filled, not_blank
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
        for line, row in reading.spoken(json_rows(path), path):
            row_number += 1
            gold = row.get("gold_label")
            if gold == "-":
                reading.skipped["no gold label"] += 1
                continue
            yield ClassificationExample(
                item=str(row_number),
                text=filled(row, "sentence1", path, line),
                text_pair=filled(row, "sentence2", path, line),
                label=reading.label_in(row, "gold_label", path, line),
            )


def read_anli_jsonl(reading: Reading) -> Iterator[ClassificationExample]:
    """ANLI's lines, its rounds in the order of the files; the option ``label_map`` spells e, n and c out."""
    for path in reading.paths:
        for line, row in json_rows(path):
            yield ClassificationExample(
                item=filled(row, "uid", path, line),
                text=filled(row, "context", path, line),
                text_pair=filled(row, "hypothesis", path, line),
                label=reading.label_in(row, "label", path, line),
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
            raw = row.get(names[2])
            if raw == "-":
                reading.skipped["no gold label"] += 1
                continue
            yield ClassificationExample(
                item=item,
                text=filled(row, names[0], path, line),
                text_pair=filled(row, names[1], path, line),
                label=reading.label_in(row, names[2], path, line),
            )


def read_pair_jsonl(reading: Reading) -> Iterator[ClassificationExample]:
    """A JSON object per line with one text or two and a label; the item is the row number from 0.

    Options ``text``, ``text_pair`` ("" where there is one text only) and ``label`` name the fields. A label may be a
    whole number, or true or false, which ``label_map`` calls "True" and "False".
    """
    names = {key: str(reading.options.get(key, key)) for key in ("text", "text_pair", "label")}
    number = -1
    for path in reading.paths:
        for line, row in reading.spoken(json_rows(path), path):
            number += 1
            yield _named(reading, row, names, str(number), path, line)


def read_nli_csv(reading: Reading) -> Iterator[ClassificationExample]:
    """CSV with a header, by default premise, hypothesis and label; the item is the record's number from 0.

    Options as for ``read_pair_jsonl``.
    """
    defaults = {"text": "premise", "text_pair": "hypothesis", "label": "label"}
    names = {key: str(reading.options.get(key, default)) for key, default in defaults.items()}
    record = -1
    for path in reading.paths:
        for line, row in reading.spoken(csv_rows(path), path):
            record += 1
            yield _named(reading, row, names, str(record), path, line)


def read_glue_tsv(reading: Reading) -> Iterator[ClassificationExample]:
    """GLUE's TSV with a header and without quoting; XNLI's own, with all its languages in one file.

    Options name the columns: ``text``, ``text_pair`` ("" where there is one text only), ``label`` and ``item``
    (default: QQP's). Without a column for the item (``item`` is "") it is the row number from 0, within its language
    where ``language_column`` parts them: XNLI's rows stand in one order in all its languages. A gold label "-" (no
    majority) leaves the row out.
    """
    defaults = {"text": "question1", "text_pair": "question2", "label": "is_duplicate", "item": "id"}
    names = {key: str(reading.options.get(key, default)) for key, default in defaults.items()}
    for path in reading.paths:
        for number, (line, row) in enumerate(reading.spoken(headed_rows(path), path)):
            if row.get(names["label"]) == "-" and "-" not in (reading.labels or ()):
                reading.skipped["no gold label"] += 1
                continue
            item = filled(row, names["item"], path, line) if names["item"] else str(number)
            yield _named(reading, row, names, item, path, line)


def _named(
    reading: Reading, row: Mapping[str, object], names: Mapping[str, str], item: str, path: Path, line: int
) -> ClassificationExample:
    """The example of a row whose fields the options name."""
    reading.check_fields(row, names, path, line)
    return ClassificationExample(
        item=item,
        text=filled(row, names["text"], path, line),
        text_pair=filled(row, names["text_pair"], path, line) if names["text_pair"] else None,
        label=reading.label_in(row, names["label"], path, line),
    )
