from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stilts.data import hub_rows
from stilts.data.hub_rows import read_hub
from stilts.data.load import load_examples
from stilts.errors import DataError
from stilts.tasks.example import Example
from stilts.tasks.kind import TaskKind
from stilts.tasks.kinds.classification import CLASSIFICATION
from stilts.tasks.kinds.masked_lm import MASKED_LM, TextExample
from stilts.tasks.kinds.multiple_choice import MULTIPLE_CHOICE, ChoiceExample
from stilts.tasks.kinds.regression import REGRESSION
from stilts.tasks.kinds.retrieval import RETRIEVAL, PairExample
from stilts.tasks.kinds.span_qa import SPAN_QA, SpanExample
from stilts.tasks.kinds.tagging import TAGGING, TaggingExample
from stilts.tasks.registry import Registry, default_registry
from stilts.tasks.resolve import Resolver
from stilts.tasks.task import Dataset, HubLayout, Source, SplitRef, Task
from stilts.tasks.view import DataView


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what the datasets library caches out of the user's home."""
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", str(tmp_path / "cache"))


def load(folder: Path, kind: TaskKind, row: dict[str, Any], hub: dict[str, Any]) -> Any:
    """The one example made of a row of a Parquet file."""
    from datasets import Dataset as Table

    repo = Path(tempfile.mkdtemp(dir=folder))
    Table.from_list([row]).to_parquet(str(repo / "train.parquet"))
    registry = Registry()
    layout = HubLayout(repo=str(repo), splits={"train": "train"}, **hub)
    registry.register_dataset(Dataset(name="d", languages={"train": ("sw",)}, hub=layout))
    resolver = Resolver(registry, {}, source=Source.HUB, resolve_commit=lambda repo, revision: "c" * 40)
    view = resolver.views(SplitRef(dataset="d", split="train"), kind, ["sw"])[0]
    return load_examples(view, {})[0]


def layout_of(name: str) -> dict[str, Any]:
    """The catalogue's own mapping for a dataset."""
    hub = default_registry().dataset(name).hub
    assert hub is not None
    return {"columns": hub.columns, "options": hub.options, "codes": hub.codes}


def test_words_and_tags(tmp_path: Path) -> None:
    row = {"tokens": ["a", "b"], "pos_tags": ["DET", "NOUN"]}
    hub = {"columns": {"words": "tokens", "tags": "pos_tags"}}
    assert load(tmp_path, TAGGING, row, hub) == TaggingExample(item="0", words=("a", "b"), tags=("DET", "NOUN"))
    with pytest.raises(DataError, match="one length"):
        load(tmp_path, TAGGING, row | {"pos_tags": ["DET"]}, hub)


def test_questions_of_one_language_out_of_all(tmp_path: Path) -> None:
    row = {
        "id": "swahili-1",
        "question": "q",
        "context": "a b",
        "answers": {"text": ["b"], "answer_start": [2]},
    }
    assert load(tmp_path, SPAN_QA, row, layout_of("tydiqa")) == SpanExample(
        item="swahili-1", question="q", context="a b", answers=(("b", 2),)
    )
    with pytest.raises(DataError, match="no examples"):
        load(tmp_path, SPAN_QA, row | {"id": "finnish-1"}, layout_of("tydiqa"))
    with pytest.raises(DataError, match="does not stand"):
        load(tmp_path, SPAN_QA, row | {"answers": {"text": ["b"], "answer_start": [1]}}, layout_of("tydiqa"))


def test_choices_lettered_listed_and_in_columns(tmp_path: Path) -> None:
    lettered = {
        "id": "1",
        "question": "q",
        "choices": {"label": ["A", "B"], "text": ["a", "b"]},
        "answerKey": "B",
    }
    assert load(tmp_path, MULTIPLE_CHOICE, lettered, layout_of("commonsenseqa")).label == 1
    listed = {"ctx": "c", "endings": ["a", "b"], "label": "0"}
    assert load(tmp_path, MULTIPLE_CHOICE, listed, layout_of("hellaswag")).label == 0
    assert load(tmp_path, MULTIPLE_CHOICE, listed | {"label": ""}, layout_of("hellaswag")).label is None
    columns = {"idx": 4, "premise": "p", "question": "cause", "choice1": "a", "choice2": "b", "label": 1}
    assert load(tmp_path, MULTIPLE_CHOICE, columns, layout_of("xcopa")) == ChoiceExample(
        item="4", context="p", question="What was the cause?", choices=("a", "b"), label=1
    )


def test_pairs_and_text(tmp_path: Path) -> None:
    row = {"source_sentence": "habari", "target_sentence": "hello"}
    assert load(tmp_path, RETRIEVAL, row, layout_of("tatoeba")) == PairExample(
        item="0", query="hello", candidate="habari"
    )
    nested = {"translation": {"en": "hello", "sw": "habari"}}
    hub = {"columns": {"text": "translation.en", "text_pair": "translation.{lang}"}}
    assert load(tmp_path, MASKED_LM, nested, hub) == TextExample(item="0", text="hello", text_pair="habari")


def test_choices_counted_from_one_and_blanks(tmp_path: Path) -> None:
    social = {"context": "c", "question": "q", "answerA": "a", "answerB": "b", "answerC": "d", "label": "3"}
    assert load(tmp_path, MULTIPLE_CHOICE, social, layout_of("socialiqa")).label == 2
    with pytest.raises(DataError, match="no choice"):
        load(tmp_path, MULTIPLE_CHOICE, social | {"label": "0"}, layout_of("socialiqa"))
    blank = {"sentence": "So _ wept.", "option1": "Ida", "option2": "Eva", "answer": "1"}
    example = load(tmp_path, MULTIPLE_CHOICE, blank, layout_of("winogrande"))
    assert (example.context, example.choices, example.label) == ("So", ("Ida wept.", "Eva wept."), 0)


