"""Encoders that transformers runs: ModernBERT, DeBERTa-v3, RemBERT, and the encoders of mT5 and umT5."""

from __future__ import annotations

from dataclasses import replace

from stilts.tasks.families.bert_shape import BERT, SIZES
from stilts.tasks.family import Family, Positions, TextState

# mmBERT and other ModernBERTs (Warner et al. 2024): rotary positions, local attention in two layers of three.
MODERNBERT = Family(
    model_type="modernbert",
    sizes={our: field for our, field in SIZES.items() if our != "type_vocab_size"},
    from_zero=frozenset({"pad_token_id"}),
    defaults={
        "hidden_activation": "gelu",
        "norm_eps": 1e-5,
        "initializer_range": 0.02,
        "embedding_dropout": 0.0,
        "mlp_dropout": 0.0,
        "attention_dropout": 0.0,
    },
    positions=Positions.COMPUTED,
    is_gated=True,
    prefix="model.",
    body={"embeddings.": "embeddings.", "layers.": "layers.", "final_norm.": "final_norm."},
    lm_head={"head.dense.": "dense.", "head.norm.": "layer_norm.", "decoder.bias": "bias"},
    left_out=("decoder.weight",),
    adapter_modules=("Wqkv",),
    dropouts=("embedding_dropout", "mlp_dropout"),
    attention_dropouts=("attention_dropout",),
    activation="hidden_activation",
    norm_epsilon="norm_eps",
)
# DeBERTa-v2 and v3, mDeBERTa (He et al. 2021): attention is biased by embedded distances. Its checkpoints hold the
# discriminator's head beside the masked-LM head, or alone.
DEBERTA_V2 = Family(
    model_type="deberta-v2",
    sizes=SIZES,
    from_zero=frozenset({"pad_token_id", "type_vocab_size"}),
    defaults={
        "pad_token_id": 0,
        "type_vocab_size": 0,
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-7,
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
        "initializer_range": 0.02,
    },
    positions=Positions.FROM_ZERO,
    prefix="deberta.",
    body={"embeddings.": "embeddings.", "encoder.": "encoder."},
    lm_head={
        "lm_predictions.lm_head.dense.": "dense.",
        "lm_predictions.lm_head.LayerNorm.": "layer_norm.",
        "lm_predictions.lm_head.bias": "bias",
        **BERT.lm_head,
    },
    # Embedded places are of version 1: version 3 has no use for those that its checkpoints may hold.
    left_out=("embeddings.position_", "cls.predictions.decoder.", "mask_predictions."),
    adapter_modules=("query_proj", "value_proj"),
)
# RemBERT (Chung et al. 2021): narrow word embeddings that nothing is tied to.
REMBERT = replace(
    BERT,
    model_type="rembert",
    sizes={**SIZES, "embedding_size": "input_embedding_size"},
    defaults={**BERT.defaults, "num_attention_heads": 18, "vocab_size": 250300, "input_embedding_size": 256}
    | {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0},
    prefix="rembert.",
    lm_head={
        "cls.predictions.dense.": "dense.",
        "cls.predictions.LayerNorm.": "layer_norm.",
        "cls.predictions.decoder.": "decoder.",
    },
    left_out=("pooler.", "embeddings.position_ids", "cls.predictions.bias"),
    tensors=None,
    lm_head_tensors=None,
)
# The encoder of mT5 (Xue et al. 2021), pretrained on 1,024 tokens. Of a whole checkpoint the decoder is left out; what
# stands for a text is the mean over its tokens (Ni et al. 2022, section 3.1), as there is no token for it.
MT5 = Family(
    model_type="mt5",
    sizes={
        "num_hidden_layers": "num_layers",
        "hidden_size": "d_model",
        "num_attention_heads": "num_heads",
        "intermediate_size": "d_ff",
        "vocab_size": "vocab_size",
        "pad_token_id": "pad_token_id",
        "head_dim": "d_kv",
    },
    from_zero=frozenset({"pad_token_id"}),
    defaults={"pad_token_id": 0, "d_kv": 64, "layer_norm_epsilon": 1e-6, "dropout_rate": 0.1},
    positions=Positions.COMPUTED,
    text_state=TextState.MEAN,
    is_gated=True,
    longest=1024,
    prefix="transformer.",
    body={"shared.": "embed_tokens.", "encoder.": ""},
    lm_head={},
    left_out=("decoder.", "lm_head.", "encoder.embed_tokens."),
    adapter_modules=("q", "v"),
    dropouts=("dropout_rate",),
    attention_dropouts=(),
    activation="",
    norm_epsilon="layer_norm_epsilon",
    initializer_range="",
)
# The encoder of umT5 (Chung et al. 2023): every layer has a bias of its own.
UMT5 = replace(MT5, model_type="umt5")
