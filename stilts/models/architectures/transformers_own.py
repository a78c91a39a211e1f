"""ModernBERT, DeBERTa-v3 and RemBERT: how transformers runs them, their heads, and where these go in plain classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from stilts.models.adapters import for_all_rows
from stilts.models.architecture import PlainHead
from stilts.models.architectures.bert_shape import BERT_HEADS, activation_of
from stilts.models.architectures.general import General, keys_in_window, keys_seen
from stilts.models.dropout import DropoutStream
from stilts.models.heads import MaskedLMHead, NormedHead, UntiedMaskedLMHead

_CLASSIFIER = {"dense": "head.dense.", "norm": "head.norm.", "out_proj": "classifier."}
# The plain class pools as ours does.
_FIRST = {"classifier_pooling": "cls"}
_NO_BIAS = frozenset({"classifier.bias"})


_MODERNBERT = {
    "AutoModelForSequenceClassification": PlainHead(modules=_CLASSIFIER, fields=_FIRST),
    "AutoModelForTokenClassification": PlainHead(modules=_CLASSIFIER),
    "AutoModelForQuestionAnswering": PlainHead(modules=_CLASSIFIER, zeros=_NO_BIAS),
    "AutoModelForMultipleChoice": PlainHead(modules=_CLASSIFIER, fields=_FIRST, zeros=_NO_BIAS),
    "AutoModelForMaskedLM": PlainHead(modules={"dense": "head.dense.", "layer_norm": "head.norm.", "": "decoder."}),
    "AutoModel": PlainHead(),
}


class ModernBert(General):
    """Rotary positions; layers see all tokens, or those in a window around."""

    embeddings = "embeddings.tok_embeddings"
    attention = "attn"
    plain = _MODERNBERT

    def inputs(self, encoder: Any, mask: torch.Tensor, types: torch.Tensor | None) -> dict[str, Any]:
        """A mask for each kind of layer."""
        window = keys_in_window(mask, encoder.config.sliding_window)
        return {"attention_mask": {"full_attention": keys_seen(mask), "sliding_attention": window}}

    def lm_head(self, config: Any) -> nn.Module:
        """A dense layer and a norm, with biases as configured."""
        return MaskedLMHead(
            config.hidden_size,
            config.vocab_size,
            config.norm_eps,
            activation=activation_of(config.classifier_activation),
            bias=config.classifier_bias,
            norm_bias=config.norm_bias,
        )

    def sentence_head(
        self, config: Any, num_labels: int, stream: DropoutStream, dropout: float, *, bias: bool
    ) -> nn.Module:
        """ModernBERT's own, on the first token."""
        return _normed(config, num_labels, stream, dropout, bias=bias, of_tokens=False)

    def token_head(
        self, config: Any, num_labels: int, stream: DropoutStream, dropout: float, *, bias: bool
    ) -> nn.Module:
        """ModernBERT's own, on every token."""
        return _normed(config, num_labels, stream, dropout, bias=bias, of_tokens=True)


def _normed(
    config: Any, num_labels: int, stream: DropoutStream, dropout: float, *, bias: bool, of_tokens: bool
) -> NormedHead:
    return NormedHead(
        config.hidden_size,
        num_labels,
        stream,
        dropout,
        layer_norm_eps=config.norm_eps,
        activation=activation_of(config.classifier_activation),
        dense_bias=config.classifier_bias,
        norm_bias=config.norm_bias,
        bias=bias,
        of_tokens=of_tokens,
    )


class WrittenOut(General):
    """Encoders of BERT's shape whose attention transformers writes out, with dropout modules on probabilities."""

    layers = "encoder.layer"

    def inputs(self, encoder: Any, mask: torch.Tensor, types: torch.Tensor | None) -> dict[str, Any]:
        """The mask as numbers, and types where there are any to tell apart."""
        told = {"token_type_ids": types} if encoder.config.type_vocab_size > 1 and types is not None else {}
        return {"attention_mask": mask.long(), **told}


# The plain class pools through the activation that is configured; ours through tanh.
_DEBERTA = {
    "AutoModelForSequenceClassification": PlainHead(
        modules={"dense": "pooler.dense.", "out_proj": "classifier."}, fields={"pooler_hidden_act": "tanh"}
    ),
    "AutoModelForTokenClassification": BERT_HEADS["AutoModelForTokenClassification"],
    "AutoModelForQuestionAnswering": BERT_HEADS["AutoModelForQuestionAnswering"],
    "AutoModelForMultipleChoice": PlainHead(
        modules={"dense": "pooler.dense.", "out_proj": "classifier."},
        fields={"pooler_hidden_act": "tanh"},
        zeros=_NO_BIAS,
    ),
    "AutoModelForMaskedLM": PlainHead(modules=BERT_HEADS["AutoModelForMaskedLM"].modules, fields={"legacy": True}),
    "AutoModel": PlainHead(),
}


class DebertaV2(WrittenOut):
    """Attention biased by embedded distances, which all rows have in common."""

    shared = frozenset({"pos_dropout"})
    plain = _DEBERTA

    def count(self, encoder: nn.Module, stream: DropoutStream) -> None:
        """As all; adapters of a projection see embedded distances too, where it maps both."""
        super().count(encoder, stream)
        for module in encoder.modules():
            if hasattr(module, "disentangled_attention_bias"):
                module.disentangled_attention_bias = _of_all_rows(module)  # type: ignore[assignment]

    def state_module(self, encoder: Any, layers: Any, layer: int) -> nn.Module | None:
        """The first layer's output goes through a convolution in some."""
        convolution: nn.Module | None = encoder.encoder.conv
        return convolution if layer == 1 and convolution is not None else super().state_module(encoder, layers, layer)

    def lm_head(self, config: Any) -> nn.Module:
        """BERT's, with the activation that is configured."""
        activation = activation_of(config.hidden_act)
        return MaskedLMHead(config.hidden_size, config.vocab_size, config.layer_norm_eps, activation=activation)


def _of_all_rows(attention: Any) -> Callable[..., torch.Tensor]:
    """The part of an attention that goes by distances, whose adapters drop out the same in all rows."""
    compute = attention.disentangled_attention_bias

    def computed(*given: Any, **named: Any) -> torch.Tensor:
        with for_all_rows(attention):
            bias: torch.Tensor = compute(*given, **named)
        return bias

    return computed


_REMBERT = {
    **BERT_HEADS,
    "AutoModelForMaskedLM": PlainHead(
        modules={
            "dense": "cls.predictions.dense.",
            "layer_norm": "cls.predictions.LayerNorm.",
            "decoder": "cls.predictions.decoder.",
        }
    ),
}


class RemBert(WrittenOut):
    """Narrow word embeddings, mapped to the layers' width; the masked-LM head has an output matrix of its own."""

    plain = _REMBERT

    def make(self, config: Any, attention: str) -> nn.Module:
        """The encoder without its pooler."""
        from transformers import AutoModel

        settings = {"attn_implementation": attention, "add_pooling_layer": False}
        made: nn.Module = AutoModel.from_config(config, **settings)  # type: ignore[no-untyped-call]
        return made

    def lm_head(self, config: Any) -> nn.Module:
        """Wider than the layers."""
        return UntiedMaskedLMHead(
            config.hidden_size,
            config.output_embedding_size,
            config.vocab_size,
            config.layer_norm_eps,
            activation=activation_of(config.hidden_act),
        )
