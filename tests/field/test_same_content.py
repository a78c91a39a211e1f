"""One language's data under another's name: nothing is scored as what it is not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.field.brought import (
    BIO,
    brought,
    counts,
    json_lines,
    pair_lines,
    question_records,
    refused,
    split_files,
    squad_document,
    tagged_lines,
    taken,
    texts,
)

WHY = "One language would be scored on the other's examples"


@pytest.mark.parametrize("empty", ["", "{lang}/"])
def test_the_same_bytes_under_two_names_are_refused(tmp_path: Path, empty: str) -> None:
    files = split_files(pair_lines, ("en", "de", "fr"))
    files |= {f"{code}/test-{code}": files[f"test-{code}"] for code in ("en", "de", "fr")}
    files["test-fr"] = files["fr/test-fr"] = files["test-de"]
    study = brought(tmp_path, files, languages=("en", "de", "fr"), paths={"test": f"{empty}test-{{lang}}"})
    refused(study, "de and fr have the same content", WHY)


def test_a_link_to_another_language_is_refused(tmp_path: Path) -> None:
    study = brought(tmp_path, split_files(pair_lines))
    (tmp_path / "test-de").unlink()
    (tmp_path / "test-de").symlink_to("test-en")
    refused(study, "en and de have the same content", WHY)


def test_one_code_for_two_languages_is_refused(tmp_path: Path) -> None:
    """``codes`` may lead two languages to one file."""
    study = brought(tmp_path, split_files(pair_lines), paths={"test": "test-{code}"}, codes={"en": "en", "de": "en"})
    refused(study, "en and de have the same content", WHY)


CHANGED: dict[str, Callable[[str], str | bytes]] = {
    "newline": lambda text: text.removesuffix("\n"),
    "line_ends": lambda text: text.replace("\n", "\r\n"),
    "mark": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "order": lambda text: "".join(reversed(text.splitlines(keepends=True))),
}


@pytest.mark.parametrize("change", CHANGED)
def test_the_same_examples_in_other_bytes_are_refused(tmp_path: Path, change: str) -> None:
    files = split_files(pair_lines)
    files["test-de"] = CHANGED[change](pair_lines(texts("test", "en")))
    refused(brought(tmp_path, files), "its examples are the very same as those in en", WHY)


def test_the_same_questions_in_another_layout_are_refused(tmp_path: Path) -> None:
    files = split_files(lambda sentences: squad_document(question_records(sentences)))
    files["test-de"] = squad_document(question_records(texts("test", "en"))).replace(": ", ":")
    study = brought(tmp_path, files, reader="squad_json", kind="span_qa", metric="squad", labels=[])
    refused(study, "the very same", WHY)


def test_the_same_sentences_with_other_tags_are_refused(tmp_path: Path) -> None:
    files = split_files(tagged_lines)
    files["test-de"] = tagged_lines(texts("test", "en"), ("O", "O"))
    study = brought(tmp_path, files, reader="bio_tsv", kind="tagging", metric="span_f1", labels=BIO)
    refused(study, "the very same", WHY)


def test_labels_alone_are_no_examples(tmp_path: Path) -> None:
    """Translations have equal labels, and some sentences in common."""
    files = split_files(json_lines)
    files["test-de"] = json_lines([*texts("test", "en")[:3], *texts("test", "de")[3:]])
    assert counts(taken(brought(tmp_path, files, reader="pair_jsonl"))) == {"en": 12, "de": 12}


def test_a_shared_file_is_no_same_content(tmp_path: Path) -> None:
    """Where a column tells the languages, every language has the same file."""
    head = "language\ttext\ttext_pair\tlabel\n"
    row = "{}\t{}\ta thing is red\tneutral\n"
    rows = [row.format(code, text) for code in ("en", "de") for text in texts("test", code)]
    train = [row.format("en", text) for text in texts("train", "en")]
    options = {"text": "text", "text_pair": "text_pair", "label": "label", "item": "", "language_column": "language"}
    study = brought(
        tmp_path,
        {"train": head + "".join(train), "test": head + "".join(rows)},
        reader="glue_tsv",
        paths={"train": "train", "test": "test"},
        options=options,
    )
    assert counts(taken(study)) == {"en": 12, "de": 12}


def test_train_that_holds_test_is_refused(tmp_path: Path) -> None:
    files = split_files(pair_lines)
    files["train-en"] = pair_lines([*texts("train", "en"), texts("test", "de")[4]])
    refused(brought(tmp_path, files), "they share 1 by content", "test de the shoe number 4")
