"""A tiny configuration of each family of encoders."""

from __future__ import annotations

from typing import Any

_SIZES: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "vocab_size": 400,
    "max_position_embeddings": 132,
}
_TYPES = {"type_vocab_size": 2}
_T5 = {"d_model": 32, "d_kv": 6, "num_layers": 3, "num_heads": 4, "d_ff": 48, "vocab_size": 400, "pad_token_id": 0}
_BY_FAMILY: dict[str, dict[str, Any]] = {
    "xlm-roberta": {**_SIZES, "type_vocab_size": 1, "pad_token_id": 1},
    "xlm-roberta-xl": {**_SIZES, "type_vocab_size": 1, "pad_token_id": 1},
    "roberta": {**_SIZES, "type_vocab_size": 1, "pad_token_id": 1},
    "bert": {**_SIZES, **_TYPES, "pad_token_id": 0, "hidden_act": "gelu_new"},
    "modernbert": {
        **_SIZES,
        "pad_token_id": 0,
        "local_attention": 6,
        "layer_types": ["full_attention", "sliding_attention", "sliding_attention"],
        "classifier_pooling": "mean",
        **dict.fromkeys(("embedding_dropout", "mlp_dropout", "attention_dropout"), 0.1),
    },
    "deberta-v2": {
        **_SIZES,
        "type_vocab_size": 0,
        "pad_token_id": 0,
        "position_biased_input": False,
        "relative_attention": True,
        "position_buckets": 8,
        "norm_rel_ebd": "layer_norm",
        "share_att_key": True,
        "pos_att_type": ["p2c", "c2p"],
        "conv_kernel_size": 3,
    },
    "rembert": {**_SIZES, **_TYPES, "pad_token_id": 0, "input_embedding_size": 16, "output_embedding_size": 40},
    "mt5": _T5,
    "umt5": _T5,
    "qwen3": {**_SIZES, "num_key_value_heads": 2, "head_dim": 12, "pad_token_id": 0},
}
TINY_CONFIGS: dict[str, dict[str, Any]] = {name: {"model_type": name, **more} for name, more in _BY_FAMILY.items()}
WITH_LM_HEAD = [name for name in TINY_CONFIGS if name not in {"mt5", "umt5", "qwen3"}]
