from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stilts.data import load
from stilts.data.disjoint import check_disjoint
from stilts.data.load import forget_examples, in_part, limited, load_examples, skipped_rows
from stilts.errors import DataError, InputError, SplitOverlapError
from stilts.tasks.kind import TaskKind
from stilts.tasks.kinds.classification import CLASSIFICATION, ClassificationExample
from stilts.tasks.kinds.masked_lm import TextExample
from stilts.tasks.kinds.span_qa import SPAN_QA
from stilts.tasks.registry import Registry, default_registry
from stilts.tasks.resolve import Resolver
from stilts.tasks.task import Dataset, FilesLayout, HubLayout, Part, Source, SplitRef
from stilts.tasks.view import DataView

TEXTS = st.lists(st.text(min_size=1, max_size=6), max_size=60)


def texts(values: list[str]) -> list[TextExample]:
    return [TextExample(item=str(i), text=value) for i, value in enumerate(values)]


@given(TEXTS)
def test_parts_divide_a_split(values: list[str]) -> None:
    examples = texts(values)
    for one, other in ((Part.TENTH, Part.REST), (Part.HALF_SELECT, Part.HALF_REPORT)):
        assert all(in_part(example, one) != in_part(example, other) for example in examples)
        assert all(in_part(example, Part.ALL) for example in examples)
    tenth = {example.text for example in examples if in_part(example, Part.TENTH)}
    assert tenth.isdisjoint(example.text for example in examples if in_part(example, Part.REST))


@given(TEXTS, st.integers(0, 80))
def test_a_limit_keeps_the_same_items_in_every_language(values: list[str], limit: int) -> None:
    one = limited(texts(values), limit)
    other = limited(texts([value + "!" for value in reversed(values)]), limit)
    assert [example.item for example in one] == [example.item for example in other]
    assert len(one) == min(limit, len(values))
    assert [int(example.item) for example in one] == sorted(int(example.item) for example in one)
    more = limited(texts(values), limit + 1)
    assert {example.item for example in one} <= {example.item for example in more}


def test_a_tenth_is_about_a_tenth() -> None:
    share = sum(in_part(example, Part.TENTH) for example in texts([str(i) for i in range(5000)])) / 5000
    assert 0.08 < share < 0.12


def resolver(root: Path, reader: str = "pair_tsv", **layout: object) -> Resolver:
    registry = Registry()
    files = FilesLayout(reader=reader, splits={"train": "train", "dev": "dev", "test": "test"}, **layout)  # type: ignore[arg-type]
    registry.register_dataset(
        Dataset(name="d", languages={"train": ("en",), "dev": ("en",), "test": ("en",)}, files=files)
    )
    return Resolver(registry, {"data": root})


def view(root: Path, split: str, part: Part = Part.ALL, reader: str = "pair_tsv", **layout: object) -> DataView:
    kind = SPAN_QA if reader == "squad_json" else CLASSIFICATION
    ref = SplitRef(dataset="d", split=split, part=part)
    return resolver(root, reader, **layout).views(ref, kind, ["en"])[0]


def rows(*names: str) -> str:
    return "".join(f"{name}\tpair\tx\n" for name in names)


def test_what_stands_in_an_excluded_view_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "train").write_text(rows("a", "b", "c"))
    (tmp_path / "test").write_text(rows("z", "b"))
    train = replace(view(tmp_path, "train"), exclude=(view(tmp_path, "test"),))
    roots = {"data": tmp_path}
    assert [example.item for example in load_examples(train, roots)] == ["0", "2"]
    assert load_examples(train, roots) == load_examples(train, roots)


def test_labels_are_those_of_the_task(tmp_path: Path) -> None:
    (tmp_path / "train").write_text(rows("a"))
    with pytest.raises(DataError, match='line 1, field label: label "x"'):
        load_examples(view(tmp_path, "train"), {"data": tmp_path}, labels=["y", "z"])
    hidden = view(tmp_path, "train", options={"unlabelled": ["train"]})
    assert load_examples(hidden, {"data": tmp_path})[0].label is None  # type: ignore[union-attr]


