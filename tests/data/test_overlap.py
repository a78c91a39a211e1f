"""Measured overlap: what counts as the same text, and counts of real and made-up data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stilts.data import overlap
from stilts.data.overlap import longest_shared, normalised, shared_texts, texts_of
from stilts.tasks.example import Field
from stilts.tasks.kinds.classification import ClassificationExample
from stilts.tasks.kinds.masked_lm import TextExample
from stilts.tasks.kinds.multiple_choice import ChoiceExample
from stilts.tasks.kinds.retrieval import PairExample
from stilts.tasks.kinds.span_qa import SPAN_QA, SpanExample
from stilts.tasks.kinds.tagging import TAGGING, TaggingExample
from stilts.tasks.registry import default_registry
from stilts.tasks.resolve import Resolver
from stilts.tasks.task import Source, SplitRef
from stilts.tasks.view import DataView

WORDS = st.lists(st.text("abcxyzäßñждअकि汉字", min_size=1, max_size=6), min_size=1, max_size=8)


def view(name: str) -> DataView:
    return DataView(
        dataset=name,
        kind=TAGGING,
        split="test",
        language="en",
        source=Source.TOY,
        fingerprint=name,
        reader="toy",
    )


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Any]]:
    """Examples by the name of their dataset, in the place of what the loader reads."""
    examples: dict[str, list[Any]] = {}
    monkeypatch.setattr(overlap, "load_examples", lambda view, roots: examples[view.dataset])
    return examples


def counts(held: dict[str, list[Any]], seen: list[Any], texts: list[Any]) -> dict[Field, tuple[int, int]]:
    held.update(seen=seen, texts=texts)
    found = shared_texts(texts_of([view("seen")], {}), texts_of([view("texts")], {}))
    return {count.field: (count.num_shared, count.num_texts) for count in found}


@given(WORDS)
def test_words_of_a_treebank_equal_running_text(words: list[str]) -> None:
    running = " ".join(words).upper() if "ß" not in "".join(words) else " ".join(words)
    assert normalised(" , ".join(words) + " .") == normalised(f"\u201c{running}\u201d!")


def test_width_case_and_punctuation_do_not_count_but_vowel_signs_do() -> None:
    assert normalised("Ｆｕｌｌ－ｗｉｄｔｈ　ＴＥＸＴ。") == normalised("full width text")
    assert normalised("Stra\u00dfe") == normalised("STRASSE")
    assert normalised("\u0915\u093f") != normalised("\u0915\u0940"), "ki and kii"
    assert normalised("\u0e01\u0e34\u0e19") != normalised("\u0e01\u0e34\u0e19\u0e49"), "a tone mark"
    assert normalised(" ?! ") == ""


def test_distinct_texts_are_counted_and_nothing_is_compared_by_punctuation(held: dict[str, list[Any]]) -> None:
    seen = [TaggingExample(item="1", words=("a", "cat")), TaggingExample(item="2", words=("!",))]
    texts = [TextExample(item=str(i), text=text) for i, text in enumerate(("A cat.", "a  cat", "?", "dogs"))]
    assert counts(held, seen, texts) == {Field.TEXT: (1, 2)}


def test_a_pair_is_compared_in_either_order_and_its_texts_alone(held: dict[str, list[Any]]) -> None:
    seen = [ClassificationExample(item="1", text="one", text_pair="two")]
    texts = [PairExample(item="1", query="Two", candidate="One"), PairExample(item="2", query="one", candidate="three")]
    assert counts(held, seen, texts) == {Field.TEXT: (2, 3), Field.PAIR: (1, 2)}


def test_a_sentence_is_found_in_a_paragraph(held: dict[str, list[Any]]) -> None:
    sentence = "The castle was built in the thirteenth century"
    seen = [TextExample(item="1", text=f"{sentence}.")]
    paragraph = f"It is old. {sentence}; yes! It stands."
    whole = SpanExample(item="1", question="When?", context=f"It is old. {sentence}! It stands.")
    assert counts(held, seen, [whole])[Field.SENTENCE] == (1, 1)
    assert counts(held, seen, [whole])[Field.TEXT] == (0, 1)
    other = SpanExample(item="1", question="When?", context=paragraph)
    assert counts(held, seen, [other])[Field.SENTENCE] == (0, 1)


def test_a_question_that_is_asked_of_every_premise_is_compared_with_it(held: dict[str, list[Any]]) -> None:
    def choice(premise: str) -> ChoiceExample:
        return ChoiceExample(item="1", context=premise, question="What was the cause?", choices=("x", "y"))

    assert counts(held, [choice("it fell")], [choice("it fell"), choice("it rose")])[Field.QUESTION] == (1, 2)


def test_a_question_in_a_pair_is_found_among_questions(held: dict[str, list[Any]]) -> None:
    seen = [ClassificationExample(item="1", text="Who built it?", text_pair="They built it.")]
    texts = [SpanExample(item=str(i), question=asked, context="x") for i, asked in enumerate(("who built it", "why"))]
    assert counts(held, seen, texts)[Field.QUESTION] == (1, 2)


def test_digests_of_several_views_are_one_sorted_set(held: dict[str, list[Any]]) -> None:
    held["one"] = [TextExample(item=str(i), text=f"text {i}") for i in range(50)]
    held["two"] = [TextExample(item=str(i), text=f"TEXT {i}") for i in range(25, 75)]
    texts = texts_of([view("one"), view("two")], {})[Field.TEXT]
    assert texts.dtype == np.uint64 and len(texts) == 75 and (np.diff(texts.astype(object)) > 0).all()


def test_the_longest_shared_text_is_shown_as_it_is_written(held: dict[str, list[Any]]) -> None:
    held["seen"] = [TextExample(item="1", text="a long sentence"), TextExample(item="2", text="short")]
    held["texts"] = [
        TextExample(item=str(i), text=t) for i, t in enumerate(("Short!", "A LONG sentence.", "longest not"))
    ]
    shared = shared_texts(texts_of([view("seen")], {}), texts_of([view("texts")], {}))
    assert longest_shared(view("texts"), {}, shared) == ["A LONG sentence."]
    assert longest_shared(view("seen"), {}, [*shared, *shared]) == ["a long sentence"] * 2
    assert longest_shared(view("texts"), {}, []) == []


@pytest.mark.parametrize(("language", "all_of_it"), [("en", True), ("de", False)])
def test_squads_dev_paragraphs_are_english_xquads(shared: Path, language: str, all_of_it: bool) -> None:
    roots = {"data": shared / "data"}
    resolver = Resolver(default_registry(), roots)
    dev = resolver.views(SplitRef(dataset="squad", split="dev"), SPAN_QA, ["en"])
    xquad = resolver.views(SplitRef(dataset="xquad", split="test"), SPAN_QA, [language])
    found = {count.field: count for count in shared_texts(texts_of(xquad, roots), texts_of(dev, roots))}
    assert (found[Field.TEXT].num_shared == found[Field.TEXT].num_texts > 0) == all_of_it
    assert all_of_it or found[Field.TEXT].num_shared == 0, "translations are not found"
