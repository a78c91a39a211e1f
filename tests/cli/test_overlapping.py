"""``stilts tasks --overlap``: the declared ledger, and what a study's data share."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from stilts.app.overlapping import overlap_lines
from stilts.cli.main import app
from stilts.cli.overlapping import overlap_table


def shown(value: dict[str, Any]) -> str:
    console = Console(width=300, record=True, file=io.StringIO())
    console.print(overlap_table(value))
    return console.export_text()


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("overlap")
    study = {
        "name": "shares",
        "encoder": {"toy": True},
        "data": {"source": "toy"},
        "defaults": {"intermediate": {"steps": 5}, "target": {"steps": 5}, "encoding": {"max_length": 96}},
        "intermediates": {
            "none": None,
            "mnli": None,
            "mix": {"mixture": {"mnli": 0.5, "hellaswag": 0.5}},
            "searched": {"search": {"weights": ["mnli", "hellaswag"], "proposals": 2}},
        },
        "targets": {"inference": {"task": "xnli", "languages": ["en", "qaa"]}},
    }
    (folder / "study.yaml").write_text(json.dumps(study))
    return overlap_lines(str(folder / "study.yaml"))


def test_without_a_study_the_ledger_is_told_and_nothing_is_measured() -> None:
    value = overlap_lines(None)
    assert value["measured"] is None
    assert ("mnli", "xnli", "train") in {
        (line["intermediate"], line["target"], line["target_use"]) for line in value["declared"]
    }
    assert "squad/dev" in {line["one"] for line in value["known"]}
    text = shown(value)
    assert len(text.splitlines()) < 200 < len(value["declared"]), "tasks that share the same stand together"
    assert "MultiNLI is XNLI's English training set" in text and "squad/dev" in text
    json.dumps(value)


def test_the_whole_of_a_shared_training_set_is_counted_for_all_rows_that_have_it(measured: dict[str, Any]) -> None:
    (pair,) = (
        line
        for line in measured["measured"]
        if (line["intermediate"], line["use"], line["field"]) == ("mnli", "train", "pair")
    )
    assert pair["rows"] == ["mnli", "mix", "searched"] and pair["target"] == "inference"
    assert pair["declared"] and pair["share"] == 1.0
    assert pair["languages"] == {"en": [pair["shared"], pair["texts"]]}
    assert pair["shared"] > 0 and pair["longest"]


def test_languages_without_a_shared_text_are_counted_too(measured: dict[str, Any]) -> None:
    for line in measured["measured"]:
        assert line["shared"] == sum(shared for shared, _ in line["languages"].values()) > 0
        assert line["texts"] == sum(texts for _, texts in line["languages"].values()) >= line["shared"]
        if line["use"] == "report":
            assert set(line["languages"]) == {"en", "qaa"}


def test_the_table_says_what_is_declared_and_how_long_it_took(measured: dict[str, Any]) -> None:
    text = shown(measured)
    assert "100.00%" in text and "en 100.0%" in text and "read and compared in" in text
    (declared,) = {line["target_use"] for line in measured["declared"]}
    assert declared == "train"


def test_a_declared_overlap_that_the_data_do_not_show_is_said(measured: dict[str, Any]) -> None:
    assert "Declared, and nothing found here" not in shown(measured)
    assert "Declared, and nothing found here: mnli trains on" in shown(measured | {"measured": []})


def test_the_verb_prints_the_ledger_as_text_and_as_json() -> None:
    text = CliRunner().invoke(app, ["tasks", "--overlap"])
    assert text.exit_code == 0 and "Known of datasets" in text.output
    value = json.loads(CliRunner().invoke(app, ["tasks", "--overlap", "--json"]).stdout)
    assert set(value) == {"study", "known", "declared", "measured"}
