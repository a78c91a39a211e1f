from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel, WordPiece
from tokenizers.pre_tokenizers import Whitespace

from stilts.data import fertility
from stilts.data.fertility import ANNOTATED, SPACES, Fertility, joined, measured_fertility
from stilts.tasks.kinds.classification import ClassificationExample
from stilts.tasks.kinds.multiple_choice import ChoiceExample
from stilts.tasks.kinds.retrieval import PairExample
from stilts.tasks.kinds.tagging import TAGGING, TaggingExample
from stilts.tasks.registry import default_registry
from stilts.tasks.resolve import Resolver
from stilts.tasks.task import Source, SplitRef
from stilts.tasks.view import DataView


def letters() -> Tokenizer:
    """A tokenizer that makes one token of every letter."""
    names = [chr(code) for code in [*range(97, 123), *range(0x4E00, 0x4F00), *range(0x0E00, 0x0E50)]]
    vocabulary = {name: index for index, name in enumerate([*names, *(f"##{name}" for name in names), "?"])}
    found = Tokenizer(WordPiece(vocabulary, unk_token="?", continuing_subword_prefix="##"))
    found.pre_tokenizer = Whitespace()
    found.enable_truncation(2)
    return found


def whole_words() -> Tokenizer:
    found = Tokenizer(WordLevel({"?": 0}, unk_token="?"))
    found.pre_tokenizer = Whitespace()
    return found


def view(language: str, **given: Any) -> DataView:
    values: dict[str, Any] = {"dataset": "d", "kind": TAGGING, "split": "test", "source": Source.TOY}
    return DataView(**{**values, "language": language, "fingerprint": "f", "reader": "r", **given})


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Any]]:
    """Examples by language, given out in place of a view's."""
    examples: dict[str, list[Any]] = {}
    monkeypatch.setattr(fertility, "load_examples", lambda view, roots: examples[view.language][: view.limit])
    return examples


def tagged(*words: str) -> TaggingExample:
    return TaggingExample(item="1", words=words)


def test_annotated_words_are_the_words_of_tagging(held: dict[str, list[Any]]) -> None:
    held["de"] = [tagged("das", "haus"), tagged("ja")]
    found = measured_fertility({"de": [view("de")]}, letters(), {})
    assert found["de"] == Fertility(tokens=9, words=3, source=ANNOTATED)
    assert found["de"].tokens_per_word == 3.0


def test_spaces_part_words_elsewhere_and_repeated_texts_count_once(held: dict[str, list[Any]]) -> None:
    held["de"] = [
        ClassificationExample(item="1", text="das haus", text_pair="ja"),
        ClassificationExample(item="2", text="das haus", text_pair="nein"),
    ]
    found = measured_fertility({"de": [view("de")]}, letters(), {})
    assert found["de"] == Fertility(tokens=13, words=4, source=SPACES)
    assert measured_fertility({"de": [view("de")]}, whole_words(), {})["de"].tokens_per_word == 1


def test_of_a_pair_only_the_side_in_the_language_counts(held: dict[str, list[Any]]) -> None:
    held["de"] = [PairExample(item="1", query="an english sentence", candidate="ein satz")]
    assert measured_fertility({"de": [view("de")]}, letters(), {})["de"].words == 2
    held["et"] = [ChoiceExample(item="1", context="a b", question="what was the cause", choices=("c", "d"))]
    assert measured_fertility({"et": [view("et")]}, letters(), {})["et"].words == 4


def test_scripts_without_spaces_need_annotated_words(held: dict[str, list[Any]]) -> None:
    two, three = "\u4e01\u4e02", "\u4e03\u4e04\u4e05"
    held["zh"] = [ClassificationExample(item="1", text=two + three)]
    texts = measured_fertility({"zh": [view("zh")]}, letters(), {})["zh"]
    assert texts.tokens_per_word is None
    assert texts.reason == "its script puts no spaces between words"
    held["zh"] = [tagged(two, three)]
    words = measured_fertility({"zh": [view("zh")]}, letters(), {})["zh"]
    assert words.tokens_per_word == 2.5
    held["zh"] = [tagged(*two, *three)]
    assert measured_fertility({"zh": [view("zh")]}, letters(), {})["zh"].tokens_per_word is None
    assert joined([{"zh": texts}, {"zh": words}]) == {"zh": words}


def test_at_most_limit_examples_of_a_view_and_nothing_left_out_for_overlap(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[DataView] = []
    monkeypatch.setattr(fertility, "load_examples", lambda view, roots: asked.append(view) or [tagged("a")])
    views = [view("de", limit=None, exclude=(view("en"),)), view("de", limit=7)]
    measured_fertility({"de": views}, letters(), {}, limit=20)
    assert [(each.limit, each.exclude) for each in asked] == [(20, ()), (7, ())]


def test_targets_are_joined_and_annotated_words_go_first() -> None:
    one = Fertility(tokens=30, words=10, source=ANNOTATED)
    two = Fertility(tokens=30, words=20, source=ANNOTATED)
    loose = Fertility(tokens=1000, words=10, source=SPACES)
    assert joined([{"de": one}, {"de": loose, "sw": loose}, {"de": two}]) == {
        "de": Fertility(tokens=60, words=30, source=ANNOTATED),
        "sw": loose,
    }


def test_real_treebanks_have_words_and_wikiann_has_characters_in_chinese(shared: Path) -> None:
    registry, roots = default_registry(), {"data": shared / "data"}
    found = {}
    for name in ("udpos", "panx"):
        task = registry.task(name)
        assert task.test is not None
        views = Resolver(registry, roots).views(SplitRef(dataset=name, split="test"), task.kind, ["zh", "ko"], limit=50)
        found[name] = measured_fertility({each.language: [each] for each in views}, letters(), roots)
    assert found["udpos"]["zh"].words > 0
    assert found["panx"]["zh"].tokens_per_word is None
    assert found["panx"]["ko"].words > 0
