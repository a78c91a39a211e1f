"""Releases in their own layout: the hub's tagged lines, hidden treebanks, one file for all languages."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.field.brought import BIO, NLI, brought, counts, decoded, refused, split_files, tagged_words, taken, texts

TAGGED: dict[str, Any] = {"kind": "tagging", "metric": "span_f1", "labels": BIO, "reader": "tagged_jsonl"}
TAGS = ("B-PER", "I-PER", "O", "B-LOC")


def tagged_json(names: Sequence[object], tags: Sequence[str], fields: tuple[str, str] = ("tokens", "ner_tags")) -> Any:
    """Sentences as the hub's tools write them, each tag as its place among the labels, or as ``names`` has it."""

    def written(sentences: list[str]) -> str:
        rows = []
        for number, sentence in enumerate(sentences):
            words = sentence.split()
            whole = [*tags, *["O"] * len(words)][: len(words)]
            rows.append({"id": str(number), fields[0]: words, fields[1]: [names[BIO.index(tag)] for tag in whole]})
        return "".join(json.dumps(row) + "\n" for row in rows)

    return written


NUMBERED = {str(number): tag for number, tag in enumerate(BIO)}


@pytest.mark.parametrize(
    ("names", "mapping"),
    [
        (range(5), NUMBERED),
        ([0.0, 1.0, 2.0, 3.0, 4.0], NUMBERED),
        (BIO, {}),
        (["o", "b-per", "i-per", "b-loc", "i-loc"], {tag.lower(): tag for tag in BIO}),
    ],
)
def test_tagged_json_lines_are_read(tmp_path: Path, names: Sequence[object], mapping: dict[str, str]) -> None:
    options = {"label_map": mapping} if mapping else {}
    study = brought(tmp_path, split_files(tagged_json(names, TAGS)), options=options, **TAGGED)
    assert "en/I-PER the/O lamp/B-LOC number/O" in tagged_words(taken(study))


def test_tagged_json_lines_by_other_fields(tmp_path: Path) -> None:
    files = split_files(tagged_json(BIO, TAGS, ("words", "labels")))
    options = {"words": "words", "tags": "labels", "item": "id"}
    study = brought(tmp_path, files, options=options, **TAGGED)
    assert counts(taken(study)) == {"en": 12, "de": 12}


@pytest.mark.parametrize(
    ("scheme", "tags"),
    [
        ("BIOES", ["B-PER", "E-PER", "O", "S-LOC"]),
        ("BILOU", ["B-PER", "L-PER", "O", "U-LOC"]),
        ("IOB1", ["I-PER", "I-PER", "O", "I-LOC"]),
        ("IOE2", ["I-PER", "E-PER", "O", "E-LOC"]),
    ],
)
def test_tagged_json_lines_in_another_scheme_are_rewritten(tmp_path: Path, scheme: str, tags: list[str]) -> None:
    def written(sentences: list[str]) -> str:
        rows = [(words, [*tags, *["O"] * (len(words) - 4)]) for words in map(str.split, sentences)]
        return "".join(json.dumps({"tokens": words, "ner_tags": given}) + "\n" for words, given in rows)

    study = brought(tmp_path, split_files(written), options={"scheme": scheme}, **TAGGED)
    assert "en/I-PER the/O lamp/B-LOC number/O" in tagged_words(taken(study))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[1, 2, 0, 3, 0, 0, 0, 0]", "[1, 2, 0]", "3 tags for 8 words"),
        ("[1, 2, 0, 3, 0, 0, 0, 0]", "[1, 2, 0, 3, 0, 0, 0, null]", "None (NoneType)"),
        ("[1, 2, 0, 3, 0, 0, 0, 0]", "[1, 2, 0, 3, 0, 0, 0, 9]", 'label "9"'),
        ("[1, 2, 0, 3, 0, 0, 0, 0]", "[[1], 2, 0, 3, 0, 0, 0, 0]", "[1] (list)"),
        ("[1, 2, 0, 3, 0, 0, 0, 0]", "1", "ner_tags"),
        ('"number"', "7", "a int where a word belongs"),
        ('"tokens"', '"text"', "tokens"),
    ],
)
def test_what_a_tagged_line_lacks_is_told(tmp_path: Path, old: str, new: str, said: str) -> None:
    files = split_files(tagged_json(range(5), TAGS))
    files["test-de"] = str(files["test-de"]).replace(old, new)
    assert new in str(files["test-de"])
    study = brought(tmp_path, files, options={"label_map": NUMBERED}, **TAGGED)
    refused(study, "test-de, line 1", said)


