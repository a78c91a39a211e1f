"""The data files that ship: of the schema, whole, in their order, and found without being read as YAML."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

import stilts
from stilts.data.toy.generators import GENERATORS
from stilts.errors import InputError
from stilts.tasks import registry
from stilts.tasks.bounded_yaml import parsed_yaml, yaml_text
from stilts.tasks.catalog import themes
from stilts.tasks.domains import DOMAINS, domain_word
from stilts.tasks.kinds import known_kinds
from stilts.tasks.languages import language
from stilts.tasks.listed import listed_in
from stilts.tasks.overlap_entries import known_overlaps
from stilts.tasks.registry import Registry, default_registry
from stilts.tasks.task import Dataset, Task
from stilts.tasks.toy import MIXED, TOY_PRETRAINING
from stilts.tasks.user_tasks import read_tasks

PACKAGE = Path(stilts.__file__).parent
DATA = sorted(path for ending in ("yaml", "txt") for path in PACKAGE.rglob(f"*.{ending}"))
LISTS = sorted((PACKAGE / "tasks" / "catalog").glob("*.txt"))


def named(path: Path) -> str:
    return path.name


@pytest.mark.parametrize("path", DATA, ids=named)
def test_a_data_file_says_first_what_it_is(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").split("\n")
    assert lines[0].startswith("# ") and lines[-1] == "" and lines[-2] != ""
    assert all(line == line.rstrip() and "\t" not in line for line in lines)
    assert all(len(line) <= 120 for line in lines if " " in line.strip()), "what has no blank cannot be broken"


@pytest.mark.parametrize("theme", themes(), ids=lambda theme: theme.path.stem)
def test_names_are_found_without_yaml_and_stand_in_order(theme: registry.Theme) -> None:
    document = parsed_yaml(yaml_text(theme.path), theme.path, begins="datasets:")
    assert (theme.datasets, theme.tasks) == (tuple(document["datasets"]), tuple(document["tasks"]))
    for names in (theme.datasets, theme.tasks):
        assert list(names) == sorted(names) and names


@pytest.mark.parametrize("theme", themes(), ids=lambda theme: theme.path.stem)
def test_a_theme_is_a_tasks_file_of_known_parts(theme: registry.Theme) -> None:
    file = read_tasks(theme.path)
    assert [dataset.name for dataset in file.datasets] == list(theme.datasets)
    for dataset in file.datasets:
        assert dataset.files is not None and dataset.files.reader in known_kinds().formats(), dataset.name
        assert dataset.toy is None or dataset.toy.generator in GENERATORS, dataset.name
        assert dataset.licence and domain_word(dataset.domain) in DOMAINS, dataset.name
        assert dataset.num_train is None or dataset.languages["train"], dataset.name
        for codes in dataset.languages.values():
            assert len(set(codes)) == len(codes), dataset.name
            assert codes == (MIXED,) or all(language(code).script for code in codes), dataset.name
    for task in file.tasks:
        assert task.metric in task.kind.metrics and task.description, task.name
        assert len(set(task.labels)) == len(task.labels), task.name


def test_no_name_is_declared_twice() -> None:
    for kind in ("datasets", "tasks"):
        names = [name for theme in themes() for name in getattr(theme, kind)]
        assert len(set(names)) == len(names)


@pytest.mark.parametrize("path", LISTS, ids=named)
def test_a_list_of_labels_belongs_to_a_task_and_ends_with_the_rest(path: Path) -> None:
    labels = listed_in(path)
    assert labels in {task.labels for task in default_registry().tasks()}
    assert labels[-1] == "<unseen>" and len(set(labels)) == len(labels)
    if path.name != "ccg_categories.txt":  # in the order of the grammar, as it says
        assert list(labels[:-1]) == sorted(labels[:-1])


def test_toy_texts_are_those_of_the_toy_encoder() -> None:
    for name, switched in TOY_PRETRAINING.switch_frac.items():
        toy = default_registry().dataset(name).toy
        assert toy is not None and toy.sizes == {"train": TOY_PRETRAINING.num_texts}
        assert toy.options == {"variant": name, "switch_frac": switched}


def test_every_known_overlap_is_of_splits_that_exist_and_stands_once() -> None:
    found = default_registry()
    entries = known_overlaps()
    assert len(set(entries)) == len(entries) > 70
    for entry in entries:
        assert found.has_split(entry.one) and found.has_split(entry.other), entry
        assert entry.why and entry.source and entry.sources, entry


def read_so_far(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    read: list[str] = []

    def counted(path: Path) -> object:
        read.append(path.stem)
        return read_tasks(path)

    monkeypatch.setattr(registry, "_catalog_file", counted)
    return read


def test_a_theme_is_read_when_something_of_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    read = read_so_far(monkeypatch)
    found = default_registry()
    assert read == []
    assert found.task("stsb").name == "stsb" and read == ["paraphrase"]
    assert found.dataset("pawsx").name == "pawsx" and read == ["paraphrase"], "once"
    assert not found.has_split("nothing/test") and read == ["paraphrase"]
    found.task("mlqa_en_de")
    assert read == ["paraphrase", "mlqa_pairs", "questions"], "and that of the dataset which it trains on"
    found.tasks()
    assert sorted(read) == sorted(theme.path.stem for theme in themes())


def test_it_does_not_matter_what_is_asked_for_first() -> None:
    expected = default_registry().tasks(), default_registry().datasets()
    for theme, backwards in itertools.product(themes(), (False, True)):
        found = default_registry()
        for name in reversed(theme.tasks) if backwards else theme.tasks:
            assert found.task(name).name == name
        assert (found.tasks(), found.datasets()) == expected


def test_an_unread_name_is_taken() -> None:
    found = default_registry()
    with pytest.raises(InputError, match="registered already"):
        found.register_dataset(Dataset(name="multinli", languages={"train": ("en",)}))
    task: Task = default_registry().task("mnli")
    with pytest.raises(InputError, match="registered already"):
        found.register_task(task)
    assert Registry().tasks() == ()
