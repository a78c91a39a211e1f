"""CoNLL's columns as releases have them: comments, other columns, document marks, WikiANN's prefixes, odd words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.field.brought import BIO, brought, counts, refused, split_files, tagged_lines, tagged_words, taken

TAGGED: dict[str, Any] = {"kind": "tagging", "metric": "span_f1", "labels": BIO}
COLUMNS: dict[str, Any] = TAGGED | {"reader": "bio_columns"}
TAGS = ("B-PER", "I-PER", "O", "B-LOC")


def columns(
    sentences: Sequence[str], line: str = "{word} _ _ {tag}", before: str = "", comment: str = "", words: int = 100
) -> str:
    """CoNLL's sentences: a line for each word, ``comment`` before each sentence, ``before`` at the file's beginning."""
    written = []
    for number, sentence in enumerate(sentences):
        tags = [*TAGS, *["O"] * 100]
        lines = [line.format(word=w, tag=t) for w, t in zip(sentence.split()[:words], tags, strict=False)]
        written.append("\n".join([*([comment.format(number=number)] if comment else []), *lines]) + "\n")
    return before + "\n".join(written)


def shown_words(study: Path) -> str:
    return tagged_words(taken(study))


@pytest.mark.parametrize(
    ("comment", "option"),
    [
        ("# id 0000{number}\tdomain=en", "# id"),
        ("# id 0000{number}\tdomain=en", True),
        ("#{number} a b c d e f", "#"),
        ("%% sentence {number}", "%%"),
        ("-- {number}", "--"),
        ("# sent_id = {number}\n# text = the lamp is red\n# newdoc", True),
    ],
)
def test_comments_before_sentences_are_left_out(tmp_path: Path, comment: str, option: object) -> None:
    files = split_files(lambda sentences: columns(sentences, comment=comment))
    study = brought(tmp_path, files, options={"columns": 4, "comments": option}, **COLUMNS)
    assert counts(taken(study)) == {"en": 12, "de": 12}
    assert "#" not in shown_words(study) and "%" not in shown_words(study)


def test_without_the_option_a_comment_is_an_error(tmp_path: Path) -> None:
    files = split_files(lambda sentences: columns(sentences, comment="# id {number} x"))
    refused(brought(tmp_path, files, options={"columns": 4}, **COLUMNS), "train-en, line 1")


def test_a_word_that_begins_as_comments_do_is_a_word(tmp_path: Path) -> None:
    def written(sentences: list[str]) -> str:
        return columns([f"#{text}" for text in sentences], comment="# id {number}")

    study = brought(tmp_path, split_files(written), options={"columns": 4, "comments": "#"}, **COLUMNS)
    assert shown_words(study).startswith("#")


@pytest.mark.parametrize(
    ("line", "options"),
    [
        ("{word} NN B-NP {tag}", {"columns": 4}),
        ("{word}\tNN\tB-NP\t{tag}", {"columns": 4}),
        ("{word}   {tag}", {}),
        ("{tag} {word}", {"word_column": 2, "tag_column": 1}),
        ("1 {word} {tag} _ _", {"columns": 5, "word_column": 2, "tag_column": 3}),
        ("_\t{tag}\t{word}", {"columns": 3, "word_column": 3, "tag_column": 2}),
        ("{word} NN I-NP {tag} ", {"columns": 4}),
    ],
)
def test_words_and_tags_stand_in_the_columns_that_are_named(tmp_path: Path, line: str, options: dict[str, Any]) -> None:
    study = brought(tmp_path, split_files(lambda s: columns(s, line)), options=options, **COLUMNS)
    assert "en/I-PER the/O lamp/B-LOC number/O" in shown_words(study)


def test_marks_of_documents_are_left_out(tmp_path: Path) -> None:
    before = "-DOCSTART- -X- -X- O\n\n"
    study = brought(tmp_path, split_files(lambda s: columns(s, before=before)), options={"columns": 4}, **COLUMNS)
    assert counts(taken(study)) == {"en": 12, "de": 12}


def prefixed(sentences: list[str]) -> str:
    language = "de" if "test de" in sentences[0] else "en"
    return columns(sentences, f"{language}:{{word}}\t{{tag}}")


def test_wikianns_prefixes_are_refused_and_taken_off(tmp_path: Path) -> None:
    study = brought(tmp_path / "as_is", split_files(prefixed), **TAGGED | {"reader": "bio_tsv"})
    refused(study, "train-en", 'begins with "en:"', 'word_prefix: "{lang}:"')
    options = {"word_prefix": "{lang}:"}
    study = brought(tmp_path / "said", split_files(prefixed), options=options, **TAGGED | {"reader": "bio_tsv"})
    assert "en/I-PER the/O lamp/B-LOC" in shown_words(study)


def test_a_prefix_of_a_code_is_taken_off(tmp_path: Path) -> None:
    study = brought(
        tmp_path,
        split_files(prefixed, ("en", "de")),
        languages=("en", "gsw"),
        paths={"test": "test-{code}"},
        codes={"gsw": "de"},
        options={"word_prefix": "{code}:"},
        **TAGGED | {"reader": "bio_tsv"},
    )
    assert counts(taken(study)) == {"en": 12, "gsw": 12}


def test_a_word_without_its_prefix_is_told(tmp_path: Path) -> None:
    files = split_files(prefixed)
    files["test-de"] = str(files["test-de"]).replace("de:number", "number", 1)
    study = brought(tmp_path, files, options={"word_prefix": "{lang}:"}, **TAGGED | {"reader": "bio_tsv"})
    refused(study, "test-de, line 5", '"number" does not begin with "de:"')


@pytest.mark.parametrize("word", ["\u200b", "\u200d", "\ufeff", "\u00ad", "\u2060\u200b", "\u00a0", "\u3000"])
def test_a_word_of_invisible_characters_is_a_word(tmp_path: Path, word: str) -> None:
    """Treebanks and web text have such words, with a tag each: none is lost, and none is an error."""
    files = split_files(tagged_lines)
    files["test-de"] = str(files["test-de"]).replace("number\tO", f"{word}\tO", 1)
    assert counts(taken(brought(tmp_path, files, **TAGGED | {"reader": "bio_tsv"}))) == {"en": 12, "de": 12}


def test_no_word_is_told(tmp_path: Path) -> None:
    files = split_files(tagged_lines)
    files["test-de"] = str(files["test-de"]).replace("number\t", "\t", 1)
    refused(brought(tmp_path, files, **TAGGED | {"reader": "bio_tsv"}), "test-de, line 5", "the word is empty")


@pytest.mark.parametrize("blank", ["\u00a0", "\u3000", "/"])
def test_words_and_tags_parted_by_something_else_are_refused_without_bad_advice(blank: str, tmp_path: Path) -> None:
    files = {name: str(text).replace("\t", blank) for name, text in split_files(tagged_lines).items()}
    study = brought(tmp_path, files, reader="bio_columns", kind="tagging", metric="span_f1", labels=BIO)
    assert "columns: 1" not in refused(study, "line 1", "1 columns", "parted by spaces or tabs")
