from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest

from stilts.errors import InputError, UnknownNameError
from stilts.tasks.kinds import known_kinds
from stilts.tasks.kinds.classification import CLASSIFICATION
from stilts.tasks.kinds.multiple_choice import MULTIPLE_CHOICE
from stilts.tasks.kinds.span_qa import SPAN_QA
from stilts.tasks.languages import language
from stilts.tasks.registry import Registry, default_registry
from stilts.tasks.resolve import Resolver
from stilts.tasks.task import Dataset, Source, SplitRef, Task

DATASET = Dataset(name="reviews", languages={"train": ("en",), "test": ("en", "de")})
TASK = Task(
    name="reviews",
    kind=CLASSIFICATION,
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
        assert dataset.files is not None
        assert set(dataset.files.splits) == set(dataset.languages), dataset.name
        assert dataset.hub is None or set(dataset.hub.splits) == set(dataset.languages), dataset.name
        assert dataset.toy is None or set(dataset.toy.sizes) >= set(dataset.languages) - {"heldout"}, dataset.name
    for task in registry.tasks():
        for ref in (task.train, task.dev, task.test, task.pool):
            if ref is not None:
                files = registry.dataset(ref.dataset).files
                assert files is not None and known_kinds().formats()[files.reader][0] is task.kind, task.name
        assert task.metric in task.kind.metrics and task.description, task.name


INTERMEDIATES = (
    "anli_plus anli snli mnli qnli rte scitail sick mpe joci qqp paws squad squad_v2 hellaswag cosmosqa commonsenseqa "
    "socialiqa piqa winogrande copa boolq mrpc conll2003 udpos ud_feats ud_supertags ud_number ud_case ud_verbform "
    "pubmedqa policyqa casehold contractnli medmcqa subjqa_electronics subjqa_restaurants"
).split()


@pytest.mark.parametrize("name", INTERMEDIATES)
def test_an_intermediate_says_what_it_is(name: str) -> None:
    registry = default_registry()
    task = registry.task(name)
    assert task.train is not None and task.dev is not None
    dataset = registry.dataset(task.train.dataset)
    assert dataset.num_train is not None and dataset.num_train >= 400
    assert dataset.licence and dataset.domain and dataset.citation
    assert task.labels or task.kind in (SPAN_QA, MULTIPLE_CHOICE)


def test_the_word_for_what_is_unseen_is_a_label() -> None:
    registry = default_registry()
    for task in registry.tasks():
        files = None if task.train is None else registry.dataset(task.train.dataset).files
        if files is not None and "unseen" in files.options:
            assert files.options["unseen"] in task.labels, task.name


def test_every_pair_of_mlqas_languages_is_one_word() -> None:
    registry = default_registry()
    codes = registry.dataset("mlqa").languages["test"]
    for context, question in permutations(codes, 2):
        task = registry.task(f"mlqa_{context}_{question}")
        assert task.test is not None and (task.metric, task.learner) == ("mlqa", "squad")
        dataset = registry.dataset(task.test.dataset)
        assert dataset.languages[task.test.split] == (context,)
        assert dataset.files is not None and dataset.hub is not None and dataset.hub.config is not None
        path = dataset.files.splits[task.test.split].replace("{lang}", context)
        assert path.endswith(f"context-{context}-question-{question}.json")
        assert dataset.hub.config.replace("{lang}", context) == f"MLQA.{context}.{question}"


def test_what_is_learned_together_is_the_same() -> None:
    by_learner: dict[str, set[object]] = {}
    for task in default_registry().tasks():
        if task.train is not None:
            by_learner.setdefault(task.learner, set()).add((task.kind, task.labels, task.train))
    assert all(len(learned) == 1 for learned in by_learner.values())


def test_no_further_target_decides_what_others_leave_out() -> None:
    """A target that excludes overlaps changes the training of every task on the same split, and so its stage ids."""
    by_split: dict[tuple[str, str], list[Task]] = {}
    for task in default_registry().tasks():
        if task.train is not None and task.test is not None and task.on_overlap == "exclude":
            by_split.setdefault((task.train.dataset, task.train.split), []).append(task)
    shared = {tasks[0].name for tasks in by_split.values() if not tasks[0].name.startswith(("ud_", "subjqa_"))}
    assert shared == {"panx", "pawsx", "udpos"}
    # A second target of the same data (udpos_f1) leaves out what the first does, and changes nothing.
    assert all(len({(task.kind, task.dev, task.test) for task in tasks}) == 1 for tasks in by_split.values())


def test_parts_of_speech_are_trained_once_for_both_measures() -> None:
    made, registry = Resolver(default_registry(), {}, source=Source.TOY), default_registry()
    views = [made.target_views(registry.task(name), languages=["en", "qab"]) for name in ("udpos", "udpos_f1")]
    assert views[0] == views[1]
    assert registry.task("udpos").learning_payload() == registry.task("udpos_f1").learning_payload()


def test_a_language_without_entry_is_an_error() -> None:
    assert language("sw").family == "Atlantic-Congo"
    assert language("qaa").family == "toy"
    with pytest.raises(UnknownNameError):
        language("xx")
