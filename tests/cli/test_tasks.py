"""``stilts tasks``: what a study can name, and what of it lies in a folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from stilts.cli.main import app
from stilts.errors import DataError, InputError
from stilts.tasks.kinds import known_kinds

# What the benchmarks and the paper name, by the names that a study may write.
INTERMEDIATES = (
    "anli_plus anli snli mnli qnli rte scitail qqp paws squad squad_v2 hellaswag ccg cosmosqa commonsenseqa socialiqa "
    "piqa winogrande copa boolq mrpc stsb conll2003 udpos ud_feats ud_case pubmedqa casehold contractnli medmcqa"
).split()
TARGETS = {
    **{"xnli": 15, "pawsx": 7, "udpos": 38, "udpos_f1": 38, "panx": 48, "xquad": 12, "mlqa": 7, "tydiqa": 9},
    **{"bucc2018": 4, "tatoeba": 41, "xcopa": 11, "xcopa_siqa": 11, "lareqa": 11, "mewslix": 11},
    **{"masakhaner": 10, "multieurlex": 23, "americasnli": 10, "mlqa_en_de": 1},
}


def told(*words: object) -> dict[str, Any]:
    done = CliRunner().invoke(app, ["tasks", *map(str, words), "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return {line["task"]: line for line in json.loads(done.stdout)}


def test_everything_that_a_study_may_want_is_told_with_its_origin() -> None:
    lines = told()
    for name in INTERMEDIATES:
        assert "intermediate" in lines[name]["role"] and lines[name]["num_train"], name
    for name, num in TARGETS.items():
        assert "target" in lines[name]["role"] and len(lines[name]["languages"]) == num, name
    for name in (*INTERMEDIATES, *TARGETS):
        assert all(lines[name][field] for field in ("kind", "metric", "licence", "domain", "citation", "sources")), name
        assert lines[name]["available"] is None and lines[name]["trains"] is None


def test_a_root_says_what_loads_there(tmp_path: Path) -> None:
    for name in ("dev-de", "test-de", "dev-fr", "test-fr"):
        (tmp_path / "pawsx").mkdir(exist_ok=True)
        (tmp_path / "pawsx" / f"{name}.tsv").write_text("a\tb\t0\n")
    lines = told("--root", tmp_path)
    assert lines["pawsx"]["available"] == ["de", "fr"]
    assert lines["pawsx"]["trains"] is False, "its English train is not there"
    assert lines["xnli"]["available"] == [] and lines["tatoeba"]["trains"] is None
    (tmp_path / "pawsx" / "train-en.tsv").write_text("a\tb\t0\n")
    assert told("--root", tmp_path)["pawsx"]["trains"] is True


def test_what_is_learned_after_another_task_needs_both(tmp_path: Path) -> None:
    (tmp_path / "xcopa" / "copa").mkdir(parents=True)
    (tmp_path / "xcopa" / "copa" / "train.en.jsonl").write_text("{}\n")
    lines = told("--root", tmp_path)
    assert lines["xcopa"]["trains"] is True and lines["xcopa_siqa"]["trains"] is False


def test_a_root_that_is_none_or_says_too_much_is_refused(tmp_path: Path) -> None:
    runner = CliRunner()
    with pytest.raises(DataError, match="no such folder, for --root"):
        runner.invoke(app, ["tasks", "--root", str(tmp_path / "none")], catch_exceptions=False)
    with pytest.raises(InputError, match="Leave one of them out"):
        runner.invoke(app, ["tasks", "--root", str(tmp_path), "--overlap"], catch_exceptions=False)


def test_readers_are_told_with_every_option_of_theirs() -> None:
    done = CliRunner().invoke(app, ["tasks", "--readers", "--json"], catch_exceptions=False)
    value = json.loads(done.stdout)
    told = {line["reader"]: {one["option"] for one in line["options"]} for line in value["readers"]}
    everywhere = {one["option"] for one in value["every_reader"]}
    formats = known_kinds().formats()
    assert {name: told[name] | everywhere for name in told} == {
        name: {option.name for option in form.all_options} for name, (_, form) in formats.items()
    }
    columns = next(line for line in value["readers"] if line["reader"] == "bio_columns")
    tag = next(one for one in columns["options"] if one["option"] == "tag_column")
    assert (columns["kind"], tag["values"], tag["default"]) == ("tagging", "a whole number, from 1", None)
    with pytest.raises(InputError, match="Leave the others out"):
        CliRunner().invoke(app, ["tasks", "--readers", "--overlap"], catch_exceptions=False)


def test_what_lies_in_the_shared_folder_loads(shared: Path) -> None:
    lines = told("--root", shared / "data", "--text-root", shared / "text")
    here = {name: len(line["available"]) for name, line in lines.items() if line["available"]}
    assert {name: here[name] for name in ("xnli", "udpos", "panx", "xquad", "tatoeba", "lareqa", "bucc2018")} == {
        "xnli": 15,
        "udpos": 37,
        "panx": 47,
        "xquad": 12,
        "tatoeba": 41,
        "lareqa": 6,
        "bucc2018": 1,
    }
    assert not lines["pawsx"]["trains"] and lines["lareqa"]["trains"] and lines["plain"]["available"]
