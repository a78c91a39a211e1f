"""Options of readers, misspelt, of another type, of another reader: told by name, with what there is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.field.brought import (
    BIO,
    brought,
    counts,
    pair_lines,
    question_records,
    refused,
    split_files,
    squad_document,
    tagged_lines,
    taken,
)

TAGGED: dict[str, Any] = {"reader": "bio_columns", "kind": "tagging", "metric": "span_f1", "labels": BIO}
ASKED: dict[str, Any] = {"reader": "squad_json", "kind": "span_qa", "metric": "squad", "labels": []}


def with_options(folder: Path, options: dict[str, Any], **declared: Any) -> Path:
    return brought(folder, split_files(pair_lines), options=options, **declared)


@pytest.mark.parametrize(
    ("options", "named", "meant"),
    [
        ({"colums": 2}, "colums", 'Did you mean "columns"?'),
        ({"columns": 2, "Scheme": "IOB1"}, "Scheme", 'Did you mean "scheme"?'),
        ({"comment": "#"}, "comment", 'Did you mean "comments"?'),
        ({"tag-column": 2}, "tag-column", 'Did you mean "tag_column"?'),
        ({"wordcolumn": 1}, "wordcolumn", 'Did you mean "word_column"?'),
        ({"labels_map": {"PER": "B-PER"}}, "labels_map", 'Did you mean "label_map"?'),
        ({"unlabeled": ["test"]}, "unlabeled", 'Did you mean "unlabelled"?'),
        ({"": 1}, "", "It has: columns"),
        ({"delimiter": " "}, "delimiter", "It has: columns"),
        ({"language_column": "lang"}, "language_column", "It has: columns"),
    ],
)
def test_an_unknown_option_is_named_beside_what_there_is(
    tmp_path: Path, options: dict[str, Any], named: str, meant: str
) -> None:
    study = with_options(tmp_path, options, **TAGGED)
    refused(study, 'reader "bio_columns"', f'option "{named}"', meant, "word_column (a whole number, from 1)")


def test_an_option_of_another_reader_is_unknown(tmp_path: Path) -> None:
    refused(with_options(tmp_path, {"ids": "per_language"}), 'reader "pair_tsv", option "ids"', "drop (text)")
    refused(with_options(tmp_path, {"drop": "NS"}, **ASKED), 'reader "squad_json", option "drop"', "ids (one of")
    study = with_options(tmp_path, {"columns": 2}, **TAGGED | {"reader": "bio_tsv"})
    refused(study, 'reader "bio_tsv", option "columns"')


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"columns": "two"}, '"two" (str) is not a whole number, from 1'),
        ({"columns": "2"}, '"2" (str) is not a whole number, from 1'),
        ({"columns": 2.0}, "2.0 (float) is not"),
        ({"columns": 0}, "0 (int) is not"),
        ({"columns": -1}, "-1 (int) is not"),
        ({"columns": True}, "True (bool) is not"),
        ({"columns": None}, "None (NoneType) is not"),
        ({"columns": [2]}, "[2] (list) is not"),
        ({"comments": 1}, "1 (int) is not text, or true"),
        ({"comments": ["#"]}, "is not text, or true"),
        ({"comments": ""}, "is not text, or true"),
        ({"word_prefix": True}, "True (bool) is not text"),
        ({"scheme": "IOB3"}, "is not one of IOB1, IOB2"),
        ({"scheme": ["IOB1"]}, "is not one of IOB1, IOB2"),
        ({"label_map": ["PER"]}, "is not a mapping from text to text"),
        ({"label_map": {"PER": ["B-PER"]}}, "is not a mapping from text to text"),
        ({"label_map": {"PER": None}}, "is not a mapping from text to text"),
        ({"unlabelled": "test"}, "is not a list of texts"),
        ({"unlabelled": True}, "is not a list of texts"),
        ({"unlabelled": [1]}, "is not a list of texts"),
        ({"unseen": ["O"]}, "is not text"),
        ({"exclude_by": "text"}, "is not one of paragraph"),
    ],
)
def test_an_option_of_another_type_is_told_with_its_type(tmp_path: Path, options: dict[str, Any], said: str) -> None:
    study = with_options(tmp_path, options, **TAGGED)
    refused(study, "datasets.mine", 'reader "bio_columns"', f'option "{next(iter(options))}"', said)


@pytest.mark.parametrize("option", ["word_column", "tag_column"])
def test_a_column_that_is_not_there_is_told(tmp_path: Path, option: str) -> None:
    study = brought(tmp_path, split_files(tagged_lines), options={"columns": 2, option: 3}, **TAGGED)
    refused(study, option, "3", "2")


@pytest.mark.parametrize(("options", "said"), [({"unlabelled": ["tset"]}, "tset"), ({"unseen": "other"}, "other")])
def test_an_option_that_names_what_there_is_not_is_told(tmp_path: Path, options: dict[str, Any], said: str) -> None:
    refused(with_options(tmp_path, options), next(iter(options)), f'"{said}"')


@pytest.mark.parametrize(
    ("ids", "named"), [("per-language", "per_language"), (True, "per_language"), ("global", "per_language")]
)
def test_a_choice_is_one_of_those_listed(tmp_path: Path, ids: object, named: str) -> None:
    refused(with_options(tmp_path, {"ids": ids}, **ASKED), 'option "ids"', "one of", named)


@pytest.mark.parametrize("ids", ["per_language", "PER_LANGUAGE"])
def test_a_choice_is_read_in_any_case_of_letters(tmp_path: Path, ids: str) -> None:
    """The same ids in two languages are two questions; read as said, none is lost."""
    files = split_files(lambda sentences: squad_document(question_records(sentences)))
    study = brought(tmp_path, files, options={"ids": ids}, **ASKED)
    assert counts(taken(study)) == {"en": 12, "de": 12}


def test_a_reader_that_there_is_not_is_told_with_all(tmp_path: Path) -> None:
    refused(with_options(tmp_path, {}, reader="tsv"), "datasets.mine.files.reader", 'no reader "tsv"', "pair_tsv")


def test_a_reader_of_another_kind_is_told(tmp_path: Path) -> None:
    refused(
        with_options(tmp_path, {}, reader="bio_tsv"), "tasks.mine.train", "makes tagging examples", "classification"
    )


def test_a_field_beside_the_options_is_told(tmp_path: Path) -> None:
    study = with_options(tmp_path, {})
    tasks = tmp_path / "tasks.yaml"
    tasks.write_text(tasks.read_text().replace('"options": {}', '"option": {"drop": "NS"}'))
    refused(study, "datasets.mine.files.option", "Allowed: reader, splits, options, codes, root")
