"""A small tokenizer of each kind that families of encoders have, made here: other special tokens, other templates."""

from __future__ import annotations

import json
from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from stilts.data.toy import toy_tokenizer_json

_BERT_NAMES = {"<s>": "[CLS]", "</s>": "[SEP]", "<pad>": "[PAD]", "<unk>": "[UNK]", "<mask>": "[MASK]"}
_TOY_TEXTS = [word for word in json.loads(toy_tokenizer_json())["model"]["vocab"] if not word.startswith("<")]


def bert_tokenizer() -> str:
    """``[CLS] A [SEP] B [SEP]``, the second text of type 1."""
    text = toy_tokenizer_json()
    for theirs, ours in _BERT_NAMES.items():
        text = text.replace(json.dumps(theirs), json.dumps(ours))
    tokenizer: Any = Tokenizer.from_str(text)
    ids = [(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=ids
    )
    return str(tokenizer.to_str())


def t5_tokenizer() -> str:
    """``A </s>`` and ``A </s> B </s>``; it asks to be padded, which is ours to do."""
    tokenizer: Any = Tokenizer.from_str(toy_tokenizer_json())
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", tokenizer.token_to_id("</s>"))]
    )
    tokenizer.enable_padding(length=40)
    tokenizer.enable_truncation(30)
    return str(tokenizer.to_str())


def decoder_tokenizer() -> str:
    """Byte-level pieces, without template, padding on the left, unknown and mask token."""
    tokenizer: Any = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    trainer = trainers.BpeTrainer(
        vocab_size=500,
        special_tokens=["<|endoftext|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([" ".join(_TOY_TEXTS[i : i + 9]) for i in range(len(_TOY_TEXTS))], trainer)
    tokenizer.enable_padding(direction="left")
    return str(tokenizer.to_str())


def tokenizer_of(family: str) -> str:
    """The tokenizer that goes with a tiny encoder of the family."""
    if family == "qwen3":
        return decoder_tokenizer()
    if family in {"mt5", "umt5"}:
        return t5_tokenizer()
    return bert_tokenizer() if family in {"bert", "rembert", "modernbert", "deberta-v2"} else toy_tokenizer_json()
