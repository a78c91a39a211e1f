"""Family: what tells one family of encoders from another, below torch. Start here; ``families/`` holds the values.

A family is what transformers calls a model type. Its half that needs torch (how it is built and run, and the plain
classes that it is exported as) is an ``Architecture``, ``stilts/models/architecture.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from stilts.fingerprint import Json
from stilts.tasks.encoder_shape import EncoderShape

# Names, without prefix, and shapes of an encoder's weights.
Shapes: TypeAlias = Iterable[tuple[str, tuple[int, ...]]]


class Positions(Enum):
    """How the place of a token is told, which bounds how long a sequence may be.

    ``BEHIND_PADDING`` counts them from behind the padding id (fairseq's way), ``FROM_ZERO`` from 0.
    """

    BEHIND_PADDING = "behind the padding id"
    FROM_ZERO = "from zero"


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """What differs between encoders of one model type and of another.

    ``sizes`` gives, for each size of an ``EncoderConfig``, the field of config.json that holds it; a size that is left
    out is none of the family's, and 0. ``defaults`` are what transformers takes where a config.json is silent.
    ``dropouts`` and ``attention_dropouts`` name the fields of those shares, ``activation``, ``norm_epsilon`` and
    ``initializer_range`` the fields of these.

    Tensors of a checkpoint may stand behind ``prefix``. ``body`` tells the encoder's from a task's by how their names
    begin, and what that beginning is in our module; ``lm_head`` does so for the masked-LM head, empty where the family
    has none. ``left_out`` begin the names of those that a model has no place for, on purpose. ``tensors`` gives names
    and shapes of all weights of the encoder, ``lm_head_tensors`` those of the masked-LM head.

    ``adapter_modules`` are the linear layers, by the ends of their names, that an adapter is put beside unless a study
    says otherwise.
    """

    model_type: str
    sizes: Mapping[str, str]
    defaults: Mapping[str, Json]
    positions: Positions
    prefix: str
    body: Mapping[str, str]
    lm_head: Mapping[str, str]
    left_out: tuple[str, ...]
    tensors: Callable[[EncoderConfig], Shapes]
    lm_head_tensors: Callable[[EncoderConfig], Shapes]
    adapter_modules: tuple[str, ...]
    dropouts: tuple[str, ...] = ("hidden_dropout_prob",)
    attention_dropouts: tuple[str, ...] = ("attention_probs_dropout_prob",)
    activation: str = "hidden_act"
    norm_epsilon: str = "layer_norm_eps"
    initializer_range: str = "initializer_range"


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderConfig:
    """The sizes of an encoder, each within bounds, and fitting each other; 0 for one that its family does not have."""

    family: Family
    num_hidden_layers: int
    hidden_size: int
    num_attention_heads: int
    intermediate_size: int
    vocab_size: int
    max_position_embeddings: int
    type_vocab_size: int
    pad_token_id: int

    @property
    def model_type(self) -> str:
        """What transformers calls the architecture."""
        return self.family.model_type

    @property
    def max_length(self) -> int:
        """The longest sequence in tokens."""
        if self.family.positions is Positions.BEHIND_PADDING:
            return self.max_position_embeddings - self.pad_token_id - 1
        return self.max_position_embeddings

    @property
    def shape(self) -> EncoderShape:
        """What it costs by."""
        return EncoderShape(
            layers=self.num_hidden_layers,
            width=self.hidden_size,
            inner=self.intermediate_size,
            heads=self.num_attention_heads,
            key_value_heads=self.num_attention_heads,
            head_width=self.hidden_size // self.num_attention_heads,
            vocabulary=self.vocab_size,
            embedding_width=self.hidden_size,
            positions=self.max_position_embeddings,
        )
