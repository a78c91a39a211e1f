"""Heads: what stands on an encoder's hidden states; each task kind says which one it takes (``stilts/kinds/``).

``hidden`` is (rows, tokens, width), ``mask`` (rows, tokens) is True where a token is. A head's forward takes both and
gives logits.
"""

from __future__ import annotations

import torch
from torch import nn

from stilts.models.dropout import CountedDropout, DropoutStream

# Dropout sites of heads are numbered from here, behind those of any encoder.
_HEAD_SITE = 10_000


class SentenceHead(nn.Module):
    """Logits (rows, num_labels) from the first token, through a dense layer and tanh, as XLM-R's own."""

    def __init__(
        self, width: int, num_labels: int, stream: DropoutStream, dropout: float, *, bias: bool = True
    ) -> None:
        super().__init__()
        self.dense = nn.Linear(width, width)
        self.out_proj = nn.Linear(width, num_labels, bias=bias)
        self.dropout_in = CountedDropout(stream, _HEAD_SITE, dropout)
        self.dropout_out = CountedDropout(stream, _HEAD_SITE + 1, dropout)

    def forward(self, hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """(rows, num_labels)."""
        first = self.dropout_in(hidden[:, 0])
        logits: torch.Tensor = self.out_proj(self.dropout_out(torch.tanh(self.dense(first))))
        return logits


class TokenHead(nn.Module):
    """Logits (rows, tokens, num_labels): one linear layer on every token."""

    def __init__(
        self, width: int, num_labels: int, stream: DropoutStream, dropout: float, *, bias: bool = True
    ) -> None:
        super().__init__()
        self.dropout = CountedDropout(stream, _HEAD_SITE, dropout)
        self.out_proj = nn.Linear(width, num_labels, bias=bias)

    def forward(self, hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """(rows, tokens, num_labels); span QA has two labels: an answer's first and last token."""
        logits: torch.Tensor = self.out_proj(self.dropout(hidden))
        return logits


class MaskedLMHead(nn.Module):
    """Logits over the vocabulary, with the encoder's own word embeddings as output matrix, as in XLM-R."""

    def __init__(self, width: int, vocabulary: int, layer_norm_eps: float) -> None:
        super().__init__()
        self.dense = nn.Linear(width, width)
        self.layer_norm = nn.LayerNorm(width, eps=layer_norm_eps)
        self.bias = nn.Parameter(torch.zeros(vocabulary))

    def forward(self, hidden: torch.Tensor, embeddings: torch.Tensor) -> torch.Tensor:
        """(tokens, vocabulary) from (tokens, width)."""
        x = self.layer_norm(nn.functional.gelu(self.dense(hidden)))
        return nn.functional.linear(x, embeddings, self.bias)


def pooled(hidden: torch.Tensor, mask: torch.Tensor, pooling: str) -> torch.Tensor:
    """(rows, width) L2-normalised vectors of texts, from all tokens, ``<s>`` and ``</s>`` among them.

    ``mean`` is that of XTREME's Tatoeba script; ``cls`` takes the first token, ``max`` each number's highest.
    """
    there = mask.unsqueeze(-1)
    if pooling == "cls":
        vectors = hidden[:, 0]
    elif pooling == "max":
        vectors = hidden.masked_fill(~there, float("-inf")).amax(1)
    else:
        weights = there.to(hidden.dtype)
        vectors = (hidden * weights).sum(1) / weights.sum(1)
    return nn.functional.normalize(vectors, dim=-1)
