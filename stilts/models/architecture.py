"""Architecture: the half of an encoder's family that needs torch. Read ``stilts/tasks/family.py`` first.

How an encoder is built and asked for hidden states, which heads stand on it, and where these go in plain classes.
``architectures/`` holds the values.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

import torch
from torch import nn

from stilts.fingerprint import Json
from stilts.models.dropout import DropoutStream
from stilts.models.heads import SentenceHead, TokenHead


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainHead:
    """Where a head of ours goes in a plain class of transformers.

    ``modules`` maps our head's modules to the plain class's; ``{prefix}`` is that of its encoder, the empty name stands
    for the head's own parameters. ``zeros`` are tensors that ours is without, where zeros say the same. ``fields`` are
    set in the configuration, so that the class computes what ours does. ``auto_class`` names a class in the place of
    the kind's, where that would be another model.
    """

    modules: Mapping[str, str] = field(default_factory=dict)
    zeros: frozenset[str] = frozenset()
    fields: Mapping[str, Json] = field(default_factory=dict)
    auto_class: str = ""


class Architecture(ABC):
    """How encoders of a family are built and asked.

    ``plain`` gives, for each of transformers' auto classes that the family can be exported as, where the head goes;
    ``layers`` names the list of an encoder's layers, ``embeddings`` its embeddings of words.
    """

    plain: Mapping[str, PlainHead]
    layers: ClassVar[str]
    embeddings: ClassVar[str] = "embeddings.word_embeddings"

    @abstractmethod
    def build(
        self, config: Any, stream: DropoutStream, *, dropout: float | None, attention_dropout: float | None
    ) -> nn.Module:
        """A new encoder without head, its dropouts counted by ``stream``; shares of None are the configuration's."""

    @abstractmethod
    def hidden(
        self, encoder: nn.Module, ids: torch.Tensor, mask: torch.Tensor | None, types: torch.Tensor | None = None
    ) -> torch.Tensor:
        """The last hidden state (rows, tokens, width); ``mask`` (rows, tokens): where a token is, None: everywhere.

        ``types`` (rows, tokens) is 1 for tokens of a second text; None: the tokenizer tells no types apart.
        """

    def hidden_at(
        self,
        encoder: nn.Module,
        ids: torch.Tensor,
        mask: torch.Tensor | None,
        layer: int,
        types: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Hidden state ``layer`` (rows, tokens, width): 0 is the embedding layer, k what the k-th layer gives out.

        Layers behind it are not run.
        """
        place, _, name = self.layers.rpartition(".")
        holder = encoder.get_submodule(place)
        layers: Any = getattr(holder, name)
        if layer == len(layers):
            return self.hidden(encoder, ids, mask, types)
        found: list[torch.Tensor] = []
        source = self.state_module(encoder, layers, layer)
        if source is None:
            handle = layers[0].register_forward_pre_hook(lambda module, given: found.append(given[0]))
        else:
            handle = source.register_forward_hook(lambda module, given, out: found.append(_first(out)))
        setattr(holder, name, layers[: layer if source is not None else 1])
        try:
            self.hidden(encoder, ids, mask, types)
        finally:
            setattr(holder, name, layers)
            handle.remove()
        return found[0]

    def state_module(self, encoder: Any, layers: Any, layer: int) -> nn.Module | None:
        """The module that gives out hidden state ``layer``; None for state 0 where only the first layer is given it."""
        return layers[layer - 1] if layer else None

    def word_embeddings(self, encoder: nn.Module) -> torch.Tensor:
        """(vocabulary, width) what a masked-LM head takes for its output matrix."""
        weights: Any = encoder.get_submodule(self.embeddings).weight
        return cast(torch.Tensor, weights)

    @abstractmethod
    def lm_head(self, config: Any) -> nn.Module | None:
        """A new masked-LM head; None where the family has none."""

    def sentence_head(
        self, config: Any, num_labels: int, stream: DropoutStream, dropout: float, *, bias: bool
    ) -> nn.Module:
        """A new head that gives logits (rows, num_labels) of whole texts."""
        return SentenceHead(config.hidden_size, num_labels, stream, dropout, bias=bias)

    def token_head(
        self, config: Any, num_labels: int, stream: DropoutStream, dropout: float, *, bias: bool
    ) -> nn.Module:
        """A new head that gives logits (rows, tokens, num_labels) of tokens."""
        return TokenHead(config.hidden_size, num_labels, stream, dropout, bias=bias)


def _first(out: Any) -> torch.Tensor:
    state: torch.Tensor = out[0] if isinstance(out, tuple) else out
    return state
