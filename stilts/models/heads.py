"""Heads: what stands on an encoder's hidden states; each task kind says which one it takes (``stilts/kinds/``).

``hidden`` is (rows, tokens, width), ``mask`` (rows, tokens) is True where a token is. A head's forward takes both and
gives logits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import nn

from stilts.models.dropout import CountedDropout, DropoutStream
from stilts.tasks.family import TextState

Activation: TypeAlias = Callable[[torch.Tensor], torch.Tensor]
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


class TextStateHead(nn.Module):
    """Logits (rows, num_labels): one linear layer on what stands for a text, the last token or the mean of all."""

    def __init__(
        self, width: int, num_labels: int, stream: DropoutStream, dropout: float, state: TextState, *, bias: bool
    ) -> None:
        super().__init__()
        self.state = state
        self.dropout = CountedDropout(stream, _HEAD_SITE, dropout)
        self.out_proj = nn.Linear(width, num_labels, bias=bias)

    def forward(self, hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """(rows, num_labels)."""
        logits: torch.Tensor = self.out_proj(self.dropout(text_states(hidden, mask, self.state)))
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


class NormedHead(nn.Module):
    """Logits through a dense layer, its activation and a layer norm: ModernBERT's head.

    (rows, num_labels) from the first token, or (rows, tokens, num_labels) with ``of_tokens``.
    """

    def __init__(
        self,
        width: int,
        num_labels: int,
        stream: DropoutStream,
        dropout: float,
        *,
        layer_norm_eps: float,
        activation: Activation,
        dense_bias: bool,
        norm_bias: bool,
        bias: bool,
        of_tokens: bool,
    ) -> None:
        super().__init__()
        self.activation, self.of_tokens = activation, of_tokens
        self.dense = nn.Linear(width, width, bias=dense_bias)
        self.norm = nn.LayerNorm(width, eps=layer_norm_eps, bias=norm_bias)
        self.dropout = CountedDropout(stream, _HEAD_SITE, dropout)
        self.out_proj = nn.Linear(width, num_labels, bias=bias)

    def forward(self, hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Of the first token, or of all."""
        x = self.norm(self.activation(self.dense(hidden if self.of_tokens else hidden[:, 0])))
        logits: torch.Tensor = self.out_proj(self.dropout(x))
        return logits


class MaskedLMHead(nn.Module):
    """Logits over the vocabulary, with the encoder's own word embeddings as output matrix, as in XLM-R."""

    def __init__(
        self,
        width: int,
        vocabulary: int,
        layer_norm_eps: float,
        *,
        activation: Activation = nn.functional.gelu,
        bias: bool = True,
        norm_bias: bool = True,
    ) -> None:
        super().__init__()
        self.activation = activation
        self.dense = nn.Linear(width, width, bias=bias)
        self.layer_norm = nn.LayerNorm(width, eps=layer_norm_eps, bias=norm_bias)
        self.bias = nn.Parameter(torch.zeros(vocabulary))

    def forward(self, hidden: torch.Tensor, embeddings: torch.Tensor) -> torch.Tensor:
        """(tokens, vocabulary) from (tokens, width)."""
        x = self.layer_norm(self.activation(self.dense(hidden)))
        return nn.functional.linear(x, embeddings, self.bias)


class UntiedMaskedLMHead(nn.Module):
    """Logits over the vocabulary through an output matrix of the head's own, as in RemBERT."""

    def __init__(
        self, width: int, inner: int, vocabulary: int, layer_norm_eps: float, *, activation: Activation
    ) -> None:
        super().__init__()
        self.activation = activation
        self.dense = nn.Linear(width, inner)
        self.layer_norm = nn.LayerNorm(inner, eps=layer_norm_eps)
        self.decoder = nn.Linear(inner, vocabulary)

    def forward(self, hidden: torch.Tensor, embeddings: torch.Tensor) -> torch.Tensor:
        """(tokens, vocabulary) from (tokens, width)."""
        logits: torch.Tensor = self.decoder(self.layer_norm(self.activation(self.dense(hidden))))
        return logits


def text_states(hidden: torch.Tensor, mask: torch.Tensor, state: TextState) -> torch.Tensor:
    """(rows, width) what stands for each text, padded at its end."""
    if state is TextState.FIRST:
        return hidden[:, 0]
    if state is TextState.LAST:
        last = mask.sum(1) - 1
        return hidden[torch.arange(len(hidden), device=hidden.device), last]
    weights = mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * weights).sum(1) / weights.sum(1)


def pooled(hidden: torch.Tensor, mask: torch.Tensor, pooling: str) -> torch.Tensor:
    """(rows, width) L2-normalised vectors of texts, from all tokens, ``<s>`` and ``</s>`` among them.

    ``mean`` is that of XTREME's Tatoeba script; ``cls`` takes the first token, ``last`` the last (decoders' way),
    ``max`` each number's highest.
    """
    there = mask.unsqueeze(-1)
    if pooling == "cls":
        vectors = hidden[:, 0]
    elif pooling == "last":
        vectors = text_states(hidden, mask, TextState.LAST)
    elif pooling == "max":
        vectors = hidden.masked_fill(~there, float("-inf")).amax(1)
    else:
        weights = there.to(hidden.dtype)
        vectors = (hidden * weights).sum(1) / weights.sum(1)
    return nn.functional.normalize(vectors, dim=-1)
