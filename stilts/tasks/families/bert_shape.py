"""Encoders of BERT's shape: learned positions, attention and two linear layers in turn. Our own path runs them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from stilts.tasks.family import EncoderConfig, Family, Positions

SIZES = {
    name: name
    for name in (
        "num_hidden_layers",
        "hidden_size",
        "num_attention_heads",
        "intermediate_size",
        "vocab_size",
        "max_position_embeddings",
        "pad_token_id",
        "type_vocab_size",
    )
}
_USUAL_NORMS = ("attention.output.LayerNorm", "output.LayerNorm")
_XL_NORMS = ("attention.self_attn_layer_norm", "LayerNorm")


def _tensors(config: EncoderConfig) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield from _embeddings(config)
    yield from _norm("embeddings.LayerNorm", config.hidden_size)
    yield from _layers(config, _USUAL_NORMS)


def _xl_tensors(config: EncoderConfig) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Those of XLM-R XL, which normalises what goes into a layer, and what comes out of the last."""
    yield from _embeddings(config)
    yield from _norm("encoder.LayerNorm", config.hidden_size)
    yield from _layers(config, _XL_NORMS)


def _embeddings(config: EncoderConfig) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield "embeddings.word_embeddings.weight", (config.vocab_size, config.hidden_size)
    yield "embeddings.position_embeddings.weight", (config.max_position_embeddings, config.hidden_size)
    yield "embeddings.token_type_embeddings.weight", (config.type_vocab_size, config.hidden_size)


def _layers(config: EncoderConfig, norms: tuple[str, str]) -> Iterator[tuple[str, tuple[int, ...]]]:
    width, inner = config.hidden_size, config.intermediate_size
    for layer in range(config.num_hidden_layers):
        at = f"encoder.layer.{layer}"
        for name in ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"):
            yield from _linear(f"{at}.{name}", width, width)
        yield from _linear(f"{at}.intermediate.dense", inner, width)
        yield from _linear(f"{at}.output.dense", width, inner)
        for name in norms:
            yield from _norm(f"{at}.{name}", width)


def _lm_head_tensors(config: EncoderConfig) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Those of the masked-LM head; its output matrix is the encoder's word embeddings."""
    yield from _linear("dense", config.hidden_size, config.hidden_size)
    yield from _norm("layer_norm", config.hidden_size)
    yield "bias", (config.vocab_size,)


def _linear(name: str, out: int, into: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield f"{name}.weight", (out, into)
    yield f"{name}.bias", (out,)


def _norm(name: str, width: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield f"{name}.weight", (width,)
    yield f"{name}.bias", (width,)


# XLM-R (Conneau et al. 2020), and what has its configuration: XLM-V, InfoXLM, Glot500, multilingual E5.
XLM_ROBERTA = Family(
    model_type="xlm-roberta",
    sizes=SIZES,
    defaults={
        "num_attention_heads": 12,
        "vocab_size": 30522,
        "type_vocab_size": 2,
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-12,
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
        "initializer_range": 0.02,
    },
    positions=Positions.BEHIND_PADDING,
    prefix="roberta.",
    body={"embeddings.": "embeddings.", "encoder.": "encoder."},
    lm_head={"lm_head.": ""},
    # The pooler of next-sentence prediction, a buffer of older versions, and the output matrix that is tied to the word
    # embeddings.
    left_out=("pooler.", "embeddings.position_ids", "lm_head.decoder."),
    tensors=_tensors,
    lm_head_tensors=_lm_head_tensors,
    adapter_modules=("query", "value"),
)
# XLM-R XL and XXL (Goyal et al. 2021).
XLM_ROBERTA_XL = replace(
    XLM_ROBERTA,
    model_type="xlm-roberta-xl",
    defaults={
        **XLM_ROBERTA.defaults,
        "num_attention_heads": 32,
        "vocab_size": 250880,
        "type_vocab_size": 1,
        "layer_norm_eps": 1e-05,
    },
    tensors=_xl_tensors,
)
ROBERTA = replace(XLM_ROBERTA, model_type="roberta", defaults={**XLM_ROBERTA.defaults, "vocab_size": 50265})
# Multilingual BERT (Devlin et al. 2019).
BERT = replace(
    XLM_ROBERTA,
    model_type="bert",
    positions=Positions.FROM_ZERO,
    from_zero=frozenset({"pad_token_id"}),
    prefix="bert.",
    lm_head={
        "cls.predictions.transform.dense.": "dense.",
        "cls.predictions.transform.LayerNorm.": "layer_norm.",
        "cls.predictions.bias": "bias",
    },
    left_out=("pooler.", "embeddings.position_ids", "cls.predictions.decoder.", "cls.seq_relationship."),
)