def test_lists_of_texts_and_truth_values(tmp_path: Path) -> None:
    abstract = {"pubid": 7, "question": "q", "context": {"contexts": ["a", "b"]}, "final_decision": "maybe"}
    example = load(tmp_path, CLASSIFICATION, abstract, layout_of("pubmedqa"))
    assert (example.item, example.text_pair, example.label) == ("7", "a b", "maybe")
    asked = {"question": "q", "passage": "p", "answer": False}
    assert load(tmp_path, CLASSIFICATION, asked, layout_of("boolq")).label == "no"


# --- every mapping of the registry, on rows that may hold anything ---

REGISTRY = default_registry()


def task_of(dataset: Dataset) -> Task | None:
    refs = [(task, ref) for task in REGISTRY.tasks() for ref in (task.train, task.dev, task.test) if ref is not None]
    return next((task for task, ref in refs if ref.dataset == dataset.name), None)


MAPPED = [dataset.name for dataset in REGISTRY.datasets() if dataset.hub is not None and task_of(dataset) is not None]


def good_value(field: str, task: Task, hub: HubLayout) -> Any:
    """What a column of a good row holds."""
    if field == "answers":
        return {"text": ["b"], "answer_start": [2]}
    if field == "label" and task.kind is MULTIPLE_CHOICE:
        return "B" if "choice_labels" in hub.columns else int(str(hub.options.get("first_choice", 0)))
    if field == "label" and task.kind is REGRESSION:
        return 3.8
    lists = {
        "labels": list(task.labels[:2]),
        "words": ["a", "b"],
        "tags": list(task.labels[:2]),
        "choices": ["a", "b", "c"],
        "choice_labels": list("ABC"),
    }
    if field in lists:
        return lists[field]
    if field == "label":
        mapping = hub.options.get("label_map", {})
        back = {str(name): raw for raw, name in mapping.items()} if isinstance(mapping, dict) else {}
        return back.get(task.labels[0], task.labels[0])
    return "a b _" if field == "context" else "a b"


def good_row(task: Task, view: DataView, hub: HubLayout) -> dict[str, Any]:
    columns, row = view.options["columns"], {}
    assert isinstance(columns, dict)
    for field, column in columns.items():
        value = good_value(field, task, hub)
        if field == "item":
            value = f"{view.options.get('keep_items_with', '')}1"
        for part, each in zip(str(column).split(","), [value] * 9 if "," in str(column) else [value], strict=False):
            holder, *path = part.split(".")
            if not path:
                row[holder] = "a b" if "," in str(column) else each
            else:
                row.setdefault(holder, {})[path[0]] = each
    return row


def hub_case(name: str) -> tuple[Task, DataView, dict[str, Any]]:
    dataset = REGISTRY.dataset(name)
    task, hub = task_of(dataset), dataset.hub
    assert task is not None and hub is not None
    made = Resolver(REGISTRY, {}, source=Source.HUB, resolve_commit=lambda repo, revision: "c" * 40)
    split = next(iter(dataset.languages))
    ref = SplitRef(dataset=name, split=split)
    view = made.views(ref, task.kind, made.available_languages(ref)[:1])[0]
    return task, view, good_row(task, view, hub)


def read_row(name: str, row: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> tuple[list[Example], int]:
    task, view, _ = hub_case(name)
    skipped: Counter[str] = Counter()
    with monkeypatch.context() as patch:
        patch.setattr(hub_rows, "_load", lambda view: ([row], {}))
        examples = list(read_hub(view, task.labels or None, skipped))
    for example in examples:
        example.content()
    return examples, sum(skipped.values())


@pytest.mark.parametrize("name", MAPPED)
def test_a_good_row_makes_an_example(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    examples, skipped = read_row(name, hub_case(name)[2], monkeypatch)
    assert len(examples) == 1 and skipped == 0


@pytest.mark.parametrize("name", MAPPED)
def test_a_missing_column_is_an_error(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    row = hub_case(name)[2]
    for column in row:
        with pytest.raises(DataError) as caught:
            read_row(name, {key: value for key, value in row.items() if key != column}, monkeypatch)
        assert "no such column" in str(caught.value)


JUNK = st.sampled_from(
    [None, "", "  ", "nuetral", -2, 99, 1.5, True, [], [1, 2], ["a", ""], {}, {"text": ["x"]}, "\ud800"]
)


@pytest.mark.parametrize("name", MAPPED)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_no_row_crashes_and_none_is_lost(name: str, data: st.DataObject) -> None:
    row = hub_case(name)[2]
    column = data.draw(st.sampled_from(sorted(row)))
    whole = row[column]
    nested = isinstance(whole, dict) and data.draw(st.booleans())
    bad = whole | {data.draw(st.sampled_from(sorted(whole))): data.draw(JUNK)} if nested else data.draw(JUNK)
    try:
        examples, skipped = read_row(name, row | {column: bad}, pytest.MonkeyPatch())
    except DataError as error:
        assert error.field is not None and (error.line == 1 or "no such column" in str(error))
    else:
        prefixed = "keep_items_with" in hub_case(name)[1].options
        assert len(examples) + skipped == 1 or prefixed
