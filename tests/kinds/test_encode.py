"""Examples as token ids and labels, kind by kind: nothing lost, nothing mislabelled."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stilts.data.encoded import IGNORED, join
from stilts.data.toy import generate
from stilts.errors import InputError
from stilts.kinds.learning import encode
from stilts.kinds.span_qa import MAX_QUESTION_TOKENS
from stilts.tasks.kind import TaskKind
from stilts.tasks.kinds import known_kinds
from stilts.tasks.kinds.classification import CLASSIFICATION, ClassificationExample
from stilts.tasks.kinds.masked_lm import MASKED_LM, TextExample
from stilts.tasks.kinds.multi_label import MULTI_LABEL, MultiLabelExample
from stilts.tasks.kinds.multiple_choice import MULTIPLE_CHOICE, ChoiceExample
from stilts.tasks.kinds.regression import REGRESSION, RegressionExample
from stilts.tasks.kinds.retrieval import RETRIEVAL, CandidateExample, MiningExample, PairExample, QueryExample
from stilts.tasks.kinds.span_qa import SPAN_QA, SpanExample
from stilts.tasks.kinds.tagging import TAGGING, TaggingExample
from tests.data.encoding import TOKENIZER, encoder, rows

BOS, EOS, UNKNOWN = 0, 2, 3
# Letters, letters of no word, punctuation, what normalises to nothing, and other scripts.
CHARACTERS = "abcdefg .,!?-'\u00a0\u200b\u0301éß数字ქართ"
WORDS = st.text(alphabet=CHARACTERS, min_size=1, max_size=12)


def toy(generator: str, split: str = "train", size: int = 40) -> list[Any]:
    return generate(generator=generator, split=split, language="en", size=size, options={})


# --- tagging ---


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.lists(st.tuples(WORDS, st.sampled_from("ABC")), max_size=20), min_size=1, max_size=4),
    st.integers(5, 40),
)
def test_every_word_has_exactly_one_place_with_its_own_tag(
    sentences: list[list[tuple[str, str]]], max_length: int
) -> None:
    examples = [
        TaggingExample(item=str(i), words=tuple(w for w, _ in s), tags=tuple(t for _, t in s))
        for i, s in enumerate(sentences)
    ]
    encoded = encode(TAGGING, examples, encoder(*"ABC", max_length=max_length))
    assert encoded.words is not None and encoded.row_labels is not None
    found: dict[tuple[int, int], str] = {}
    for row, ids in enumerate(rows(encoded)):
        assert len(ids) <= max_length and ids[0] == BOS and ids[-1] == EOS
        labels, words = encoded.row_labels[row], encoded.words[row]
        assert ((labels == IGNORED) == (words < 0)).all(), "a label at the first piece of each word, nowhere else"
        for place in np.flatnonzero(words >= 0):
            key = int(encoded.unit_example[row]), int(words[place])
            assert key not in found
            found[key] = "ABC"[labels[place]]
    assert found == {(i, w): tag for i, s in enumerate(sentences) for w, (_, tag) in enumerate(s)}


def test_a_word_of_no_tokens_becomes_unknown() -> None:
    example = TaggingExample(item="1", words=("a", "\u200b", "b"), tags=("A", "B", "A"))
    encoded = encode(TAGGING, [example], encoder("A", "B"))
    assert encoded.row_labels is not None
    assert encoded.row_labels[0].tolist() == [IGNORED, 0, 1, 0, IGNORED]
    assert rows(encoded)[0][2] == UNKNOWN


def test_a_sentence_over_the_length_is_split_between_words_and_counted_only_if_cut() -> None:
    words = tuple("abc" for _ in range(10))
    pieces = len(TOKENIZER.encode("abc", add_special_tokens=False).ids)
    assert pieces == 3
    example = TaggingExample(item="1", words=words, tags=("A",) * 10)
    encoded = encode(TAGGING, [example], encoder("A", "B", max_length=12))
    assert [len(row) for row in rows(encoded)] == [2 + 9, 2 + 9, 2 + 9, 2 + 3]
    assert encoded.num_truncated == 0 and encoded.num_examples == 1 and encoded.unit_example.tolist() == [0] * 4
    cut = encode(TAGGING, [example], encoder("A", "B", max_length=4))
    assert cut.num_truncated == 10 and {len(row) for row in rows(cut)} == {4}


# --- span QA ---


def windows_with_answers(examples: list[SpanExample], max_length: int, stride: int) -> set[int]:
    """Checks every window and returns the examples whose answer stands in one."""
    encoded = encode(SPAN_QA, examples, encoder(max_length=max_length, doc_stride=stride))
    assert encoded.spans is not None and encoded.chars is not None
    held: set[int] = set()
    for unit in range(len(encoded)):
        ids, chars = encoded.ids[unit], encoded.chars[unit].reshape(-1, 2)
        example = examples[int(encoded.unit_example[unit])]
        assert len(ids) <= max_length and len(chars) == len(ids)
        first, last = map(int, encoded.spans[unit])
        if (first, last) == (0, 0):
            continue
        assert 0 < first <= last and (chars[first : last + 1] >= 0).all()
        assert example.answers is not None
        text, start = example.answers[0]
        covered = example.context[chars[first, 0] : chars[last, 1]]
        assert chars[first, 0] <= start and chars[last, 1] >= start + len(text) and text in covered
        held.add(int(encoded.unit_example[unit]))
    return held


def test_toy_answers_decode_to_themselves() -> None:
    examples = toy("qa")
    encoded = encode(SPAN_QA, examples, encoder(max_length=96))
    assert encoded.spans is not None and encoded.chars is not None
    for unit, example in enumerate(examples):
        first, last = encoded.spans[unit]
        chars = encoded.chars[unit].reshape(-1, 2)
        assert example.context[chars[first, 0] : chars[last, 1]] == example.answers[0][0]


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_an_answer_no_longer_than_the_overlap_stands_in_a_window(data: st.DataObject) -> None:
    max_length, stride = data.draw(st.integers(24, 60)), data.draw(st.integers(0, 60))
    examples = []
    question = " ".join(data.draw(st.lists(st.sampled_from("abcdefg"), min_size=1, max_size=80)))
    longest = min(MAX_QUESTION_TOKENS, max_length // 2)
    overlap = min(stride, max_length - longest - 5)
    for number in range(data.draw(st.integers(1, 3))):
        words = data.draw(st.lists(st.sampled_from([*"abcdefg", "ab", "cde"]), min_size=1, max_size=80))
        context = " ".join(words)
        starts = [sum(len(w) + 1 for w in words[:i]) for i in range(len(words))]
        first = data.draw(st.integers(0, len(words) - 1))
        last = data.draw(st.integers(first, len(words) - 1))
        answer = context[starts[first] : starts[last] + len(words[last])]
        while sum(len(w) for w in words[first : last + 1]) > overlap + 1 and last > first:
            last -= 1
        answer = context[starts[first] : starts[last] + len(words[last])]
        if sum(len(w) for w in words[first : last + 1]) <= overlap + 1:
            examples.append(
                SpanExample(item=str(number), question=question, context=context, answers=((answer, starts[first]),))
            )
    if examples:
        assert windows_with_answers(examples, max_length, stride) == set(range(len(examples)))


def test_windows_overlap_by_the_stride() -> None:
    context = " ".join("abcdefg"[i % 7] for i in range(60))
    example = SpanExample(item="1", question="a", context=context, answers=(("a", 0),))
    encoded = encode(SPAN_QA, [example], encoder(max_length=25, doc_stride=7))
    assert encoded.chars is not None
    places = [encoded.chars[i].reshape(-1, 2)[:, 0] for i in range(len(encoded))]
    inside = [set(p[p >= 0].tolist()) for p in places]
    assert len(inside) > 2
    for window, following in pairwise(inside):
        assert len(window & following) == 7
    assert set().union(*inside) == {2 * i for i in range(60)}, "every token of the context stands in a window"


def test_a_question_without_an_answer_points_to_the_first_token() -> None:
    example = SpanExample(item="1", question="a", context="b c", answers=())
    encoded = encode(SPAN_QA, [example], encoder())
    assert encoded.spans is not None and encoded.spans.tolist() == [[0, 0]]


def test_an_empty_context_and_an_empty_question_are_taken() -> None:
    examples = [
        SpanExample(item=str(i), question=q, context=c, answers=()) for i, (q, c) in enumerate([("", "a"), ("a", "")])
    ]
    assert len(encode(SPAN_QA, examples, encoder())) == 2


# --- the others ---


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 30), st.integers(0, 30), st.integers(6, 20))
def test_pairs_are_cut_longest_first(first: int, second: int, max_length: int) -> None:
    example = ClassificationExample(item="1", text=" ".join("a" * first), text_pair=" ".join("b" * second), label="x")
    encoded = encode(CLASSIFICATION, [example], encoder("x", "y", max_length=max_length))
    (ids,) = rows(encoded)
    a, b = (TOKENIZER.encode(letter, add_special_tokens=False).ids[0] for letter in "ab")
    kept = ids.count(a), ids.count(b)
    room = max_length - 4
    assert len(ids) == min(first + second, room) + 4
    assert ids == [BOS, *[a] * kept[0], EOS, EOS, *[b] * kept[1], EOS]
    if first + second > room:
        # Whatever was cut is no shorter than the other (to one token).
        assert kept[0] == first or kept[0] >= kept[1] - 1
        assert kept[1] == second or kept[1] >= kept[0] - 1
    assert encoded.num_truncated == int(first + second > room)


def test_labels_are_numbered_in_the_order_of_the_task() -> None:
    examples = [ClassificationExample(item=label, text="a", label=label) for label in "zyx"]
    encoded = encode(CLASSIFICATION, examples, encoder("x", "y", "z"))
    assert encoded.labels is not None and encoded.labels.tolist() == [2, 1, 0]
    assert rows(encoded)[0][0] == BOS and EOS not in rows(encoded)[0][:-1], "a single text has no second part"


def test_choices_are_neighbouring_rows_of_one_unit() -> None:
    examples = toy("choice")
    encoded = encode(MULTIPLE_CHOICE, examples, encoder(max_length=64))
    count = len(examples[0].choices)
    assert (
        encoded.rows_per_unit == count and len(encoded) == len(examples) and len(encoded.ids) == count * len(examples)
    )
    assert encoded.labels is not None and encoded.labels.tolist() == [e.label for e in examples]
    for unit, example in enumerate(examples):
        for choice, row in zip(example.choices, encoded.rows_of(np.asarray([unit])), strict=True):
            assert (
                TOKENIZER.encode(choice, add_special_tokens=False).ids == rows(encoded)[row][-1 - _length(choice) : -1]
            )


def _length(text: str) -> int:
    return len(TOKENIZER.encode(text, add_special_tokens=False).ids)


def test_unlike_numbers_of_choices_are_refused() -> None:
    examples = [ChoiceExample(item=str(n), context="a", question="", choices=tuple("b" * n), label=0) for n in (2, 3)]
    with pytest.raises(InputError, match=r"\[2, 3\] choices"):
        encode(MULTIPLE_CHOICE, examples, encoder())


def test_a_sentence_and_its_translation_are_one_unit() -> None:
    encoded = encode(RETRIEVAL, [PairExample(item="1", query="a", candidate="b c")], encoder())
    assert encoded.rows_per_unit == 2 and len(encoded) == 1 and [len(row) for row in rows(encoded)] == [3, 4]


def test_running_text_is_read_alone_or_with_its_translation() -> None:
    examples = [TextExample(item="1", text="a b"), TextExample(item="2", text="a", text_pair="b")]
    encoded = encode(MASKED_LM, examples, encoder())
    assert [len(row) for row in rows(encoded)] == [4, 6] and encoded.labels is None


@pytest.mark.parametrize(
    ("kind", "example"),
    [
        (CLASSIFICATION, ClassificationExample(item="the/item", text="a")),
        (TAGGING, TaggingExample(item="the/item", words=("a",))),
        (SPAN_QA, SpanExample(item="the/item", question="a", context="b")),
        (MULTIPLE_CHOICE, ChoiceExample(item="the/item", context="a", question="", choices=("b", "c"))),
        (REGRESSION, RegressionExample(item="the/item", text="a")),
        (MULTI_LABEL, MultiLabelExample(item="the/item", text="a")),
    ],
)
def test_unlabelled_examples_are_refused(kind: TaskKind, example: Any) -> None:
    with pytest.raises(InputError, match="the/item"):
        encode(kind, [example], encoder("x", "y"))


@pytest.mark.parametrize("kind", known_kinds().all())
def test_no_examples_are_no_rows(kind: TaskKind) -> None:
    encoded = encode(kind, [], encoder("x", "y"))
    assert len(encoded) == 0 and len(encoded.ids) == 0 and len(encoded.unit_lengths) == 0


def test_targets_are_values_or_one_for_each_label_that_applies() -> None:
    rated = [
        RegressionExample(item="1", text="a", text_pair="b", value=3.8),
        RegressionExample(item="2", text="a", value=0),
    ]
    encoded = encode(REGRESSION, rated, encoder("0", "5"))
    assert encoded.targets is not None and encoded.targets.tolist() == [[np.float32(3.8)], [0.0]]
    labelled = [MultiLabelExample(item=str(i), text="a", labels=labels) for i, labels in enumerate([("z", "x"), ()])]
    part = encode(MULTI_LABEL, labelled, encoder("x", "y", "z"))
    assert part.targets is not None and part.targets.tolist() == [[1, 0, 1], [0, 0, 0]]
    both = join([part, part])
    assert both.targets is not None and both.targets.shape == (4, 3)


def test_joined_views_number_their_examples_on() -> None:
    sentences = [TaggingExample(item=str(i), words=("a",) * 12, tags=("A",) * 12) for i in range(2)]
    part = encode(TAGGING, sentences, encoder("A", "B", max_length=10))
    both = join([part, part])
    assert both.unit_example.tolist() == [0, 0, 1, 1, 2, 2, 3, 3] and both.num_examples == 4
    assert rows(both) == rows(part) * 2
    assert both.words is not None and both.words[5].tolist() == rows_of_words(part)[1]


def rows_of_words(encoded: Any) -> list[list[int]]:
    return [encoded.words[i].tolist() for i in range(len(encoded))]


def test_queries_and_candidates_have_lengths_of_their_own() -> None:
    long = " ".join(["a"] * 60)
    own = replace(encoder(max_length=50), query_length=10, candidate_length=20)
    pairs = [PairExample(item="1", query=long, candidate=long), PairExample(item="2", query="a", candidate="a")]
    encoded = encode(RETRIEVAL, pairs, own)
    assert encoded.ids.lengths[:2].tolist() == [10, 20] and encoded.num_truncated == 2
    assert encode(RETRIEVAL, [QueryExample(item="1", query=long, key="k")], own).ids.lengths.tolist() == [10]
    assert encode(RETRIEVAL, [CandidateExample(item="1", text=long)], own).ids.lengths.tolist() == [20]
    assert encode(RETRIEVAL, pairs, encoder(max_length=50)).ids.lengths[:2].tolist() == [50, 50]


def test_a_candidate_is_read_with_its_context_and_mined_sentences_one_by_one() -> None:
    alone, within = (
        encode(RETRIEVAL, [CandidateExample(item="1", text="a", context=context)], encoder()).ids[0]
        for context in (None, "b")
    )
    assert len(within) > len(alone) and within[: len(alone) - 1].tolist() == alone[:-1].tolist()
    pair = PairExample(item="1", query="c", candidate="a", context="b")
    assert encode(RETRIEVAL, [pair], encoder()).ids[1].tolist() == within.tolist()
    mined = [
        MiningExample(
            item="1", sources=(("s", "a"),), targets=(("t", "b"), ("u", "c")), pairs=(("s", "t"), ("s", "u"))
        ),
        MiningExample(item="2", sources=(), targets=(("v", "d"),)),
    ]
    encoded = encode(RETRIEVAL, mined, encoder())
    assert encoded.unit_example.tolist() == [0, 0, 0, 1] and encoded.num_examples == 2 and len(encoded.ids) == 4
