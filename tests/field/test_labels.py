"""Labels as files write them, and maps that translate them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from stilts.data.load import load_examples, unmapped_labels
from stilts.tasks.kinds.classification import ClassificationExample
from stilts.tasks.registry import Registry
from stilts.tasks.resolve import Resolver
from stilts.tasks.user_tasks import load_user_tasks
from stilts.tasks.view import DataView
from tests.field.brought import NLI, brought, json_lines, pair_lines, refused, split_files, taken, texts

JSON: dict[str, Any] = {"reader": "pair_jsonl"}
BY_NUMBER = {"0": "entailment", "1": "neutral", "2": "contradiction"}


def german_test(folder: Path) -> DataView:
    """The German test data of a study that was written."""
    registry = Registry()
    load_user_tasks(folder / "tasks.yaml", registry)
    task = registry.task("mine")
    assert task.test is not None
    return Resolver(registry, {"tasks": folder}).views(task.test, task.kind, ["de"])[0]


def labels_read(folder: Path, labels: Sequence[str]) -> list[str | None]:
    """The labels of the German test data."""
    read = []
    for example in load_examples(german_test(folder), {"tasks": folder}, labels=labels):
        assert isinstance(example, ClassificationExample)
        read.append(example.label)
    return read


@pytest.mark.parametrize(
    ("written", "labels"),
    [
        ([0, 1], ["0", "1"]),
        ([0.0, 1.0], ["0", "1"]),
        (["0", "1"], ["0", "1"]),
        ([0, "1"], ["0", "1"]),
        ([0.0, 1.0], [0, 1]),
        ([0, 1], [0.0, 1.0]),
        ([-1, 10], ["-1", "10"]),
        ([1e3, 7], ["1000", "7"]),
        ([True, False], ["True", "False"]),
        ([True, False], [True, False]),
        (["yes", "no"], ["yes", "no"]),
        (["0.5", "1.0"], ["0.5", "1.0"]),
    ],
)
def test_a_label_is_read_as_it_is_meant(tmp_path: Path, written: list[object], labels: list[object]) -> None:
    files = split_files(lambda sentences: json_lines(sentences, written))
    taken(brought(tmp_path, files, labels=labels, **JSON))
    names = [str(int(label)) if type(label) is float else str(label) for label in labels]
    assert labels_read(tmp_path, names) == names * 6


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (0.5, "0.5 (float)"),
        (None, "None (NoneType)"),
        ([0], "[0] (list)"),
        ([["0"]], "[['0']] (list)"),
        ({"label": 0}, "{'label': 0} (dict)"),
        (float("nan"), "line 6"),
        ("", 'label ""'),
        (" 0", 'label " 0"'),
        ("zero", 'label "zero"'),
        (2, 'label "2"'),
        (True, 'label "True"'),
        (-1, 'label "-1"'),
    ],
)
def test_what_is_no_label_is_told_with_its_type_and_line(tmp_path: Path, written: object, said: str) -> None:
    labels: list[object] = [0, 1, 0, 1, 0, written, 0, 1, 0, 1, 0, 1]
    files = split_files(lambda sentences: json_lines(sentences, ["0", "1"]))
    files["test-de"] = json_lines(texts("test", "de"), labels)
    refused(brought(tmp_path, files, labels=["0", "1"], **JSON), "test-de", "line 6", said)


def test_a_missing_label_is_told_with_the_fields_that_there_are(tmp_path: Path) -> None:
    files = split_files(json_lines)
    files["test-de"] = str(files["test-de"]).replace('"label"', '"gold"')
    refused(brought(tmp_path, files, **JSON), "test-de", "field label", "missing", "gold")


@pytest.mark.parametrize("mapping", [BY_NUMBER, {0: "entailment", 1: "neutral", 2: "contradiction"}])
@pytest.mark.parametrize("written", [[0, 1, 2], [0.0, 1.0, 2.0], ["0", "1", "2"]])
def test_a_map_translates_numbers_however_they_are_written(
    tmp_path: Path, mapping: dict[Any, str], written: list[object]
) -> None:
    files = split_files(lambda sentences: json_lines(sentences, written))
    study = brought(tmp_path, files, options={"label_map": BY_NUMBER}, **JSON)
    if mapping is not BY_NUMBER:  # YAML has keys that JSON has not
        tasks = (tmp_path / "tasks.yaml").read_text()
        yaml = "{" + ", ".join(f"{key}: {value}" for key, value in mapping.items()) + "}"
        (tmp_path / "tasks.yaml").write_text(tasks.replace(json.dumps(BY_NUMBER), yaml))
        assert yaml in (tmp_path / "tasks.yaml").read_text()
    taken(study)
    assert labels_read(tmp_path, NLI) == list(NLI) * 4


@pytest.mark.parametrize("key", ["true", "True", '"True"'])
def test_a_map_translates_truths(tmp_path: Path, key: str) -> None:
    files = split_files(lambda sentences: json_lines(sentences, [True, False]))
    study = brought(
        tmp_path, files, labels=["yes", "no"], options={"label_map": {"True": "yes", "False": "no"}}, **JSON
    )
    tasks = (tmp_path / "tasks.yaml").read_text()
    (tmp_path / "tasks.yaml").write_text(tasks.replace('"True":', f"{key}: "))
    taken(study)
    assert labels_read(tmp_path, ["yes", "no"]) == ["yes", "no"] * 6


@pytest.mark.parametrize("name", ["entailmnet", "Entailment", "entailment ", ""])
def test_a_map_to_no_label_is_told(tmp_path: Path, name: str) -> None:
    files = split_files(lambda sentences: json_lines(sentences, [0, 1, 2]))
    study = brought(tmp_path, files, options={"label_map": BY_NUMBER | {"0": name}}, **JSON)
    refused(study, 'task "mine"', "label_map", f'"0" is to be "{name}"', "Labels are entailment")


@pytest.mark.parametrize("entry", ["3", "enatilment", "Neutral"])
def test_an_entry_that_never_applies_is_known(tmp_path: Path, entry: str) -> None:
    files = split_files(lambda sentences: json_lines(sentences, [0, 1, 2]))
    brought(tmp_path, files, options={"label_map": BY_NUMBER | {entry: "neutral"}}, **JSON)
    assert unmapped_labels(german_test(tmp_path), {"tasks": tmp_path}, NLI) == (entry,)


@pytest.mark.parametrize("entry", ["3", "enatilment", "Neutral"])
def test_an_entry_that_never_applies_is_told(tmp_path: Path, entry: str) -> None:
    files = split_files(lambda sentences: json_lines(sentences, [0, 1, 2]))
    study = brought(tmp_path, files, options={"label_map": BY_NUMBER | {entry: "neutral"}}, **JSON)
    notes = " ".join(taken(study)["notes"])
    assert "label_map" in notes and entry in notes


def test_every_entry_that_applies_is_known(tmp_path: Path) -> None:
    files = split_files(lambda sentences: pair_lines(sentences, ["e", "n", "c"]))
    brought(tmp_path, files, options={"label_map": dict(zip("enc", NLI, strict=True))})
    assert unmapped_labels(german_test(tmp_path), {"tasks": tmp_path}, NLI) == ()


@pytest.mark.parametrize(
    ("labels", "twice"),
    [(["a", "b", "c", "b"], "b"), (["0", 0], "0"), ([1.0, "1"], "1"), ([True, "True"], "True"), ([0, 0.0], "0")],
)
def test_a_label_that_stands_there_twice_is_refused(tmp_path: Path, labels: list[object], twice: str) -> None:
    refused(
        brought(tmp_path, split_files(pair_lines), labels=labels), 'task "mine", labels', f'"{twice}" is listed twice'
    )


def test_labels_of_a_file_are_listed_once_too(tmp_path: Path) -> None:
    files = split_files(pair_lines) | {"labels.txt": "entailment\nneutral\ncontradiction\nneutral\n"}
    refused(brought(tmp_path, files, labels=[], task={"labels_file": "labels.txt"}), '"neutral" is listed twice')


@pytest.mark.parametrize(
    ("labels", "named"),
    [
        (["entailment"], "labels"),
        ([], "labels"),
        ([["a"], "b"], "labels"),
        ([None, "b"], "labels"),
        ([0.5, 1], "labels"),
    ],
)
def test_labels_that_are_none_are_told(tmp_path: Path, labels: list[object], named: str) -> None:
    refused(brought(tmp_path, split_files(pair_lines), labels=labels), "tasks.mine", named)


@pytest.mark.parametrize("label", ["Neutral", "NEUTRAL", "neutral ", "neutral\u00a0"])
def test_no_label_is_guessed(tmp_path: Path, label: str) -> None:
    files = split_files(pair_lines)
    files["test-de"] = pair_lines(texts("test", "de"), ["entailment", label, "contradiction"])
    refused(brought(tmp_path, files), "test-de", "line 2", label, "Labels are entailment, neutral, contradiction")
