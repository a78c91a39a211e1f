"""Decoders as encoders: a token sees those before it, and the last one stands for the text."""

from __future__ import annotations

from stilts.tasks.families.bert_shape import SIZES
from stilts.tasks.family import Family, Positions, TextState

# Qwen3 and Qwen3 Embedding (Yang et al. 2025).
QWEN3 = Family(
    model_type="qwen3",
    sizes={
        **{our: field for our, field in SIZES.items() if our not in {"type_vocab_size", "pad_token_id"}},
        "num_key_value_heads": "num_key_value_heads",
        "head_dim": "head_dim",
    },
    defaults={
        "hidden_act": "silu",
        "rms_norm_eps": 1e-6,
        "initializer_range": 0.02,
        "attention_dropout": 0.0,
        "num_key_value_heads": 32,
        "head_dim": 128,
    },
    positions=Positions.COMPUTED,
    text_state=TextState.LAST,
    is_causal=True,
    is_gated=True,
    prefix="model.",
    body={"embed_tokens.": "embed_tokens.", "layers.": "layers.", "norm.": "norm."},
    lm_head={},
    left_out=("lm_head.",),
    adapter_modules=("q_proj", "v_proj"),
    dropouts=(),
    attention_dropouts=("attention_dropout",),
    norm_epsilon="rms_norm_eps",
)
