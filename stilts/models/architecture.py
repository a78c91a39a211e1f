"""Architecture: the half of an encoder's family that needs torch. Read ``stilts/tasks/family.py`` first.

How an encoder is built and asked for hidden states, which heads stand on it, and where these go in plain classes.
``architectures/`` holds the values.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from stilts.models.dropout import DropoutStream
from stilts.models.heads import MaskedLMHead, SentenceHead


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainHead:
    """Where a head of ours goes in a plain class of transformers.

    ``modules`` maps our head's modules to the plain class's; ``{prefix}`` is that of its encoder, the empty name stands
    for the head's own parameters. ``zeros`` are tensors that ours is without, where zeros say the same.
    """

    modules: Mapping[str, str] = field(default_factory=dict)
    zeros: frozenset[str] = frozenset()


class Architecture(ABC):
    """How encoders of a family are built and asked.

    ``plain`` gives, for each of transformers' auto classes that the family can be exported as, where the head goes.
    """

    plain: Mapping[str, PlainHead]

    @abstractmethod
    def build(
        self, config: Any, stream: DropoutStream, *, dropout: float | None, attention_dropout: float | None
    ) -> nn.Module:
        """A new encoder without head, its dropouts counted by ``stream``; shares of None are the configuration's."""

    @abstractmethod
    def hidden(self, encoder: nn.Module, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """The last hidden state (rows, tokens, width); ``mask`` (rows, tokens) is True where a token is."""

    @abstractmethod
    def hidden_at(self, encoder: nn.Module, ids: torch.Tensor, mask: torch.Tensor, layer: int) -> torch.Tensor:
        """Hidden state ``layer`` (rows, tokens, width): 0 is the embedding layer, k what the k-th layer gives out."""

    @abstractmethod
    def word_embeddings(self, encoder: nn.Module) -> torch.Tensor:
        """(vocabulary, width) what a masked-LM head takes for its output matrix."""

    def lm_head(self, config: Any) -> nn.Module:
        """A new masked-LM head."""
        return MaskedLMHead(config.hidden_size, config.vocab_size, config.layer_norm_eps)

    def sentence_head(
        self, config: Any, num_labels: int, stream: DropoutStream, dropout: float, *, bias: bool
    ) -> nn.Module:
        """A new head that gives logits (rows, num_labels) of hidden states."""
        return SentenceHead(config.hidden_size, num_labels, stream, dropout, bias=bias)
