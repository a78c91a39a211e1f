"""The catalogue against the releases as they lie in the shared folder."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from stilts.data.disjoint import check_disjoint
from stilts.data.load import load_examples, skipped_rows
from stilts.data.readers.sentences import sentence_breaks
from stilts.errors import DataError, SplitOverlapError
from stilts.tasks.example import Example
from stilts.tasks.kinds import known_kinds
from stilts.tasks.kinds.classification import CLASSIFICATION
from stilts.tasks.kinds.span_qa import SPAN_QA
from stilts.tasks.kinds.tagging import TAGGING
from stilts.tasks.registry import Registry, default_registry
from stilts.tasks.resolve import Resolver
from stilts.tasks.task import Dataset, Part, Source, SplitRef, Task

REGISTRY = default_registry()
# Not in the folder: of four datasets the train files, and all of these.
ABSENT = {("pawsx", "train"), ("qnli", "train"), ("scitail", "train"), ("policyqa", "train"), ("bucc2018", "test")}
ELSEWHERE = set(
    "americasnli boolq casehold ccgbank conll2003 conll2003_three contractnli masakhaner medmcqa mewslix "
    "mewslix_entities mewslix_pairs mrpc multieurlex multinli_translated paws paws_translated piqa socialiqa squad_v2 "
    "stsb winogrande".split()
)
# The releases keep these labels back and write a placeholder.
PLACEHOLDERS = {("copa", "test"), ("tydiqa", "test")}
# Every feature reads the same treebanks; two are read everywhere, the others by `make test-slow`.
OFTEN = {"ud_number", "ud_case", "ud_feats", "ud_supertags"}
SPLITS = [
    pytest.param(
        dataset,
        split,
        id=f"{dataset.name}-{split}",
        marks=[pytest.mark.slow] if dataset.name.startswith("ud_") and dataset.name not in OFTEN else [],
    )
    for dataset in REGISTRY.datasets()
    for split in dataset.languages
    if (dataset.name, split) not in ABSENT
    and dataset.name not in ELSEWHERE
    # MLQA's pairs of two languages: the folder has the seven pairs of one.
    and not (dataset.name.startswith("mlqa_question_") and split != "test")
]


def task_on(dataset: Dataset) -> Task:
    return next(
        task
        for task in REGISTRY.tasks()
        if dataset.name in [ref.dataset for ref in (task.train, task.dev, task.test, task.pool) if ref is not None]
    )


def resolver(shared: Path) -> Resolver:
    return Resolver(REGISTRY, {"data": shared / "data", "text": shared / "text"})


@pytest.mark.parametrize(("dataset", "split"), SPLITS)
def test_every_language_of_every_split_loads(shared: Path, dataset: Dataset, split: str) -> None:
    made, task = resolver(shared), task_on(dataset)
    ref = SplitRef(dataset=dataset.name, split=split)
    languages = made.available_languages(ref)
    assert languages
    for view in made.views(ref, task.kind, languages, limit=20):
        examples = load_examples(view, {"data": shared / "data", "text": shared / "text"}, labels=task.labels or None)
        assert 0 < len(examples) <= 20
        assert len({example.item for example in examples}) == len(examples)
        assert all(example.is_labelled() for example in examples) == ((dataset.name, split) not in PLACEHOLDERS)


@pytest.mark.parametrize("name", sorted(ELSEWHERE))
def test_what_is_not_there_is_told_by_its_path(shared: Path, name: str) -> None:
    made, dataset = resolver(shared), REGISTRY.dataset(name)
    assert dataset.files is not None
    for split, codes in dataset.languages.items():
        kind = known_kinds().formats()[dataset.files.reader][0]
        with pytest.raises(DataError, match=f'no such file, for dataset "{name}", split "{split}"') as caught:
            made.views(SplitRef(dataset=name, split=split), kind, codes[:1])
        assert caught.value.file.startswith(str(shared))
    if name == "ccgbank":
        assert "LDC2005T13" in str(caught.value)


# Rows of the folder, by SOURCES.md or counted with other tools; NLI's "-" are left out.
SIZES = {
    ("multinli", "train"): 17_682,
    ("squad_sentences", "train"): 931,
    ("squad_sentences", "dev"): 131,
    ("snli", "train"): 8_847,
    ("rte", "train"): 2_490,
    ("rte", "dev"): 277,
    ("qnli", "dev"): 5_732,
    ("scitail", "dev"): 2_126,
    ("sick", "train"): 9_500,
    ("mpe", "dev"): 1_000,
    ("joci", "train"): 8_412,
    ("policyqa", "dev"): 3_809,
    ("policyqa", "test"): 4_152,
    ("pubmedqa", "train"): 1_000,
    ("qqp", "train"): 5_843,
    ("udpos", "train"): 12_544,
    ("e3c", "train"): 1_388,
    ("e3c", "dev"): 132,
    ("legal_ner", "train"): 1_500,
    ("multileg", "dev"): 431,
    ("exceptius", "train"): 638,
    ("ncbi_disease", "train"): 5_411,
    ("bc5cdr_disease", "dev"): 4_559,
}


@pytest.mark.parametrize(("name", "split"), SIZES)
def test_every_row_is_read_or_counted(shared: Path, name: str, split: str) -> None:
    task = task_on(REGISTRY.dataset(name))
    view = resolver(shared).views(SplitRef(dataset=name, split=split), task.kind, ["en"])[0]
    roots = {"data": shared / "data"}
    examples = load_examples(view, roots, labels=task.labels or None)
    assert len(examples) + sum(skipped_rows(view, roots).values()) == SIZES[name, split]
    if task.kind is CLASSIFICATION:
        assert {example.label for example in examples} == set(task.labels)


def test_anli_plus_is_its_three_releases(shared: Path) -> None:
    made, roots = resolver(shared), {"data": shared / "data"}

    def loaded(name: str, split: str) -> list[Example]:
        view = made.views(SplitRef(dataset=name, split=split), CLASSIFICATION, ["en"])[0]
        return load_examples(view, roots, labels=REGISTRY.task("anli_plus").labels)

    for split in ("train", "dev"):
        whole = sorted((e.content(), e.label) for e in loaded("anli_plus", split))
        parts = [e for name in ("multinli", "snli", "anli") for e in loaded(name, split)]
        assert whole == sorted((e.content(), e.label) for e in parts)


def ud_labels(shared: Path, name: str, split: str, language: str) -> Counter[str]:
    view = resolver(shared).views(SplitRef(dataset=name, split=split), TAGGING, [language])[0]
    examples = load_examples(view, {"data": shared / "data"}, labels=REGISTRY.task(name).labels)
    return Counter(tag for example in examples for tag in example.tags or ())


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("ud_number", 0.0),
        ("ud_prontype", 0.0),
        ("ud_feats", 0.0),
        ("ud_supertags", 0.015),
        ("ud_lemma_scripts", 0.005),
        ("ud_endings", 0.002),
    ],
)
def test_inventories_cover_english_train(shared: Path, name: str, most: float) -> None:
    counts = ud_labels(shared, name, "train", "en")
    unseen = counts["<other>"] + counts["<unseen>"]
    assert unseen <= most * counts.total()
    if name == "ud_feats":
        assert set(counts) == set(REGISTRY.task(name).labels) - {"<unseen>"}


def test_values_that_the_guidelines_lack_are_other(shared: Path) -> None:
    counts = ud_labels(shared, "ud_case", "test", "fi")
    assert counts["Ine"] > 100 and counts["<other>"] == 0
    combined = [ud_labels(shared, "ud_case", "test", code)["<other>"] for code in ("ar", "ur", "ro", "hi")]
    assert sum(combined) > 0


@pytest.mark.parametrize("name", ["xnli", "pawsx", "xquad", "udpos", "tatoeba", "lareqa"])
def test_translations_share_items(shared: Path, name: str) -> None:
    made, task = resolver(shared), REGISTRY.task(name)
    assert task.test is not None
    pair = {"udpos": ["ar", "th"], "lareqa": ["ar", "de"]}.get(name, ["de", "es"])
    roots = {"data": shared / "data"}
    one, other = (
        {example.item for example in load_examples(view, roots)} for view in made.views(task.test, task.kind, pair)
    )
    # Tatoeba's languages translate different sentences, with few in common; the others translate the same.
    assert len(one & other) > (0 if name == "tatoeba" else 0.9 * min(len(one), len(other)))


@pytest.mark.parametrize("selection", ["english_dev", "target_dev"])
@pytest.mark.parametrize("name", "xnli udpos panx xquad mlqa xcopa tatoeba tydiqa_heldout lareqa bucc2018".split())
def test_targets_have_disjoint_uses(shared: Path, name: str, selection: str) -> None:
    made, task = resolver(shared), REGISTRY.task(name)
    assert task.test is not None
    languages = [code for code in made.target_languages(task) if code in ("en", "de", "ar", "sw", "zh", "id")]
    views = made.target_views(task, languages=languages, selection=selection)
    counts = check_disjoint(views.train, views.select or views.calibration, views.report, {"data": shared / "data"})
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
        kind=SPAN_QA,
        metric="squad",
        train=SplitRef(dataset="squad", split="train"),
        dev=SplitRef(dataset="squad", split="dev"),
        test=SplitRef(dataset="xquad", split="test"),
    )
    registry.register_task(task)
    views = Resolver(registry, {"data": shared / "data"}).target_views(task, languages=["en", "de"])
    with pytest.raises(SplitOverlapError, match="they share 101 by paragraph"):
        check_disjoint(views.train, views.select, views.report, {"data": shared / "data"})


@pytest.mark.parametrize("name", ["subjqa_electronics", "subjqa_restaurants"])
@pytest.mark.parametrize("selection", ["english_dev", "target_dev"])
def test_subjqas_splits_come_to_share_no_review_with_its_test_set(shared: Path, name: str, selection: str) -> None:
    made, roots = resolver(shared), {"data": shared / "data"}
    views = made.target_views(REGISTRY.task(name), languages=["en"], selection=selection)
    check_disjoint(views.train, views.select, views.report, roots)
    train, select, report = (load_examples(each[0], roots) for each in (views.train, views.select, views.report))
    assert len(train) > 1000 and len(select) > 250 and len(report) > 260
    for examples in (train, select, report):
        without = sum(not example.answers for example in examples) / len(examples)  # type: ignore[union-attr]
        assert 0.3 < without < 0.65
    assert sum(skipped_rows(views.report[0], roots).values()) > 0


def test_tydiqas_placeholders_are_no_answers(shared: Path) -> None:
    made, task = resolver(shared), REGISTRY.task("tydiqa")
    views = made.target_views(task, languages=["fi"])
    with pytest.raises(DataError, match="782 of 782 examples have no label"):
        check_disjoint(views.train, views.select, views.report, {"data": shared / "data"})


@pytest.mark.parametrize(
    "name",
    [
        task.name
        for task in REGISTRY.tasks()
        if task.test is not None and task.name != "tydiqa_heldout" and REGISTRY.dataset(task.test.dataset).toy
    ],
)
def test_toy_targets_have_disjoint_uses(name: str) -> None:
    made, task = Resolver(REGISTRY, {}, source=Source.TOY), REGISTRY.task(name)
    assert task.test is not None
    views = made.target_views(task, languages=made.available_languages(task.test)[:2], train_limit=100)
    counts = check_disjoint(views.train, views.select, views.report, {})
    assert all(count.num_examples > 0 for count in counts)


def test_bucc_without_test_files_halves_its_dev_files(shared: Path) -> None:
    made, task, roots = resolver(shared), REGISTRY.task("bucc2018"), {"data": shared / "data"}
    assert made.target_languages(task) == ("zh",)
    views = made.target_views(task, languages=["zh"])
    assert views.select == () and [view.part for view in views.calibration] == [Part.HALF_SELECT]
    halves = [load_examples(view, roots) for view in (*views.calibration, *views.report)]
    pairs = [[pair for example in half for pair in example.pairs] for half in halves]
    assert sum(map(len, pairs)) == 257 and min(map(len, pairs)) > 100
    by_dev = made.target_views(task, languages=["zh"], selection="target_dev")
    assert by_dev.select == by_dev.calibration == views.calibration and by_dev.report == views.report


def test_every_question_of_lareqa_has_a_right_sentence_in_each_language(shared: Path) -> None:
    made, task, roots = resolver(shared), REGISTRY.task("lareqa"), {"data": shared / "data"}
    views = made.target_views(task, languages=["de", "zh"])
    assert [view.language for view in views.pool] == ["de", "zh"]
    candidates = [example for view in views.pool for example in load_examples(view, roots)]
    assert len({example.item for example in candidates}) == len(candidates) == 1276 + 1196
    right = Counter(key for example in candidates for key in example.keys)
    questions = [example.key for view in views.report for example in load_examples(view, roots)]
    assert len(questions) == 2 * 1190 and {right[key] for key in questions} == {2}


def test_squad_is_broken_into_the_sentences_that_lareqa_has(shared: Path) -> None:
    document = json.loads((shared / "data" / "lareqa" / "xquad-r" / "en.json").read_text())
    paragraphs = [paragraph for article in document["data"] for paragraph in article["paragraphs"]]
    wanted = [{tuple(ends) for ends in each["sentence_breaks"]} for each in paragraphs]
    found = [set(sentence_breaks(each["context"])) for each in paragraphs]
    same = sum(len(one & other) for one, other in zip(wanted, found, strict=True))
    assert same >= 0.98 * max(sum(map(len, wanted)), sum(map(len, found)))
