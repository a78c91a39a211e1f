"""Qwen3 as an encoder: its causal mask is kept, the last token stands for the text."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from stilts.models.architecture import PlainHead
from stilts.models.architectures.general import General, keys_before
from stilts.models.dropout import DropoutStream
from stilts.models.heads import TextStateHead
from stilts.tasks.family import TextState

_PLAIN = {
    "AutoModelForSequenceClassification": PlainHead(modules={"out_proj": "score."}),
    "AutoModelForTokenClassification": PlainHead(modules={"out_proj": "score."}),
    "AutoModelForQuestionAnswering": PlainHead(
        modules={"out_proj": "qa_outputs."}, zeros=frozenset({"qa_outputs.bias"})
    ),
    "AutoModel": PlainHead(),
}


class Qwen3(General):
    """A decoder whose layers see all tokens before, or those in a window."""

    embeddings = "embed_tokens"
    attention = "self_attn"
    plain = _PLAIN

    def inputs(self, encoder: Any, mask: torch.Tensor, types: torch.Tensor | None) -> dict[str, Any]:
        """A mask for each kind of layer."""
        window = encoder.config.sliding_window
        masks = {"full_attention": keys_before(mask), "sliding_attention": keys_before(mask, window)}
        return {"attention_mask": {kind: masks[kind] for kind in set(encoder.config.layer_types)}, "use_cache": False}

    def lm_head(self, config: Any) -> None:
        """None: it was pretrained to guess the next token."""

    def sentence_head(
        self, config: Any, num_labels: int, stream: DropoutStream, dropout: float, *, bias: bool
    ) -> nn.Module:
        """On the last token, without a bias: the plain class has none."""
        return TextStateHead(config.hidden_size, num_labels, stream, dropout, TextState.LAST, bias=False)
