from __future__ import annotations

from dataclasses import replace

import pytest

from stilts.errors import InputError, UnknownNameError
from stilts.tasks.formats import FORMATS
from stilts.tasks.languages import language
from stilts.tasks.registry import Registry, default_registry
from stilts.tasks.task import Dataset, Kind, SplitRef, Task

DATASET = Dataset(name="reviews", languages={"train": ("en",), "test": ("en", "de")})
TASK = Task(
    name="reviews",
    kind=Kind.CLASSIFICATION,
    metric="accuracy",
    labels=("good", "bad"),
    train=SplitRef(dataset="reviews", split="train"),
    test=SplitRef(dataset="reviews", split="test"),
)


def test_two_registries_do_not_share() -> None:
    one, other = Registry(), Registry()
    one.register_dataset(DATASET)
    one.register_task(TASK)
    assert one.task("reviews") is TASK
    assert other.tasks() == () and other.datasets() == ()


def test_duplicate_names_are_refused() -> None:
    registry = Registry()
    registry.register_dataset(DATASET)
    registry.register_task(TASK)
    with pytest.raises(InputError, match="registered already"):
        registry.register_dataset(DATASET)
    with pytest.raises(InputError, match="registered already"):
        registry.register_task(TASK)


def test_an_unknown_name_suggests_a_close_one() -> None:
    with pytest.raises(UnknownNameError, match='Did you mean "xnli"'):
        default_registry().task("xnil")
    with pytest.raises(UnknownNameError, match='Did you mean "multinli"'):
        default_registry().dataset("multinly")


@pytest.mark.parametrize("split", ["trian", "dev"])
def test_a_task_must_name_splits_that_exist(split: str) -> None:
    registry = Registry()
    registry.register_dataset(DATASET)
    with pytest.raises(UnknownNameError, match=r'task "reviews", train'):
        registry.register_task(replace(TASK, train=SplitRef(dataset="reviews", split=split)))
    with pytest.raises(UnknownNameError, match=r'task "reviews", test'):
        registry.register_task(replace(TASK, test=SplitRef(dataset="review", split="test")))


def test_the_catalogue_is_whole() -> None:
    registry = default_registry()
    for dataset in registry.datasets():
        assert dataset.files and dataset.hub and dataset.toy, dataset.name
        assert set(dataset.files.splits) == set(dataset.languages) == set(dataset.hub.splits), dataset.name
        for codes in dataset.languages.values():
            assert len(set(codes)) == len(codes)
            assert all(language(code).script for code in codes)
    for task in registry.tasks():
        for ref in (task.train, task.dev, task.test):
            if ref is not None:
                files = registry.dataset(ref.dataset).files
                assert files is not None and FORMATS[files.reader].kind is task.kind, task.name


def test_a_language_without_entry_is_an_error() -> None:
    assert language("sw").family == "Atlantic-Congo"
    assert language("qaa").family == "toy"
    with pytest.raises(UnknownNameError):
        language("xx")