def test_files_that_changed_since_the_plan_are_refused(tmp_path: Path) -> None:
    (tmp_path / "train").write_text(rows("a"))
    planned = view(tmp_path, "train")
    (tmp_path / "train").write_text(rows("a", "b"))
    with pytest.raises(DataError, match="not what it was"):
        load_examples(planned, {"data": tmp_path})
    with pytest.raises(DataError, match="no folder of that name"):
        load_examples(planned, {})
    (tmp_path / "train").unlink()
    with pytest.raises(DataError, match="no such file"):
        load_examples(planned, {"data": tmp_path})


def test_an_empty_file_is_refused_and_skipped_rows_are_counted(tmp_path: Path) -> None:
    (tmp_path / "train").write_text("")
    with pytest.raises(DataError, match="train, line 1: the file is empty"):
        load_examples(view(tmp_path, "train"), {"data": tmp_path})
    (tmp_path / "test").write_text(rows("a", "NS"))
    assert skipped_rows(view(tmp_path, "test", options={"drop": "NS"}), {"data": tmp_path}) == {"a sentence is NS": 1}


def test_disjoint_uses_are_counted(tmp_path: Path) -> None:
    (tmp_path / "train").write_text(rows("a", "b"))
    (tmp_path / "dev").write_text(rows("c"))
    (tmp_path / "test").write_text(rows("d", "e", "f"))
    uses = [[view(tmp_path, split)] for split in ("train", "dev", "test")]
    counts = check_disjoint(*uses, {"data": tmp_path})
    assert [(count.use, count.num_examples) for count in counts] == [("train", 2), ("select", 1), ("report", 3)]


@pytest.mark.parametrize(("first", "second"), [("train", "dev"), ("train", "test"), ("dev", "test")])
def test_a_shared_example_is_refused(tmp_path: Path, first: str, second: str) -> None:
    for split in ("train", "dev", "test"):
        (tmp_path / split).write_text(rows(f"own {split}", *(["shared"] if split in (first, second) else [])))
    uses = [[view(tmp_path, split)] for split in ("train", "dev", "test")]
    with pytest.raises(SplitOverlapError, match=r"they share 1 by content.*shared") as caught:
        check_disjoint(*uses, {"data": tmp_path})
    assert first in str(caught.value) and second in str(caught.value)


def test_halves_share_no_item_and_parts_of_a_split_are_disjoint(tmp_path: Path) -> None:
    (tmp_path / "test").write_text(rows(*(f"w{i}" for i in range(200))))
    (tmp_path / "train").write_text(rows(*(f"t{i}" for i in range(200))))
    check_disjoint(
        [view(tmp_path, "train", Part.REST)],
        [view(tmp_path, "test", Part.HALF_SELECT)],
        [view(tmp_path, "test", Part.HALF_REPORT)],
        {"data": tmp_path},
    )
    with pytest.raises(SplitOverlapError):
        check_disjoint([], [view(tmp_path, "test", Part.HALF_SELECT)], [view(tmp_path, "test")], {"data": tmp_path})


def test_a_shared_paragraph_or_question_id_is_refused(tmp_path: Path) -> None:
    def squad(identifier: str, question: str, context: str) -> str:
        answer = '[{"text": "P", "answer_start": 0}]'
        asked = f'{{"id": "{identifier}", "question": "{question}", "answers": {answer}}}'
        return f'{{"data": [{{"paragraphs": [{{"context": "{context}", "qas": [{asked}]}}]}}]}}'

    (tmp_path / "dev").write_text(squad("1", "who?", "P one"))
    (tmp_path / "test").write_text(squad("2", "Who?", "P one"))
    select, report = view(tmp_path, "dev", reader="squad_json"), view(tmp_path, "test", reader="squad_json")
    with pytest.raises(SplitOverlapError, match="by paragraph"):
        check_disjoint([], [select], [report], {"data": tmp_path})
    (tmp_path / "test").write_text(squad("1", "Wer?", "P zwei"))
    report = view(tmp_path, "test", reader="squad_json")
    with pytest.raises(SplitOverlapError, match="by source item"):
        check_disjoint([], [select], [report], {"data": tmp_path})


def test_labels_that_are_kept_back_can_be_reported_on_and_never_chosen_by(tmp_path: Path) -> None:
    (tmp_path / "test").write_text(rows("a"))
    hidden = view(tmp_path, "test", options={"unlabelled": ["test"]})
    check_disjoint([], [], [hidden], {"data": tmp_path})
    with pytest.raises(DataError, match="1 of 1 examples have no label"):
        check_disjoint([], [hidden], [], {"data": tmp_path})


