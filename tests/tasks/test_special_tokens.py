"""Special tokens by role, whatever a tokenizer calls them; texts that nothing ended are ended."""

from __future__ import annotations

from typing import Any

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from stilts.errors import EncoderError
from stilts.tasks.special_tokens import special_tokens, with_end
from tests.models.tokenizers_of import bert_tokenizer, decoder_tokenizer, t5_tokenizer, tokenizer_of


def named(tokenizer: Tokenizer) -> dict[str, Any]:
    """The roles with their tokens' names."""
    found = special_tokens(tokenizer)
    name = tokenizer.id_to_token
    return {
        "before": [name(each) for each in found.before],
        "behind": [name(each) for each in found.behind],
        "pad": name(found.pad),
        "mask": None if found.mask is None else name(found.mask),
        "has_types": found.has_types,
    }


def test_roles_of_xlm_r_s_and_bert_s() -> None:
    xlmr = with_end(Tokenizer.from_str(tokenizer_of("xlm-roberta")))
    roles = {"before": ["<s>"], "behind": ["</s>"], "pad": "<pad>", "mask": "<mask>", "has_types": False}
    assert named(xlmr) == roles and not special_tokens(xlmr).reads_from_end
    assert special_tokens(xlmr).ids == tuple(sorted(xlmr.token_to_id(t) for t in "<s> <pad> </s> <unk> <mask>".split()))
    bert = with_end(Tokenizer.from_str(bert_tokenizer()))
    assert named(bert) == {
        "before": ["[CLS]"],
        "behind": ["[SEP]"],
        "pad": "[PAD]",
        "mask": "[MASK]",
        "has_types": True,
    }


def test_t5_s_texts_are_read_from_their_end_and_not_padded_by_the_file() -> None:
    tokenizer = with_end(Tokenizer.from_str(t5_tokenizer()))
    assert named(tokenizer)["before"] == [] and named(tokenizer)["behind"] == ["</s>"]
    assert special_tokens(tokenizer).reads_from_end
    assert tokenizer.encode("a b").tokens == ["a", "b", "</s>"]
    assert len(tokenizer.encode("a " * 50).ids) == 51, "nor cut"


def test_a_decoder_s_texts_are_ended_and_padded_by_another_token() -> None:
    tokenizer = with_end(Tokenizer.from_str(decoder_tokenizer()))
    assert tokenizer.encode("ab", "c").tokens[-1] == "<|endoftext|>"
    assert tokenizer.encode("ab", "c").tokens.count("<|endoftext|>") == 2
    roles = named(tokenizer)
    assert (roles["before"], roles["behind"], roles["pad"]) == ([], ["<|endoftext|>"], "<|im_end|>")
    assert roles["mask"] is None
    encoding = tokenizer.encode("ab cd")
    texts = ["ab cd"[start:end] for start, end in encoding.offsets[:-1]]
    assert "".join(texts) == "abcd", "blanks are no part of a word"


def test_what_a_decoder_puts_before_a_text_only_is_left_out() -> None:
    tokenizer: Any = Tokenizer(models.WordLevel({"<s>": 0, "</s>": 1, "a": 2, "<unk>": 3}, unk_token="<unk>"))
    tokenizer.add_special_tokens(["<s>", "</s>"])
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 0)]
    )
    assert with_end(tokenizer).encode("a", "a").ids == [2, 1, 2, 1]


def test_a_tokenizer_that_has_nothing_to_end_a_text_with_is_named() -> None:
    tokenizer: Any = Tokenizer(models.WordLevel({"a": 0, "<unk>": 1}, unk_token="<unk>"))
    with pytest.raises(EncoderError, match="no token to end a text with"):
        special_tokens(with_end(tokenizer))


def test_where_one_special_token_is_all_there_is_it_pads_too() -> None:
    tokenizer: Any = Tokenizer(models.WordLevel({"a": 0, "</s>": 1}, unk_token="a"))
    tokenizer.add_special_tokens(["</s>"])
    found = special_tokens(with_end(tokenizer))
    assert found.pad == found.behind[-1] == 1
