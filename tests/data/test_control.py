"""Controls of training data: labels that say nothing of their example, and examples of which the text is left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest

from stilts.data.control import as_text, with_shuffled_labels
from stilts.data.load import load_examples
from stilts.errors import InputError
from stilts.tasks.example import Example, TextPairExample
from stilts.tasks.kinds.classification import ClassificationExample
from stilts.tasks.kinds.multi_label import MultiLabelExample
from stilts.tasks.kinds.multiple_choice import ChoiceExample
from stilts.tasks.kinds.regression import RegressionExample
from stilts.tasks.kinds.retrieval import PairExample
from stilts.tasks.kinds.span_qa import SpanExample
from stilts.tasks.kinds.tagging import TaggingExample
from tests.training.tiny import part

NUMBERS = range(60)


def classes() -> list[Example]:
    return [ClassificationExample(item=str(n), text=f"text {n}", label="abc"[n % 3]) for n in NUMBERS]


def labels(examples: Sequence[Example]) -> list[object]:
    return [getattr(example, example.label_field) for example in examples]


@pytest.mark.parametrize(
    "examples",
    [
        classes(),
        [RegressionExample(item=str(n), text="t", value=float(n)) for n in NUMBERS],
        [MultiLabelExample(item=str(n), text="t", labels=("a",) * (n % 2)) for n in NUMBERS],
        [ChoiceExample(item=str(n), context="c", question="q", choices=("x",) * (2 + n % 2), label=0) for n in NUMBERS],
        [TaggingExample(item=str(n), words=("w",) * (1 + n % 5), tags=(f"t{n}",) * (1 + n % 5)) for n in NUMBERS],
    ],
    ids=lambda given: type(given[0]).__name__,
)
def test_labels_are_exchanged_and_all_stay(examples: list[Example]) -> None:
    shuffled = with_shuffled_labels(examples, 0)

    assert Counter(map(repr, labels(shuffled))) == Counter(map(repr, labels(examples)))
    assert [one.content() for one in shuffled] == [one.content() for one in examples], "texts stay where they were"
    assert [one.item for one in shuffled] == [one.item for one in examples]


def test_no_example_keeps_its_own_label_and_seeds_differ() -> None:
    numbered = [RegressionExample(item=str(n), text="t", value=float(n)) for n in NUMBERS]
    first, again, other = (labels(with_shuffled_labels(numbered, seed)) for seed in (0, 0, 1))

    assert not any(value == own for value, own in zip(first, labels(numbered), strict=True))
    assert first == again != other


def test_shuffled_labels_say_nothing_of_the_example() -> None:
    many = [ClassificationExample(item=str(n), text=f"t {n}", label="ab"[n % 2]) for n in range(2000)]
    agreeing = sum(a == b for a, b in zip(labels(with_shuffled_labels(many, 3)), labels(many), strict=True))

    assert 0.45 < agreeing / len(many) < 0.55


def test_tags_go_to_sentences_of_the_same_length_and_one_that_is_alone_gets_its_own_moved_on() -> None:
    examples = [
        TaggingExample(item="a", words=("x", "y"), tags=("A", "B")),
        TaggingExample(item="b", words=("x", "y"), tags=("C", "D")),
        TaggingExample(item="c", words=("x", "y", "z"), tags=("E", "F", "G")),
    ]

    assert labels(with_shuffled_labels(examples, 0)) == [("C", "D"), ("A", "B"), ("F", "G", "E")]


def test_answers_are_spans_of_their_own_context_of_as_many_words_as_anothers() -> None:
    context = "one two three four five six seven"
    examples = [
        SpanExample(item=str(n), question=f"q{n}?", context=f"{context} {n}", answers=(("two three", 4),))
        for n in NUMBERS
    ]
    unanswered = [replace(one, item=f"u{one.item}", answers=()) for one in examples[:20]]
    shuffled = with_shuffled_labels([*examples, *unanswered], 0)

    assert sum(one.answers == () for one in shuffled if isinstance(one, SpanExample)) == 20
    for one in shuffled:
        assert isinstance(one, SpanExample)
        for text, start in one.answers or ():
            assert one.context[start : start + len(text)] == text
            assert len(text.split()) == 2
    starts = {one.answers[0][1] for one in shuffled if isinstance(one, SpanExample) and one.answers}
    assert len(starts) > 3


def test_a_query_gets_anothers_candidate() -> None:
    pairs = [PairExample(item=str(n), query=f"q{n}", candidate=f"c{n}") for n in NUMBERS]
    shuffled = [one for one in with_shuffled_labels(pairs, 0) if isinstance(one, PairExample)]

    assert sorted(one.candidate for one in shuffled) == sorted(one.candidate for one in pairs)
    assert all(one.query[1:] != one.candidate[1:] for one in shuffled)


def test_unlabelled_examples_take_no_part_and_text_has_nothing_to_shuffle() -> None:
    examples = [*classes()[:2], ClassificationExample(item="x", text="t")]

    assert labels(with_shuffled_labels(examples, 0)) == ["b", "a", None]
    with pytest.raises(InputError, match="has none"):
        with_shuffled_labels([TextPairExample(item="1", text="t"), TextPairExample(item="2", text="t")], 0)


def test_of_a_text_control_the_texts_are_left() -> None:
    choice = ChoiceExample(item="1", context="He ran.", question="", choices=("Fast.", "Slow."), label=1)
    (first, second) = as_text([choice, TaggingExample(item="2", words=("a", "b"), tags=("X", "Y"))])

    assert first == TextPairExample(item="1", text="He ran.", text_pair="Fast. Slow.")
    assert second == TextPairExample(item="2", text="a b")


def test_a_view_of_a_control_is_read_as_that_and_has_a_name_of_its_own() -> None:
    (plain,) = part("mnli", limit=30).train
    shuffled, text = replace(plain, shuffled=1), replace(plain, as_text=True)

    assert len({one.digest for one in (plain, shuffled, replace(plain, shuffled=2), text)}) == 4
    own, other, texts = (load_examples(one, {}) for one in (plain, shuffled, text))
    assert [one.content() for one in own] == [one.content() for one in other]
    assert labels(own) != labels(other) and Counter(labels(own)) == Counter(labels(other))
    assert [one.texts() for one in texts] == [one.texts() for one in own]
