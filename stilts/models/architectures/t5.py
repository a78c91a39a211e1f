"""The encoders of mT5 and umT5: no token stands for a text, attention is biased by distance, no masked-LM head."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from stilts.models.architecture import PlainHead
from stilts.models.architectures.general import General, keys_seen
from stilts.models.dropout import CountedDropout, DropoutStream
from stilts.models.heads import TextStateHead
from stilts.tasks.family import TextState

# Behind the sites of all modules.
_INPUT_SITE, _OUTPUT_SITE = 9_000, 9_001


class T5Encoder(General):
    """The encoder's stack of layers alone; ``encoder_class`` is transformers' class that holds it."""

    layers = "block"
    embeddings = "embed_tokens"
    attention = "SelfAttention"
    attention_share = "dropout"

    def __init__(self, encoder_class: str) -> None:
        self.encoder_class = encoder_class
        # transformers' classes for whole texts and for answers run the decoder, too.
        tags = PlainHead(modules={"out_proj": "classifier."})
        self.plain = {"AutoModelForTokenClassification": tags, "AutoModel": PlainHead(auto_class=encoder_class)}

    def make(self, config: Any, attention: str) -> nn.Module:
        """The stack, whose word embeddings are its own."""
        import transformers

        made = getattr(transformers, self.encoder_class)._from_config(config, attn_implementation=attention)
        stack: nn.Module = made.encoder
        return stack

    def count(self, encoder: Any, stream: DropoutStream) -> None:
        """As all, but for the stack's own dropout, one module that is used twice: in two places, two masks."""
        share = encoder.dropout.p
        encoder.dropout = nn.Identity()
        super().count(encoder, stream)
        encoder.dropout_in = CountedDropout(stream, _INPUT_SITE, share)
        encoder.dropout_out = CountedDropout(stream, _OUTPUT_SITE, share)
        encoder.embed_tokens.register_forward_hook(lambda module, given, out: encoder.dropout_in(out))
        encoder.final_layer_norm.register_forward_hook(lambda module, given, out: encoder.dropout_out(out))

    def inputs(self, encoder: Any, mask: torch.Tensor, types: torch.Tensor | None) -> dict[str, Any]:
        """The mask."""
        return {"attention_mask": keys_seen(mask)}

    def lm_head(self, config: Any) -> None:
        """None: it was pretrained to write what is missing, by its decoder."""

    def sentence_head(
        self, config: Any, num_labels: int, stream: DropoutStream, dropout: float, *, bias: bool
    ) -> nn.Module:
        """On the mean of all tokens."""
        return TextStateHead(config.hidden_size, num_labels, stream, dropout, TextState.MEAN, bias=bias)
