"""Toy languages: what an artificial stand-in is made of, as constants.

``stilts.data.toy`` generates their texts and tasks. Whoever prints a score on them labels it "toy": it says that the
system works, and nothing about real languages. Raise ``TOY_VERSION`` whenever a generated example changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

TOY_VERSION = 1

ENGLISH = "en"
# ISO 639-2's code for several languages: a pool whose candidates are each in one of many.
MIXED = "mul"

# Codes qaa to qtz are reserved for private use (ISO 639-2), so none of these is a real language.
TOY_LANGUAGES: tuple[str, ...] = (ENGLISH, "qaa", "qab", "qac", "qad")

# Fields of transformers' XLMRobertaConfig; ``vocab_size`` is the toy tokenizer's.
TOY_ENCODER: Mapping[str, int | float | str] = MappingProxyType(
    {
        "vocab_size": 654,
        "hidden_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 256,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
        "max_position_embeddings": 130,
        "type_vocab_size": 1,
        "layer_norm_eps": 1e-5,
        "initializer_range": 0.02,
        "bos_token_id": 0,
        "pad_token_id": 1,
        "eos_token_id": 2,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToyPretraining:
    """How the toy encoder is made by masked LM, every language equally often.

    ``weights`` are shares of steps by task of the catalogue. ``num_texts`` counts the texts of each task in each
    language; ``switch_frac`` is the generators' option of that name by task: without it, translations do not
    come to lie together in so few steps. ``languages`` None: all that the task has. ``max_length`` counts tokens.
    """

    weights: Mapping[str, float]
    switch_frac: Mapping[str, float]
    languages: tuple[str, ...] | None = None
    num_texts: int = 4000
    steps: int = 1600
    learning_rate: float = 5e-3
    warmup_frac: float = 0.1
    batch_size: int = 64
    max_length: int = 64
    mask_frac: float = 0.3


# 20 to 30 ms a step on one thread of a 2-core machine, so 32 to 50 s.
TOY_PRETRAINING = ToyPretraining(
    weights=MappingProxyType({"plain": 0.25, "translation": 0.75}),
    switch_frac=MappingProxyType({"plain": 0.9, "translation": 0.6}),
)
