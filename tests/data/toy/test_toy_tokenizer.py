"""The toy tokenizer knows every word, puts special tokens where XLM-R does, and loses nothing."""

from __future__ import annotations

import pytest
from tokenizers import Tokenizer

from stilts.data.toy import generate, toy_tokenizer_json
from stilts.tasks.toy import TOY_ENCODER, TOY_LANGUAGES


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.from_str(toy_tokenizer_json())


def texts(language: str) -> list[str]:
    made = generate(generator="plain", split="test", language=language, size=400, options={})
    return [example.text for example in made]


def test_special_tokens_have_the_ids_of_xlm_r(tokenizer: Tokenizer) -> None:
    ids = [tokenizer.token_to_id(token) for token in ("<s>", "<pad>", "</s>", "<unk>", "<mask>")]
    assert ids == [0, 1, 2, 3, tokenizer.get_vocab_size() - 1]


def test_the_encoder_has_a_row_for_every_piece(tokenizer: Tokenizer) -> None:
    assert TOY_ENCODER["vocab_size"] == tokenizer.get_vocab_size()


def test_ids_have_no_gaps(tokenizer: Tokenizer) -> None:
    assert sorted(tokenizer.get_vocab().values()) == list(range(tokenizer.get_vocab_size()))


def test_pairs_are_joined_as_in_xlm_r(tokenizer: Tokenizer) -> None:
    assert tokenizer.encode("the dog").tokens == ["<s>", "the", "dog", "</s>"]
    pair = tokenizer.encode("the dog", "a cat")
    assert pair.tokens == ["<s>", "the", "dog", "</s>", "</s>", "a", "cat", "</s>"]
    assert set(pair.type_ids) == {0}


@pytest.mark.parametrize("language", TOY_LANGUAGES)
def test_every_word_is_known_and_comes_back(tokenizer: Tokenizer, language: str) -> None:
    for text in texts(language):
        encoding = tokenizer.encode(text)
        assert "<unk>" not in encoding.tokens
        assert tokenizer.decode(encoding.ids) == text


@pytest.mark.parametrize("language", TOY_LANGUAGES)
def test_words_are_few_pieces(tokenizer: Tokenizer, language: str) -> None:
    """A stem and its endings, never single letters."""
    words = {word for text in texts(language) for word in text.split()}
    assert all(len(tokenizer.encode(word, add_special_tokens=False).ids) <= 3 for word in words)


def test_text_of_other_origin_falls_apart_into_letters(tokenizer: Tokenizer) -> None:
    assert tokenizer.encode("xyz, Q!", add_special_tokens=False).tokens == ["x", "##y", "##z", ",", "Q", "!"]
