"""The general path: encoders that transformers runs, with dropouts of ours in the place of its own.

Masks are made here where the encoder takes them made, so that no row of attention is ever empty.
"""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar

import torch
from torch import nn

from stilts.models.architecture import Architecture
from stilts.models.attention import register_attention
from stilts.models.dropout import CountedDropout, DropoutStream, SharedDropout, count_attention
from stilts.tasks.families import FAMILIES


class General(Architecture):
    """An encoder as transformers builds and runs it.

    ``layers`` names the list of its layers. ``attention`` is how attention modules are called that take their function
    from transformers' interface, "" where the attention is written out and drops out by modules; ``attention_share`` is
    the attribute that holds their dropout.
    """

    layers = "layers"
    attention: ClassVar[str] = ""
    attention_share: ClassVar[str] = "attention_dropout"
    # Dropouts of what all rows of a batch have in common.
    shared: ClassVar[frozenset[str]] = frozenset()

    def build(
        self, config: Any, stream: DropoutStream, *, dropout: float | None, attention_dropout: float | None
    ) -> nn.Module:
        """The encoder of a copy of the configuration, with every dropout replaced by a counted one."""
        ours = self._with_shares(config, dropout, attention_dropout)
        encoder = self.make(ours, register_attention() if self.attention else "eager")
        self.count(encoder, stream)
        if self.attention and attention_dropout is not None:
            for module in self._attention_modules(encoder):
                setattr(module, self.attention_share, attention_dropout)
        return encoder

    def make(self, config: Any, attention: str) -> nn.Module:
        """The encoder as transformers has it."""
        from transformers import AutoModel

        made: nn.Module = AutoModel.from_config(config, attn_implementation=attention)  # type: ignore[no-untyped-call]
        return made

    def count(self, encoder: nn.Module, stream: DropoutStream) -> None:
        """Replaces dropouts by counted ones, their sites numbered in the order of modules."""
        site = 0
        for parent in list(encoder.modules()):
            for name, child in list(parent.named_children()):
                if isinstance(child, nn.Dropout):
                    counted = SharedDropout if name in self.shared else CountedDropout
                    setattr(parent, name, counted(stream, site, child.p))
                    site += 1
        for module in self._attention_modules(encoder):
            count_attention(module, stream, site)
            site += 1

    def hidden(
        self, encoder: nn.Module, ids: torch.Tensor, mask: torch.Tensor | None, types: torch.Tensor | None = None
    ) -> torch.Tensor:
        """The last hidden state."""
        mask = torch.ones_like(ids, dtype=torch.bool) if mask is None else mask
        state: torch.Tensor = encoder(input_ids=ids, **self.inputs(encoder, mask, types)).last_hidden_state
        return state

    @abstractmethod
    def inputs(self, encoder: Any, mask: torch.Tensor, types: torch.Tensor | None) -> dict[str, Any]:
        """What the encoder is given beside ids: masks, positions, types of tokens."""

    def _attention_modules(self, encoder: nn.Module) -> Iterator[nn.Module]:
        for name, module in encoder.named_modules():
            if self.attention and name.rpartition(".")[2] == self.attention:
                yield module

    def _with_shares(self, config: Any, dropout: float | None, attention_dropout: float | None) -> Any:
        ours, family = copy.deepcopy(config), FAMILIES[config.model_type]
        for fields, share in ((family.dropouts, dropout), (family.attention_dropouts, attention_dropout)):
            for field in fields if share is not None else ():
                setattr(ours, field, share)
        return ours


def keys_seen(mask: torch.Tensor) -> torch.Tensor:
    """(rows, 1, 1, tokens) every token sees every other."""
    return mask[:, None, None, :]


def keys_in_window(mask: torch.Tensor, window: int) -> torch.Tensor:
    """(rows, 1, tokens, tokens) every token sees those at most ``window`` places away, padding at least itself."""
    place = torch.arange(mask.shape[1], device=mask.device)
    distance = place[:, None] - place[None, :]
    return (keys_seen(mask) & (distance.abs() <= window)) | (distance == 0)


def keys_before(mask: torch.Tensor, window: int | None = None) -> torch.Tensor:
    """(rows, 1, tokens, tokens) every token sees itself and those before it, ``window`` in all."""
    place = torch.arange(mask.shape[1], device=mask.device)
    distance = place[:, None] - place[None, :]
    near = (distance >= 0) if window is None else (distance >= 0) & (distance < window)
    return (keys_seen(mask) & near) | (distance == 0)
