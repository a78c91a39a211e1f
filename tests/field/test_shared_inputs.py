"""Inputs as people brought them, each with the outcome that is right."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.typed import typed
from tests.field.brought import matrix_of, ran, refused, taken

OTHERWISE = {"attacks", "mixture_without_step", "masked_lm_without_head", "search_extended"}

REFUSED: list[Any] = [
    ("language_file_missing", ('language "sw"', "test-sw.tsv", "languages:")),
    ("no_lang_in_path", ("one file for 2 languages (en, de)", "test-en.tsv")),
    ("unknown_reader_option", ('option "colums"', 'Did you mean "columns"?', "scheme (one of IOB1")),
    ("option_of_wrong_type", ("datasets.mine", 'option "columns"', '"two" (str)', "a whole number")),
    ("bioes_tags", ("E-PER, S-PER, E-LOC, S-LOC", "scheme: BIOES")),
    ("lower_case_tags", ("o, b-per, i-per, b-loc, i-loc", "no tag is guessed")),
    ("language_names", ('language "zh@Hant"', "BCP 47", "codes")),
    ("language_twice", ('language "de"', "listed twice")),
    ("label_twice", ('"neutral" is listed twice',)),
    ("conllu_hidden_forms", ("test-de.conllu", "the text is hidden in this release")),
    ("unanswerable_under_squad", ("have no answer", "squad_v2")),
    ("tiny", ("select", "holds no example")),
]

# What of the tasks file is to be said for it to be taken, as the message or the documents tell.
TAKEN: list[Any] = [
    ("answer_with_blanks", {}),
    ("mlqa_zh", {}),
    ("mlqa_zh_hans", {}),
    ("language_without_entities", {}),
    ("csv_long_field", {}),
    ("gzip", {}),
    ("float_labels", {}),
    ("bioes_tags", {"metric: span_f1": "metric: span_f1\n    scheme: BIOES"}),
    ("conll_comments", {"{columns: 4}": '{columns: 4, comments: "# id"}'}),
    (
        "language_names",
        {
            '"zh@Hant", "en (US)", "pt+BR", "sr:Latn", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"': "zh-Hant, en-US",
            "test-{lang}.tsv": "test-{code}.tsv",
            "options: {}": 'options: {}\n      codes: {zh-Hant: "zh@Hant", en-US: "en (US)"}',
        },
    ),
    (
        "lower_case_tags",
        {
            "[o, b-per, i-per, b-loc, i-loc]": "[O, B-PER, I-PER, B-LOC, I-LOC]",
            "options: {}": "options: {label_map: {o: O, b-per: B-PER, i-per: I-PER, b-loc: B-LOC, i-loc: I-LOC}}",
        },
    ),
    ("language_file_missing", {"[en, de, sw]": "[en, de]"}),
    ("no_lang_in_path", {"test-en.tsv": "test-{lang}.tsv"}),
    ("unknown_reader_option", {"colums": "columns"}),
    ("option_of_wrong_type", {"two": "2"}),
    ("unanswerable_under_squad", {"metric: squad": "metric: squad_v2"}),
    ("unlabelled_placeholder", {}),
]


def copied(shared: Path, name: str, to: Path, changes: dict[str, str] | None = None) -> Path:
    """The study in a folder of its own, over the toy encoder, its tasks file changed."""
    if not (shared / "field").is_dir():
        pytest.skip(f"no folder {shared / 'field'}")
    folder = to / name
    shutil.copytree(shared / "field" / name, folder)
    study, tasks = folder / "study.yaml", folder / "tasks.yaml"
    text = re.sub(r"encoder: .*", 'encoder: {"toy": true}', study.read_text())
    study.write_text(re.sub(r"layer: \d+", "layer: 1", text))
    for old, new in (changes or {}).items():
        assert old in tasks.read_text()
        tasks.write_text(tasks.read_text().replace(old, new))
    if name == "csv_long_field":  # too long to lie there
        lines = (folder / "test-en.csv").read_text().splitlines(keepends=True)
        train = [line.replace("We ", "I ", 1) for line in lines]
        train[2] = train[2].replace("the", "word " * 28_000 + "the", 1)
        (folder / "train-en.csv").write_text("".join(train))
    return study


@pytest.mark.parametrize(("name", "named"), REFUSED)
def test_what_is_wrong_is_refused(shared: Path, tmp_path: Path, name: str, named: tuple[str, ...]) -> None:
    refused(copied(shared, name, tmp_path), *named)


@pytest.mark.parametrize(("name", "changes"), TAKEN)
def test_what_is_right_is_taken(shared: Path, tmp_path: Path, name: str, changes: dict[str, str]) -> None:
    languages = {view["language"] for view in taken(copied(shared, name, tmp_path, changes))["views"]}
    assert len(languages) >= 2


def test_every_input_has_its_outcome(shared: Path) -> None:
    if not (shared / "field").is_dir():
        pytest.skip(f"no folder {shared / 'field'}")
    there = {path.name for path in (shared / "field").iterdir() if path.is_dir()}
    tested = {getattr(row, "values", row)[0] for row in (*REFUSED, *TAKEN)}
    assert there - OTHERWISE == tested


def test_an_answer_is_shown_without_its_blanks(shared: Path, tmp_path: Path) -> None:
    value = taken(copied(shared, "answer_with_blanks", tmp_path))
    assert all("[[Oslo]]" in line["text"] or "[[Bern]]" in line["text"] for line in value["decoded"])


def test_what_is_declared_unlabelled_runs(shared: Path, tmp_path: Path, tiny: Path) -> None:
    study = copied(shared, "unlabelled_placeholder", tmp_path)
    said = ran(study, tiny)
    assert said.status == 0 and not said.flaw(), said.err
    assert matrix_of(study)["unscored"] == {"mine": dict.fromkeys(("en", "de"), "its labels are kept back")}


def test_a_language_without_entities_is_in_no_mean(shared: Path, tmp_path: Path, tiny: Path) -> None:
    study = copied(shared, "language_without_entities", tmp_path)
    assert ran(study, tiny).status == 0
    value = matrix_of(study)
    assert value["unscored"] == {"mine": {"de": "no gold span in its data"}}
    assert [line["language"] for line in value["languages"]] == ["en"]


def test_one_file_under_two_codes_has_one_score(shared: Path, tmp_path: Path, tiny: Path) -> None:
    scores = []
    for name, code in (("mlqa_zh", "zh"), ("mlqa_zh_hans", "zh-Hans")):
        study = copied(shared, name, tmp_path)
        assert ran(study, tiny).status == 0
        scores.append({line["language"]: line["score"] for line in matrix_of(study)["languages"]}[code])
    assert scores[0] == scores[1] > 0


@pytest.mark.parametrize("name", ["tiny", "unanswerable_under_squad"])
def test_what_gives_no_right_score_is_refused_before_it_trains(
    shared: Path, tmp_path: Path, tiny: Path, name: str
) -> None:
    said = ran(copied(shared, name, tmp_path), tiny)
    assert said.status == 2 and not said.flaw()
    assert ("select" if name == "tiny" else "squad_v2") in said.err


def test_two_touching_names_are_two_spans_of_their_scheme(shared: Path, tmp_path: Path, tiny: Path) -> None:
    study = copied(shared, "bioes_tags", tmp_path, {"metric: span_f1": "metric: span_f1\n    scheme: BIOES"})
    assert ran(study, tiny).status == 0
    said = typed("rescore", study, "--store", study.parent / "store")
    assert said.status == 0, said.err
