"""HeadMaker: what a task kind asks for a new head, whatever the encoder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from torch import nn

from stilts.models.architecture import Architecture
from stilts.models.dropout import DropoutStream


@dataclass(frozen=True, slots=True)
class HeadMaker:
    """Makes the heads that an encoder's family has.

    A kind with a head of its own takes ``width``, that of hidden states, ``stream``, where dropout gets its keys, and
    ``dropout``, the share that is dropped.
    """

    architecture: Architecture
    config: Any
    stream: DropoutStream
    dropout: float

    @property
    def width(self) -> int:
        """Numbers in a hidden vector."""
        return int(self.config.hidden_size)

    def sentence(self, num_labels: int, *, bias: bool = True) -> nn.Module:
        """Logits (rows, num_labels) of a whole text."""
        return self.architecture.sentence_head(self.config, num_labels, self.stream, self.dropout, bias=bias)

    def token(self, num_labels: int, *, bias: bool = True) -> nn.Module:
        """Logits (rows, tokens, num_labels) of every token."""
        return self.architecture.token_head(self.config, num_labels, self.stream, self.dropout, bias=bias)


# What makes a new head with what an encoder has.
MakeHead: TypeAlias = Callable[[HeadMaker], nn.Module]