def treebank(sentences: list[str]) -> str:
    blocks = []
    for number, sentence in enumerate(sentences):
        words = sentence.split()
        rows = [f"{i}\t{word}\t_\tNOUN\t_\t_\t0\troot\t_\t_\n" for i, word in enumerate(words, 1)]
        blocks.append(f"# sent_id = {number}\n" + "".join(rows))
    return "\n".join(blocks) + "\n"


TREES: dict[str, Any] = {"reader": "conllu", "kind": "tagging", "metric": "accuracy", "labels": ["NOUN", "VERB"]}


@pytest.mark.parametrize("first", [0, 1, 11])
def test_a_treebank_without_its_text_is_refused(tmp_path: Path, first: int) -> None:
    """Also where only part of it is hidden, from a sentence on."""
    files = split_files(treebank)
    shown, hidden = texts("test", "de")[:first], ["_ _ _"] * (12 - first)
    files["test-de"] = treebank([*shown, *hidden])
    refused(brought(tmp_path, files, **TREES), f"test-de, line {10 * first + 1}", "the text is hidden in this release")


def test_an_underscore_may_be_a_word(tmp_path: Path) -> None:
    files = split_files(treebank)
    files["test-de"] = treebank([*texts("test", "de"), "_", "_ is a word"])
    assert counts(taken(brought(tmp_path, files, **TREES)))["de"] == 14


# --- one file for all languages, as XNLI's own release is ---

XNLI_OPTIONS = {
    "text": "sentence1",
    "text_pair": "sentence2",
    "label": "gold_label",
    "item": "",
    "language_column": "language",
}
XNLI_HEAD = "language\tgold_label\tsentence1_binary_parse\tsentence1\tsentence2\tpromptID\tpairID\n"


def xnli(sentences: dict[str, list[str]], names: dict[str, str] | None = None) -> str:
    rows = [
        f"{(names or {}).get(language, language)}\t{NLI[i % 3]}\t\t{text}\ta thing is red\t{i}\t{i}\n"
        for language, lines in sentences.items()
        for i, text in enumerate(lines)
    ]
    return XNLI_HEAD + "".join(rows)


def xnli_study(folder: Path, names: dict[str, str] | None = None, **declared: Any) -> Path:
    languages = ("ar", "de", "en", "zh")
    files = {
        "dev.tsv": xnli({"en": texts("train", "en")}, names),
        "test.tsv": xnli({language: texts("test", language) for language in languages}, names),
    }
    more: dict[str, Any] = {
        "reader": "glue_tsv",
        "languages": languages,
        "paths": {"train": "dev.tsv", "test": "test.tsv"},
        "options": XNLI_OPTIONS,
    }
    return brought(folder, files, **more | declared)


def test_xnlis_own_file_is_read_language_by_language(tmp_path: Path) -> None:
    value = taken(xnli_study(tmp_path))
    assert counts(value) == dict.fromkeys(("ar", "de", "en", "zh"), 12)
    assert decoded(value)[0].endswith("-> neutral") or decoded(value)[0].endswith("-> entailment")


def test_a_column_may_call_languages_otherwise(tmp_path: Path) -> None:
    names = {"ar": "arb_Arab", "de": "German", "en": "eng", "zh": "zh (Hans)"}
    assert counts(taken(xnli_study(tmp_path, names, codes=names))) == dict.fromkeys(("ar", "de", "en", "zh"), 12)


def test_a_language_that_the_column_has_not_is_told(tmp_path: Path) -> None:
    study = xnli_study(tmp_path, languages=("en", "sw"))
    refused(study, "test.tsv", 'no row is of "sw"', "Its languages are ar, de, en, zh", "codes")


def test_a_column_that_is_not_there_is_told(tmp_path: Path) -> None:
    study = xnli_study(tmp_path, options=XNLI_OPTIONS | {"language_column": "lang"})
    refused(study, "dev.tsv", "lang", "Found language, gold_label")


def test_json_lines_may_hold_all_languages(tmp_path: Path) -> None:
    rows = [
        {"lang": language, "text": text, "label": NLI[i % 3]}
        for language in ("de", "en")
        for i, text in enumerate(texts("test", language))
    ]
    train = [{"lang": "en", "text": text, "label": NLI[i % 3]} for i, text in enumerate(texts("train", "en"))]
    files = {
        name: "".join(json.dumps(row) + "\n" for row in lines) for name, lines in (("train", train), ("test", rows))
    }
    options = {"text_pair": "", "language_column": "lang"}
    study = brought(tmp_path, files, reader="pair_jsonl", paths={"train": "train", "test": "test"}, options=options)
    assert counts(taken(study)) == {"en": 12, "de": 12}
