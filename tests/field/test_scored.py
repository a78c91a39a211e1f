"""Data that have no score: no gold entity, one value alone, labels that are kept back, too few; told before a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.typed import typed
from tests.field.brought import (
    BIO,
    NLI,
    RATED,
    brought,
    counts,
    json_lines,
    matrix_of,
    question_records,
    rated_lines,
    refused,
    run_study,
    split_files,
    squad_document,
    tagged_lines,
    taken,
    texts,
)

TAGGED: dict[str, Any] = {"reader": "bio_tsv", "kind": "tagging", "metric": "span_f1", "labels": BIO}
TAGS = ("B-PER", "I-PER", "O", "B-LOC")
LANGUAGES = ("en", "de", "fr")


def entities_only_in(*languages: str) -> dict[str, str | bytes]:
    files = {
        f"test-{code}": tagged_lines(texts("test", code), TAGS if code in languages else ("O",)) for code in LANGUAGES
    }
    return {"train-en": tagged_lines(texts("train", "en")), **files}


def values_differ_only_in(*languages: str) -> dict[str, str | bytes]:
    files = {f"test-{code}": rated_lines(texts("test", code), constant=code not in languages) for code in LANGUAGES}
    return {"train-en": rated_lines(texts("train", "en")), **files}


WITHOUT_SCORE: dict[str, tuple[dict[str, str | bytes], dict[str, Any], str]] = {
    "no entity": (entities_only_in("en", "fr"), TAGGED, "no gold span in its data"),
    "one value": (values_differ_only_in("en", "fr"), RATED, "its gold values are all the same"),
}


@pytest.mark.parametrize("what", WITHOUT_SCORE)
def test_a_language_without_a_score_is_taken(tmp_path: Path, what: str) -> None:
    files, declared, _ = WITHOUT_SCORE[what]
    assert counts(taken(brought(tmp_path, files, languages=LANGUAGES, **declared))) == dict.fromkeys(LANGUAGES, 12)


@pytest.mark.parametrize("what", WITHOUT_SCORE)
def test_validate_says_which_language_has_no_score(tmp_path: Path, what: str) -> None:
    files, declared, why = WITHOUT_SCORE[what]
    notes = " ".join(taken(brought(tmp_path, files, languages=LANGUAGES, **declared))["notes"])
    assert "de" in notes and why in notes


@pytest.mark.parametrize("what", WITHOUT_SCORE)
def test_no_mean_holds_a_language_without_a_score(tmp_path: Path, tiny: Path, what: str) -> None:
    """The mean is that of the two others, and the answer says why the third has none."""
    files, declared, why = WITHOUT_SCORE[what]
    value = matrix_of(run_study(brought(tmp_path, files, languages=LANGUAGES, **declared), tiny, steps=150))
    scores = {line["language"]: line["score"] for line in value["languages"]}
    assert set(scores) == {"en", "fr"} and (what == "one value" or sum(scores.values()) > 0)
    (cell,) = value["cells"]
    assert cell["score"] == pytest.approx((scores["en"] + scores["fr"]) / 2)
    assert value["unscored"] == {"mine": {"de": why}}


@pytest.fixture(scope="module")
def unscored(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study that was run, and no language of which has a score."""
    return run_study(brought(tmp_path_factory.mktemp("unscored"), entities_only_in(), **TAGGED), tiny)


def test_where_no_language_has_a_score_the_reasons_are_told(unscored: Path) -> None:
    value = matrix_of(unscored)
    assert not any(cell["score"] is not None for cell in value["cells"]) and value["languages"] == []
    assert value["unscored"] == {"mine": dict.fromkeys(("en", "de"), "no gold span in its data")}


@pytest.mark.parametrize(
    "words",
    [
        ("matrix",),
        ("matrix", "--languages", "mine"),
        ("best",),
        ("report",),
    ],
)
def test_every_verb_says_so(unscored: Path, words: tuple[str, ...]) -> None:
    said = typed(words[0], unscored, "--store", unscored.parent / "store", *words[1:])
    assert not said.flaw() and said.status == 0, said.flaw() + said.err
    assert words == ("report",) or "no gold span in its data" in said.out


# --- labels that are kept back ---

PLACEHOLDERS: dict[str, list[object]] = {
    "minus one": [-1],
    "null": [None],
    "mark": ["?"],
    "empty": [""],
    "list": [[]],
    "right": list(NLI),
}


def unlabelled(folder: Path, placeholders: list[object], **options: Any) -> Path:
    files = {"train-en": json_lines(texts("train", "en"))}
    files |= {f"test-{code}": json_lines(texts("test", code), placeholders) for code in ("en", "de")}
    return brought(folder, files, reader="pair_jsonl", options=options)


@pytest.mark.parametrize("what", [name for name in PLACEHOLDERS if name != "right"])
def test_a_placeholder_that_is_not_declared_is_told(tmp_path: Path, what: str) -> None:
    refused(unlabelled(tmp_path, PLACEHOLDERS[what]), "test-en, line 1")


@pytest.mark.parametrize("what", PLACEHOLDERS)
def test_what_is_declared_unlabelled_is_not_read_for_labels(tmp_path: Path, what: str) -> None:
    value = taken(unlabelled(tmp_path, PLACEHOLDERS[what], unlabelled=["test"]))
    assert counts(value) == {"en": 12, "de": 12}


def test_what_is_declared_unlabelled_is_asked_and_not_scored(tmp_path: Path, tiny: Path) -> None:
    study = run_study(unlabelled(tmp_path, PLACEHOLDERS["minus one"], unlabelled=["test"]), tiny)
    assert matrix_of(study)["unscored"] == {"mine": dict.fromkeys(("en", "de"), "its labels are kept back")}


def test_training_data_are_not_unlabelled(tmp_path: Path) -> None:
    study = unlabelled(tmp_path, list(NLI), unlabelled=["train"])
    refused(study, "split train", "57 of 57 examples have no label")


def test_kept_back_labels_of_the_other_kinds_run(tmp_path: Path, tiny: Path) -> None:
    """Tags that are only O, answers that are all empty: nothing of them is read."""
    files = split_files(lambda sentences: squad_document(question_records(sentences)))
    files |= {
        f"test-{code}": squad_document([record | {"answers": []} for record in question_records(texts("test", code))])
        for code in ("en", "de")
    }
    asked: dict[str, Any] = {"reader": "squad_json", "kind": "span_qa", "metric": "squad", "labels": []}
    study = run_study(brought(tmp_path, files, options={"unlabelled": ["test"]}, **asked), tiny)
    assert matrix_of(study)["unscored"] == {"mine": dict.fromkeys(("en", "de"), "its labels are kept back")}
