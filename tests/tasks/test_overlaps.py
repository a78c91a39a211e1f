"""The overlap ledger: names that exist, and what it says of pairs of tasks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stilts.tasks.kinds.classification import CLASSIFICATION
from stilts.tasks.kinds.tagging import TAGGING
from stilts.tasks.overlap_entries import OverlapEntry, Sharing, known_overlaps
from stilts.tasks.overlaps import Ledger, Overlap
from stilts.tasks.registry import Registry, default_registry
from stilts.tasks.task import Dataset, FilesLayout, Part, Source, SplitRef, Task

REGISTRY = default_registry()
LABELS = ("a", "b")


def shared(intermediate: str | Task, target: str | Task, source: Source = Source.FILES) -> tuple[Overlap, ...]:
    one, other = (REGISTRY.task(task) if isinstance(task, str) else task for task in (intermediate, target))
    return Ledger(REGISTRY, lambda _: source).shared(one, other)


@pytest.mark.parametrize("entry", known_overlaps(), ids=lambda entry: f"{entry.one}-{entry.other}")
def test_every_split_in_the_ledger_is_registered(entry: OverlapEntry) -> None:
    for name in (entry.one, entry.other):
        dataset, split = name.split("/")
        assert split in REGISTRY.dataset(dataset).languages
    assert entry.why and not entry.why.endswith(".") and entry.source


@pytest.mark.parametrize(
    ("row", "column"), [("mnli", "xnli"), ("squad", "xquad"), ("squad", "mlqa"), ("copa", "xcopa")]
)
@pytest.mark.parametrize("source", list(Source))
def test_the_english_training_set_of_a_target_is_known_with_its_paper(row: str, column: str, source: Source) -> None:
    (found, *_) = shared(row, column, source)
    assert (found.use, found.target_use, found.what) == ("train", "train", Sharing.EXAMPLES)
    assert found.why.startswith(f"{row} trains on the English training data of {column} (")
    assert "English training set" in found.known and "20" in found.source


@pytest.mark.parametrize(
    ("row", "column"), [("hellaswag", "xnli"), ("mnli", "udpos"), ("qqp", "panx"), ("snli", "xnli")]
)
def test_tasks_without_a_known_overlap_share_nothing(row: str, column: str) -> None:
    assert shared(row, column) == ()


def test_an_intermediate_chosen_on_squads_dev_set_has_peeked_at_xquad() -> None:
    peeking = replace(REGISTRY.task("squad"), name="peeking", dev=SplitRef(dataset="squad", split="dev"))
    trained, chosen = shared(peeking, "xquad")
    assert (trained.use, trained.target_use) == ("train", "train")
    assert (chosen.use, chosen.target_use, chosen.what) == ("dev", "test", Sharing.PARAGRAPHS)
    assert chosen.why.startswith("peeking is chosen by paragraphs shared with what xquad is evaluated on: XQuAD is 240")
    on_dev = replace(peeking, train=SplitRef(dataset="squad", split="dev"), dev=None)
    assert [found.target_use for found in shared(on_dev, "xquad")] == ["test"]


@pytest.mark.parametrize("column", ["xquad", "mlqa", "mlqa_en_de", "lareqa"])
def test_squad_2_holds_the_training_questions_of_what_trains_on_squad(column: str) -> None:
    (found,) = shared("squad_v2", column)
    assert (found.use, found.target_use, found.what) == ("train", "train", Sharing.EXAMPLES)
    assert "1806.03822" in found.source
    peeking = replace(REGISTRY.task("squad_v2"), name="peeking", dev=SplitRef(dataset="squad_v2", split="dev"))
    on_test = [each.what for each in shared(peeking, column) if each.target_use == "test"]
    assert on_test == ([Sharing.PARAGRAPHS] if column in ("xquad", "lareqa") else [])


def test_every_pair_of_mlqa_knows_its_training_set() -> None:
    for name in ("mlqa_en_de", "mlqa_zh_ar", "mlqa_question_vi"):
        (found, *_) = shared("squad", name)
        assert "SQuAD 1.1 is MLQA's English training set" in found.known


def test_disjoint_parts_of_a_split_share_no_example() -> None:
    tenth = replace(
        REGISTRY.task("squad"), name="tenth", train=SplitRef(dataset="squad", split="train", part=Part.TENTH), dev=None
    )
    assert [found.target_use for found in shared(tenth, "xquad")] == ["dev"], "and not train, which is the rest"


def test_what_the_plain_text_shares_depends_on_its_source() -> None:
    told = {source: {found.why for found in shared("plain", "panx", source)} for source in Source}
    assert any("WikiANN's train sets" in why for why in told[Source.FILES])
    assert any("evaluated on" in why for why in told[Source.HUB])
    assert not told[Source.TOY]
    assert shared("plain", "udpos", Source.HUB) == ()
    assert shared("translation", "tatoeba", Source.HUB) and not shared("translation", "tatoeba")


def test_a_probe_of_masked_lm_is_marked_for_its_own_text_and_for_what_the_text_was_made_of() -> None:
    (own,) = shared("plain", "masked_lm")
    assert (own.target_use, own.what) == ("test", Sharing.EXAMPLES)
    for row in ("udpos", "panx", "tydiqa_en"):
        assert [found.target_use for found in shared(row, "masked_lm")] == ["test"]


def test_training_in_english_shares_no_files_with_the_other_languages() -> None:
    assert {found.target_use for found in shared("tydiqa_en", "tydiqa_heldout")} == {"train"}


def two_tasks_on_the_same_files(path: str) -> tuple[Registry, Task, Task]:
    registry = Registry()
    made = []
    for name, kind, where in (("parts", TAGGING, "ud/{lang}.txt"), ("features", CLASSIFICATION, path)):
        layout = FilesLayout(reader="conllu", splits={"train": where, "test": "of_its_own/{lang}/" + name})
        registry.register_dataset(Dataset(name=name, languages={"train": ("en",), "test": ("en",)}, files=layout))
        train, test = (SplitRef(dataset=name, split=split) for split in ("train", "test"))
        made.append(Task(name=name, kind=kind, metric="accuracy", labels=LABELS, train=train, test=test))
        registry.register_task(made[-1])
    return registry, made[0], made[1]


@pytest.mark.parametrize("path", ["ud/{lang}.txt", "more.txt|ud/en.txt"])
def test_tasks_that_read_the_same_file_under_two_names_share_its_sentences(path: str) -> None:
    registry, parts, features = two_tasks_on_the_same_files(path)
    (found,) = Ledger(registry).shared(features, parts)
    assert (found.target_use, found.what) == ("train", Sharing.SENTENCES)
    assert Ledger(registry, lambda _: Source.TOY).shared(features, parts) == ()


def test_another_file_is_another_matter() -> None:
    registry, parts, features = two_tasks_on_the_same_files("ud/de.txt")
    assert Ledger(registry).shared(features, parts) == ()


def test_a_reason_stands_once_for_a_pair_of_tasks() -> None:
    for source in Source:
        pairs = Ledger(REGISTRY, lambda _, source=source: source).pairs()
        keys = [(found.intermediate, found.target, found.use, found.target_use, found.why) for found in pairs]
        assert pairs and len(keys) == len(set(keys))
        assert all(found.source for found in pairs)


def test_what_is_known_of_a_file_is_known_of_every_dataset_that_reads_it() -> None:
    features = [task.name for task in REGISTRY.tasks() if task.name.startswith("ud_")]
    assert features
    for name in features:
        assert [found.what for found in shared(name, "udpos")] == [Sharing.EXAMPLES] * len(shared(name, "udpos")) != []
        assert any("UD's train sets" in found.known for found in shared("plain", name))


@pytest.mark.parametrize("target", ["xnli", "americasnli"])
def test_anli_plus_holds_the_training_set_of_xnli(target: str) -> None:
    assert [(found.use, found.target_use) for found in shared("anli_plus", target)] == [("train", "train")]


def test_paws_is_chosen_by_what_pawsx_is_evaluated_on() -> None:
    assert {(found.use, found.target_use) for found in shared("paws", "pawsx")} == {("train", "train"), ("dev", "test")}


def test_qnli_trains_on_squad_and_its_dev_set_on_xquad() -> None:
    assert {found.target_use for found in shared("qnli_dev", "xquad")} == {"test"}
    assert {found.target_use for found in shared("qnli_dev", "lareqa")} == {"test"}, "whose paragraphs are XQuAD's"
    assert {(found.use, found.target_use) for found in shared("qnli", "mlqa")} == {("train", "train")}