@pytest.fixture
def parquet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", str(tmp_path / "cache"))
    from datasets import ClassLabel, Features, Value
    from datasets import Dataset as Table

    columns = {"premise": ["a", "b", "c"], "hypothesis": ["d", "e", "f"], "label": [1, -1, 0]}
    features = Features(
        premise=Value("string"), hypothesis=Value("string"), label=ClassLabel(names=["neutral", "entailment"])
    )
    folder = tmp_path / "repo"
    folder.mkdir()
    Table.from_dict(columns, features=features).to_parquet(str(folder / "train.parquet"))
    return folder


def hub_view(repo: Path, kind: TaskKind = CLASSIFICATION, **layout: object) -> DataView:
    columns = {"text": "premise", "text_pair": "hypothesis", "label": "label"}
    fields = {"columns": columns, "options": {"skip_labels": ["-1"]}} | layout
    registry = Registry()
    hub = HubLayout(repo=str(repo), splits={"train": "train"}, **fields)  # type: ignore[arg-type]
    registry.register_dataset(Dataset(name="d", languages={"train": ("en",)}, hub=hub))
    made = Resolver(registry, {}, source=Source.HUB, resolve_commit=lambda repo, revision: "c" * 40)
    return made.views(SplitRef(dataset="d", split="train"), kind, ["en"])[0]


def test_a_parquet_repository_is_read_by_its_columns(parquet: Path) -> None:
    made = hub_view(parquet)
    assert load_examples(made, {}, labels=["entailment", "neutral"]) == [
        ClassificationExample(item="0", text="a", text_pair="d", label="entailment"),
        ClassificationExample(item="2", text="c", text_pair="f", label="neutral"),
    ]
    assert skipped_rows(made, {}) == {"no gold label": 1}


def test_a_wrong_column_label_or_repository_is_told(parquet: Path) -> None:
    with pytest.raises(DataError, match="no such column"):
        load_examples(hub_view(parquet, columns={"text": "premisse", "label": "label"}), {})
    with pytest.raises(DataError, match=r"line 1, field label: label \"entailment\""):
        load_examples(hub_view(parquet), {}, labels=["yes", "no"])
    with pytest.raises(InputError, match="cannot be loaded"):
        load_examples(hub_view(parquet / "none"), {})


@pytest.mark.parametrize("kind", ["a pipe", "a folder", "a device"])
def test_what_is_no_file_is_named_and_never_opened(kind: str, tmp_path: Path) -> None:
    for split in ("train", "dev", "test"):
        (tmp_path / split).write_text("a\tb\tx\n")
    made, path = resolver(tmp_path), tmp_path / "train"
    view = made.views(SplitRef(dataset="d", split="train"), CLASSIFICATION, ["en"])[0]
    path.unlink()
    if kind == "a pipe":
        os.mkfifo(path)
    elif kind == "a folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises(DataError, match=f"train: it is {kind}, not a file"):
        load_examples(view, {view.location["root"]: tmp_path})  # type: ignore[dict-item]
    with pytest.raises(DataError, match=f"train: it is {kind}, not a file"):
        resolver(tmp_path).views(SplitRef(dataset="d", split="train"), CLASSIFICATION, ["en"])


def test_examples_are_forgotten_where_they_are_many_and_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    real = load._toy
    monkeypatch.setattr(load, "_toy", lambda view: read.append(view.split) or real(view))
    forget_examples(at_most=0)
    resolver, registry = Resolver(default_registry(), {}, source=Source.TOY), default_registry()
    (view,), _ = resolver.intermediate_views(registry.task("mnli"), train_limit=10)
    first = load_examples(view, {})
    size = len(load._read(load._request(view, {}, None)).examples)
    forget_examples(at_most=size)
    assert load_examples(view, {}) == first and len(read) == 1, "these are few"
    forget_examples(at_most=size - 1)
    assert load._read.cache_info().currsize == load._examples.cache_info().currsize == 0
    assert load_examples(view, {}) == first and len(read) == 2
    forget_examples(at_most=size)
    assert load._read.cache_info().currsize == 1, "what was forgotten is not counted"
