"""Text overlap by hand."""

from __future__ import annotations

import pytest

from stilts.estimate.text_overlap import text_overlap
from stilts.tasks.kinds.masked_lm import TextExample
from stilts.tasks.kinds.multi_label import MultiLabelExample
from stilts.tasks.kinds.multiple_choice import ChoiceExample
from stilts.tasks.kinds.regression import RegressionExample
from stilts.tasks.kinds.span_qa import SpanExample
from stilts.tasks.kinds.tagging import TaggingExample


def text(words: str) -> TextExample:
    return TextExample(item=words, text=words)


def test_shares_of_occurrences_by_hand() -> None:
    # Of "a b a c": words a, b, a of four; pairs "a b", "b a" of three; triples "a b a" of two.
    assert text_overlap([text("a b a")], [text("A, b a c!")]) == pytest.approx((3 / 4 + 2 / 3 + 1 / 2) / 3)


def test_ngrams_do_not_cross_texts_and_short_targets_have_no_triples() -> None:
    assert text_overlap([text("a"), text("b")], [text("a b")]) == pytest.approx((1 + 0) / 2)
    assert text_overlap([text("a b")], [text("...")]) == 0.0
    assert text_overlap([], [text("a b")]) == 0.0


def test_a_context_of_many_questions_counts_once() -> None:
    questions = [SpanExample(item=str(i), question="x", context="a b c d", answers=()) for i in range(9)]
    once = [SpanExample(item="0", question="x", context="a b c d", answers=())]
    assert text_overlap([text("a b")], questions) == text_overlap([text("a b")], once)


def test_every_kind_gives_its_text() -> None:
    tagged = TaggingExample(item="1", words=("a", "b"), tags=("N", "V"))
    choice = ChoiceExample(item="1", context="a", question="b", choices=("c", "d"), label=0)
    assert text_overlap([tagged], [text("a b")]) == 1.0
    rated = RegressionExample(item="1", text="a", text_pair="b", value=1.0)
    topical = MultiLabelExample(item="1", text="a", labels=())
    assert text_overlap([rated], [text("b")]) == text_overlap([topical], [text("a")]) == 1.0
    assert text_overlap([choice], [text("a")]) == text_overlap([choice], [text("d")]) == 1.0
