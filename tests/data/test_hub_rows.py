from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest

from stilts.data.load import load_examples
from stilts.errors import DataError
from stilts.tasks.examples import ChoiceExample, PairExample, SpanExample, TaggingExample, TextExample
from stilts.tasks.registry import Registry, default_registry
from stilts.tasks.resolve import Resolver
from stilts.tasks.task import Dataset, HubLayout, Kind, Source, SplitRef


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what the datasets library caches out of the user's home."""
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", str(tmp_path / "cache"))


def load(folder: Path, kind: Kind, row: dict[str, Any], hub: dict[str, Any]) -> Any:
    """The one example made of a row of a Parquet file."""
    from datasets import Dataset as Table

    repo = Path(tempfile.mkdtemp(dir=folder))
    Table.from_list([row]).to_parquet(str(repo / "train.parquet"))
    registry = Registry()
    layout = HubLayout(repo=str(repo), splits={"train": "train"}, **hub)
    registry.register_dataset(Dataset(name="d", languages={"train": ("en", "sw")}, hub=layout))
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
    assert load(tmp_path, Kind.TAGGING, row, hub) == TaggingExample(item="0", words=("a", "b"), tags=("DET", "NOUN"))
    with pytest.raises(DataError, match="one length"):
        load(tmp_path, Kind.TAGGING, row | {"pos_tags": ["DET"]}, hub)


def test_questions_of_one_language_out_of_all(tmp_path: Path) -> None:
    row = {
        "id": "swahili-1",
        "question": "q",
        "context": "a b",
        "answers": {"text": ["b"], "answer_start": [2]},
    }
    assert load(tmp_path, Kind.SPAN_QA, row, layout_of("tydiqa")) == SpanExample(
        item="swahili-1", question="q", context="a b", answers=(("b", 2),)
    )
    with pytest.raises(DataError, match="no examples"):
        load(tmp_path, Kind.SPAN_QA, row | {"id": "finnish-1"}, layout_of("tydiqa"))
    with pytest.raises(DataError, match="does not stand"):
        load(tmp_path, Kind.SPAN_QA, row | {"answers": {"text": ["b"], "answer_start": [1]}}, layout_of("tydiqa"))


def test_choices_lettered_listed_and_in_columns(tmp_path: Path) -> None:
    lettered = {
        "id": "1",
        "question": "q",
        "choices": {"label": ["A", "B"], "text": ["a", "b"]},
        "answerKey": "B",
    }
    assert load(tmp_path, Kind.MULTIPLE_CHOICE, lettered, layout_of("commonsenseqa")).label == 1
    listed = {"ctx": "c", "endings": ["a", "b"], "label": "0"}
    assert load(tmp_path, Kind.MULTIPLE_CHOICE, listed, layout_of("hellaswag")).label == 0
    assert load(tmp_path, Kind.MULTIPLE_CHOICE, listed | {"label": ""}, layout_of("hellaswag")).label is None
    columns = {"idx": 4, "premise": "p", "question": "cause", "choice1": "a", "choice2": "b", "label": 1}
    assert load(tmp_path, Kind.MULTIPLE_CHOICE, columns, layout_of("xcopa")) == ChoiceExample(
        item="4", context="p", question="What was the cause?", choices=("a", "b"), label=1
    )


def test_pairs_and_text(tmp_path: Path) -> None:
    row = {"source_sentence": "habari", "target_sentence": "hello"}
    assert load(tmp_path, Kind.RETRIEVAL, row, layout_of("tatoeba")) == PairExample(
        item="0", query="hello", candidate="habari"
    )
    nested = {"translation": {"en": "hello", "sw": "habari"}}
    hub = {"columns": {"text": "translation.en", "text_pair": "translation.{lang}"}}
    assert load(tmp_path, Kind.MASKED_LM, nested, hub) == TextExample(item="0", text="hello", text_pair="habari")
