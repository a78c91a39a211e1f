"""Our own path: encoders of BERT's shape, with positions and masks that we make."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from stilts.models.architecture import Architecture, PlainHead
from stilts.models.dropout import DropoutStream, install, register_attention

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


class BertShape(Architecture):
    """Encoders whose layers transformers builds and whose positions and masks are ours."""

    def __init__(self, plain: Mapping[str, PlainHead]) -> None:
        self.plain = plain

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

    def hidden(self, encoder: nn.Module, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """The last hidden state."""
        out: torch.Tensor = self._run(encoder, ids, mask).last_hidden_state
        return out

    def hidden_at(self, encoder: nn.Module, ids: torch.Tensor, mask: torch.Tensor, layer: int) -> torch.Tensor:
        """Hidden state ``layer``."""
        states: torch.Tensor = self._run(encoder, ids, mask, output_hidden_states=True).hidden_states[layer]
        return states

    def word_embeddings(self, encoder: Any) -> torch.Tensor:
        """The embeddings of words."""
        weights: torch.Tensor = encoder.embeddings.word_embeddings.weight
        return weights

    def _run(self, encoder: Any, ids: torch.Tensor, mask: torch.Tensor, **wanted: bool) -> Any:
        """The encoder's output, with positions counted from the padding id as XLM-R does.

        Left alone, transformers counts them by a cumulative sum, which has no deterministic kernel on GPUs.
        """
        padding = encoder.config.pad_token_id
        places = torch.arange(ids.shape[1], device=ids.device) + padding + 1
        positions = torch.where(mask, places, padding)
        return encoder(input_ids=ids, attention_mask=mask[:, None, None, :], position_ids=positions, **wanted)


ROBERTA = BertShape(_ROBERTA_HEADS)
