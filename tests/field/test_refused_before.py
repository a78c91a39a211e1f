"""Data by which nothing right could be chosen or reported: refused before anything trains."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.field.brought import (
    BIO,
    RATED,
    brought,
    pair_lines,
    question_records,
    ran,
    rated_lines,
    refused,
    split_files,
    squad_document,
    tagged_lines,
    text_lines,
    texts,
)

TAGGED: dict[str, Any] = {"reader": "bio_tsv", "kind": "tagging", "metric": "span_f1", "labels": BIO}


def few(folder: Path) -> Path:
    """Two rows of training: their tenth, which is to choose, has none."""
    return brought(folder, {"train-en": "good\tentailment\nbad\tneutral\n", **few_tests()}, reader="text_tsv")


def few_tests() -> dict[str, str]:
    return {f"test-{code}": text_lines(texts("test", code, 2)) for code in ("en", "de")}


def nothing_to_report(folder: Path) -> Path:
    """All of one language's examples stand in training, which leaves them out of nothing: its half is empty."""
    files = {"train-en": pair_lines(texts("train", "en")), "test-en": pair_lines(texts("test", "en"))}
    files["test-de"] = pair_lines(texts("test", "de", 1))
    study = brought(folder, files, task={"dev": None})
    study.write_text(study.read_text().replace('"defaults"', '"selection": "target_dev", "defaults"'))
    return study


def no_entity_to_choose_by(folder: Path) -> Path:
    files = split_files(tagged_lines) | {"train-en": tagged_lines(texts("train", "en"), ("O",))}
    return brought(folder, files, **TAGGED)


def one_value_to_choose_by(folder: Path) -> Path:
    files = split_files(rated_lines) | {"train-en": rated_lines(texts("train", "en"), constant=True)}
    return brought(folder, files, **RATED)


def unanswered(folder: Path) -> Path:
    def written(sentences: list[str]) -> str:
        records = question_records(sentences)
        return squad_document([record | ({"answers": []} if i % 4 == 0 else {}) for i, record in enumerate(records)])

    asked: dict[str, Any] = {"reader": "squad_json", "kind": "span_qa", "metric": "squad", "labels": []}
    return brought(folder, split_files(written), **asked)


def same_examples(folder: Path) -> Path:
    files = split_files(pair_lines)
    return brought(folder, files | {"test-de": str(files["test-en"]).removesuffix("\n")})


REFUSED: dict[Callable[[Path], Path], tuple[str, ...]] = {
    few: ("split train", "holds no example", "select"),
    nothing_to_report: ("language de", "holds no example"),
    no_entity_to_choose_by: ("split train", "span_f1 has no value there", "select"),
    one_value_to_choose_by: ("split train", "pearson has no value there", "select"),
    unanswered: ("questions have no answer", "squad_v2"),
    same_examples: ("language de", "the very same as those in en"),
}


@pytest.mark.parametrize("bring", REFUSED, ids=lambda bring: bring.__name__)
def test_what_gives_no_right_score_is_refused_before_it_trains(
    tmp_path: Path, tiny: Path, bring: Callable[[Path], Path]
) -> None:
    said = ran(bring(tmp_path), tiny)
    assert said.status == 2 and not said.flaw(), said.err
    for name in REFUSED[bring]:
        assert name in said.err
    assert not list((tmp_path / "store").glob("**/*.safetensors"))


@pytest.mark.parametrize("bring", REFUSED, ids=lambda bring: bring.__name__)
def test_validate_refuses_it_too(tmp_path: Path, bring: Callable[[Path], Path]) -> None:
    refused(bring(tmp_path), *REFUSED[bring])
