"""Our own path: encoders of BERT's shape, with positions and masks that we make."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import nn

from stilts.models.architecture import Architecture, PlainHead
from stilts.models.architectures.post_norm import is_post_norm, through_layers
from stilts.models.attention import register_attention
from stilts.models.dropout import DropoutStream, install
from stilts.models.heads import Activation, MaskedLMHead
from stilts.tasks.families import FAMILIES
from stilts.tasks.family import Positions

# Where heads go in the plain classes of RoBERTa, XLM-R and XLM-R XL.
_ROBERTA_HEADS = {
    "AutoModelForSequenceClassification": PlainHead(
        modules={"dense": "classifier.dense.", "out_proj": "classifier.out_proj."}
    ),
    "AutoModelForTokenClassification": PlainHead(modules={"out_proj": "classifier."}),
    "AutoModelForQuestionAnswering": PlainHead(
        modules={"out_proj": "qa_outputs."}, zeros=frozenset({"qa_outputs.bias"})
    ),
    # Our dense layer is the pooler, our bias-free out_proj the classifier with a bias of 0.
    "AutoModelForMultipleChoice": PlainHead(
        modules={"dense": "{prefix}pooler.dense.", "out_proj": "classifier."}, zeros=frozenset({"classifier.bias"})
    ),
    # The head is tied to the embeddings; the empty name stands for its own parameters.
    "AutoModelForMaskedLM": PlainHead(
        modules={"dense": "lm_head.dense.", "layer_norm": "lm_head.layer_norm.", "": "lm_head."}
    ),
    # AutoModel has a pooler that we never train: it is written as zeros, so that loading makes up nothing.
    "AutoModel": PlainHead(zeros=frozenset({"pooler.dense.weight", "pooler.dense.bias"})),
}

# In those of BERT the pooler is our dense layer for all whole texts.
BERT_HEADS = {
    **_ROBERTA_HEADS,
    "AutoModelForSequenceClassification": PlainHead(
        modules={"dense": "{prefix}pooler.dense.", "out_proj": "classifier."}
    ),
    "AutoModelForMaskedLM": PlainHead(
        modules={
            "dense": "cls.predictions.transform.dense.",
            "layer_norm": "cls.predictions.transform.LayerNorm.",
            "": "cls.predictions.",
        }
    ),
}


class BertShape(Architecture):
    """Encoders whose layers transformers builds and whose positions and masks are ours.

    ``lm_activation`` names the activation of the masked-LM head, "" for the layers' own.
    """

    layers = "encoder.layer"

    def __init__(self, plain: Mapping[str, PlainHead], lm_activation: str = "") -> None:
        self.plain, self.lm_activation = plain, lm_activation

    def build(
        self, config: Any, stream: DropoutStream, *, dropout: float | None, attention_dropout: float | None
    ) -> nn.Module:
        """The encoder without its pooler."""
        from transformers import AutoModel

        settings = {"attn_implementation": register_attention(), "add_pooling_layer": False}
        encoder: nn.Module = AutoModel.from_config(config, **settings)  # type: ignore[no-untyped-call]
        hidden = float(config.hidden_dropout_prob if dropout is None else dropout)
        attention = float(config.attention_probs_dropout_prob if attention_dropout is None else attention_dropout)
        install(encoder, stream, dropout=hidden, attention_dropout=attention)
        return encoder

    def hidden(
        self, encoder: nn.Module, ids: torch.Tensor, mask: torch.Tensor | None, types: torch.Tensor | None = None
    ) -> torch.Tensor:
        """The last hidden state."""
        if self._takes_our_layers(encoder, ids):
            return self._through(encoder, ids, mask, types, len(cast(Any, encoder).encoder.layer))
        out: torch.Tensor = encoder(
            **self._given(encoder, ids, mask, types), attention_mask=_seen(mask)
        ).last_hidden_state
        return out

    def hidden_at(
        self,
        encoder: nn.Module,
        ids: torch.Tensor,
        mask: torch.Tensor | None,
        layer: int,
        types: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Hidden state ``layer``."""
        if self._takes_our_layers(encoder, ids):
            return self._through(encoder, ids, mask, types, layer)
        return super().hidden_at(encoder, ids, mask, layer, types)

    def state_module(self, encoder: Any, layers: Any, layer: int) -> nn.Module:
        """The embeddings, or the layer."""
        module: nn.Module = layers[layer - 1] if layer else encoder.embeddings
        return module

    def lm_head(self, config: Any) -> nn.Module:
        """A dense layer and a norm; the output matrix is the word embeddings."""
        activation = activation_of(self.lm_activation or config.hidden_act)
        return MaskedLMHead(config.hidden_size, config.vocab_size, config.layer_norm_eps, activation=activation)

    def _takes_our_layers(self, encoder: Any, ids: torch.Tensor) -> bool:
        """On a CPU transformers' layers are as fast, and results are those of before to the last bit."""
        return ids.device.type != "cpu" and is_post_norm(encoder.encoder.layer)

    def _through(
        self, encoder: Any, ids: torch.Tensor, mask: torch.Tensor | None, types: torch.Tensor | None, count: int
    ) -> torch.Tensor:
        embedded = encoder.embeddings(**self._given(encoder, ids, mask, types))
        return through_layers(encoder, encoder.encoder.layer, embedded, _seen(mask), count)

    def _given(
        self, encoder: Any, ids: torch.Tensor, mask: torch.Tensor | None, types: torch.Tensor | None
    ) -> dict[str, torch.Tensor]:
        """What the embeddings are made from, with positions counted as the encoder's family does.

        Left alone, transformers counts XLM-R's by a cumulative sum, which has no deterministic kernel on GPUs.
        """
        places = torch.arange(ids.shape[1], device=ids.device)
        if FAMILIES[encoder.config.model_type].positions is Positions.BEHIND_PADDING:
            padding = encoder.config.pad_token_id
            behind = places + padding + 1
            positions = behind.expand_as(ids) if mask is None else torch.where(mask, behind, padding)
        else:
            positions = places.expand_as(ids)
        told = {"token_type_ids": types} if encoder.config.type_vocab_size > 1 and types is not None else {}
        return {"input_ids": ids, "position_ids": positions, **told}


def _seen(mask: torch.Tensor | None) -> torch.Tensor | None:
    return None if mask is None else mask[:, None, None, :]


def activation_of(name: str) -> Activation:
    """transformers' activation of that name."""
    from transformers.activations import ACT2FN

    return cast(Activation, ACT2FN[name])


# The masked-LM heads of RoBERTa's kin have one activation, whatever the layers'.
ROBERTA = BertShape(_ROBERTA_HEADS, lm_activation="gelu")
BERT = BertShape(BERT_HEADS)
