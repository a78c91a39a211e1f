"""Tagging and span QA with tokenizers that are not XLM-R's: words by offsets, the last subword, the last token."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer

from stilts.data.collate import collate
from stilts.data.encode import TaskTokenizer
from stilts.data.encoded import IGNORED
from stilts.data.tokenizing import word_encodings
from stilts.kinds.learning import encode
from stilts.kinds.prepare import Preparation
from stilts.tasks.kinds.classification import CLASSIFICATION, ClassificationExample
from stilts.tasks.kinds.span_qa import SPAN_QA, SpanExample
from stilts.tasks.kinds.tagging import TAGGING, TaggingExample
from stilts.tasks.special_tokens import with_end
from tests.models.tokenizers_of import bert_tokenizer, decoder_tokenizer, t5_tokenizer

WORDS = ("the", "unbelievable", "Füchse", "run", "快速", ".")


def of(text: str) -> TaskTokenizer:
    tokenizer = with_end(Tokenizer.from_str(text))
    return TaskTokenizer(tokenizer=tokenizer, labels=("A", "B"), max_length=24, doc_stride=4)


@pytest.mark.parametrize("text", [bert_tokenizer(), t5_tokenizer(), decoder_tokenizer()], ids=["bert", "t5", "decoder"])
def test_the_words_pieces_are_those_of_the_sentence(text: str) -> None:
    tokenizer = of(text).tokenizer
    (pieces,) = word_encodings(tokenizer, [list(WORDS)])
    whole = tokenizer.encode(" ".join(WORDS), add_special_tokens=False).ids
    assert [token for piece in pieces for token in piece] == whole and len(pieces) == len(WORDS)
    for word, piece in zip(WORDS, pieces, strict=True):
        if tokenizer.token_to_id("<|endoftext|>") is not None:
            assert tokenizer.decode(piece).strip() == word


@pytest.mark.parametrize(
    ("text", "place"),
    [(bert_tokenizer(), 0), (t5_tokenizer(), -1), (decoder_tokenizer(), -1)],
    ids=["bert", "t5", "qwen"],
)
def test_a_tag_stands_at_the_first_subword_or_at_the_last_where_texts_are_read_from_the_end(
    text: str, place: int
) -> None:
    encoder = of(text)
    example = TaggingExample(item="1", words=WORDS, tags=("A", "B", "A", "B", "A", "B"))
    encoded = encode(TAGGING, [example], encoder)
    (pieces,) = word_encodings(encoder.tokenizer, [list(WORDS)])
    assert encoded.words is not None and encoded.row_labels is not None
    words = np.concatenate([encoded.words[row] for row in range(len(encoded.ids))])
    ids = np.concatenate([encoded.ids[row] for row in range(len(encoded.ids))])
    labels = np.concatenate([encoded.row_labels[row] for row in range(len(encoded.ids))])
    found = np.flatnonzero(words >= 0)
    assert words[found].tolist() == list(range(6)) and labels[found].tolist() == [0, 1, 0, 1, 0, 1]
    lost = [encoder.special.behind[-1] if encoder.special.unknown is None else encoder.special.unknown]
    assert ids[found].tolist() == [(piece or lost)[place] for piece in pieces]
    assert (labels[words < 0] == IGNORED).all()


@pytest.mark.parametrize("text", [bert_tokenizer(), t5_tokenizer(), decoder_tokenizer()], ids=["bert", "t5", "decoder"])
def test_no_answer_is_a_special_token_and_answers_are_found_by_their_characters(text: str) -> None:
    encoder = of(text)
    context = "a b c d e f g h i j k l m n o p q r s t u v w x y z " * 2
    example = SpanExample(item="1", question="a b", context=context, answers=(("x y", context.index("x y")),))
    encoded = encode(SPAN_QA, [example], encoder)
    assert encoded.spans is not None and encoded.chars is not None and len(encoded) > 2
    answered = 0
    for unit in range(len(encoded)):
        chars, (first, last) = encoded.chars[unit].reshape(-1, 2), encoded.spans[unit]
        if chars[first, 0] >= 0:
            answered += 1
            assert context[chars[first, 0] : chars[last, 1]].strip() == "x y"
        else:
            place = len(chars) - 1 if encoder.special.reads_from_end else 0
            assert (first, last) == (place, place)
            assert encoded.ids[unit][place] in encoder.special.ids
    assert answered


def test_the_second_text_of_a_pair_has_type_1_where_the_tokenizer_says_so() -> None:
    encoder = of(bert_tokenizer())
    examples = [
        ClassificationExample(item=str(n), text="a b", text_pair="c d e"[: 3 + 2 * n], label="A") for n in range(2)
    ]
    encoded = encode(CLASSIFICATION, examples, encoder)
    vocabulary = Preparation(tokenizer=encoder.tokenizer, fingerprint="x", roots={}).vocabulary()
    batch = collate(encoded, np.arange(2), vocabulary, pad_to=10)
    assert batch.types is not None
    for row, example in enumerate(examples):
        types = encoder.tokenizer.encode(example.text, example.text_pair).type_ids
        assert batch.types[row].tolist() == types + [0] * (10 - len(types))
    other: Any = Preparation(tokenizer=of(t5_tokenizer()).tokenizer, fingerprint="x", roots={}).vocabulary()
    assert other.between is None and collate(encoded, np.arange(2), other).types is None
