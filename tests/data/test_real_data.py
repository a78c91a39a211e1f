"""The catalogue against the releases as they lie in the shared folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from stilts.data.disjoint import check_disjoint
from stilts.data.load import is_labelled, load_examples
from stilts.errors import DataError, SplitOverlapError
from stilts.tasks.registry import Registry, default_registry
from stilts.tasks.resolve import Resolver
from stilts.tasks.task import Dataset, Kind, Source, SplitRef, Task

REGISTRY = default_registry()
# Not in the folder: PAWS-X has no train file there.
ABSENT = {("pawsx", "train")}
# The releases keep these labels back and write a placeholder.
PLACEHOLDERS = {("copa", "test"), ("tydiqa", "test")}
SPLITS = [
    (dataset, split)
    for dataset in REGISTRY.datasets()
    for split in dataset.languages
    if (dataset.name, split) not in ABSENT
]


def task_on(dataset: Dataset) -> Task:
    return next(
        task
        for task in REGISTRY.tasks()
        if dataset.name in [ref.dataset for ref in (task.train, task.dev, task.test) if ref is not None]
    )


def resolver(shared: Path) -> Resolver:
    return Resolver(REGISTRY, {"data": shared / "data", "text": shared / "text"})


@pytest.mark.parametrize(("dataset", "split"), SPLITS, ids=lambda value: getattr(value, "name", value))
def test_every_language_of_every_split_loads(shared: Path, dataset: Dataset, split: str) -> None:
    made, task = resolver(shared), task_on(dataset)
    ref = SplitRef(dataset=dataset.name, split=split)
    languages = made.available_languages(ref)
    assert languages
    for view in made.views(ref, task.kind, languages, limit=20):
        examples = load_examples(view, {"data": shared / "data", "text": shared / "text"}, labels=task.labels or None)
        assert 0 < len(examples) <= 20
        assert len({example.item for example in examples}) == len(examples)
        assert all(is_labelled(example) for example in examples) == ((dataset.name, split) not in PLACEHOLDERS)


@pytest.mark.parametrize("name", ["xnli", "pawsx", "xquad", "udpos", "tatoeba"])
def test_translations_share_items(shared: Path, name: str) -> None:
    made, task = resolver(shared), REGISTRY.task(name)
    assert task.test is not None
    pair = ["ar", "th"] if name == "udpos" else ["de", "es"]
    roots = {"data": shared / "data"}
    one, other = (
        {example.item for example in load_examples(view, roots)} for view in made.views(task.test, task.kind, pair)
    )
    # Tatoeba's languages translate different sentences, with few in common; the others translate the same.
    assert len(one & other) > (0 if name == "tatoeba" else 0.9 * min(len(one), len(other)))


@pytest.mark.parametrize("selection", ["english_dev", "target_dev"])
@pytest.mark.parametrize("name", ["xnli", "udpos", "panx", "xquad", "mlqa", "xcopa", "tatoeba", "tydiqa_heldout"])
def test_targets_have_disjoint_uses(shared: Path, name: str, selection: str) -> None:
    made, task = resolver(shared), REGISTRY.task(name)
    assert task.test is not None
    languages = [code for code in made.available_languages(task.test) if code in ("en", "de", "ar", "sw", "zh", "id")]
    views = made.target_views(task, languages=languages, selection=selection)
    counts = check_disjoint(views.train, views.select, views.report, {"data": shared / "data"})
    assert {count.use for count in counts} >= {"report"} | ({"train"} if task.is_trained else set())


def test_known_repetitions_are_left_out_of_training(shared: Path) -> None:
    made, roots = resolver(shared), {"data": shared / "data"}
    task = REGISTRY.task("udpos")
    train = made.target_views(task, languages=["en"]).train[0]
    evaluated = {
        example.content() for view in train.exclude for example in load_examples(view, roots, labels=task.labels)
    }
    kept = load_examples(train, roots, labels=task.labels)
    assert evaluated.isdisjoint(example.content() for example in kept)
    assert len(kept) < 12544


def test_squad_dev_is_found_to_hold_xquads_paragraphs(shared: Path) -> None:
    registry = Registry()
    for name in ("squad", "xquad"):
        registry.register_dataset(REGISTRY.dataset(name))
    task = Task(
        name="peeking",
        kind=Kind.SPAN_QA,
        metric="squad",
        train=SplitRef(dataset="squad", split="train"),
        dev=SplitRef(dataset="squad", split="dev"),
        test=SplitRef(dataset="xquad", split="test"),
    )
    registry.register_task(task)
    views = Resolver(registry, {"data": shared / "data"}).target_views(task, languages=["en", "de"])
    with pytest.raises(SplitOverlapError, match="they share 101 by paragraph"):
        check_disjoint(views.train, views.select, views.report, {"data": shared / "data"})


def test_tydiqas_placeholders_are_no_answers(shared: Path) -> None:
    made, task = resolver(shared), REGISTRY.task("tydiqa")
    views = made.target_views(task, languages=["fi"])
    with pytest.raises(DataError, match="782 of 782 examples have no label"):
        check_disjoint(views.train, views.select, views.report, {"data": shared / "data"})


@pytest.mark.parametrize(
    "name", [task.name for task in REGISTRY.tasks() if task.test is not None and task.name != "tydiqa_heldout"]
)
def test_toy_targets_have_disjoint_uses(name: str) -> None:
    made, task = Resolver(REGISTRY, {}, source=Source.TOY), REGISTRY.task(name)
    assert task.test is not None
    views = made.target_views(task, languages=made.available_languages(task.test)[:2], train_limit=100)
    counts = check_disjoint(views.train, views.select, views.report, {})
    assert all(count.num_examples > 0 for count in counts)
