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
from stilts.tasks.adapter import AdapterSites, linear_shapes
from stilts.tasks.encoder_shape import EncoderShape

# Names, without prefix, and shapes of an encoder's weights.
Shapes: TypeAlias = Iterable[tuple[str, tuple[int, ...]]]


class Positions(Enum):
    """How an encoder is told the place of a token, which bounds how long a sequence may be.

    ``BEHIND_PADDING`` counts embedded places from behind the padding id (fairseq's way), ``FROM_ZERO`` from 0.
    ``COMPUTED`` embeds none: attention rotates by the place, or is biased by the distance.
    """

    BEHIND_PADDING = "behind the padding id"
    FROM_ZERO = "from zero"
    COMPUTED = "computed"


class TextState(Enum):
    """Which hidden states stand for a whole text: the first token's, the last's, or the mean of all."""

    FIRST = "first"
    LAST = "last"
    MEAN = "mean"


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """What differs between encoders of one model type and of another.

    ``sizes`` gives, for each size of an ``EncoderConfig``, the field of config.json that holds it; a size that is left
    out is none of the family's, and 0; those of ``from_zero`` may be 0. ``defaults`` are what transformers takes where
    a config.json is silent. ``dropouts`` and ``attention_dropouts`` name the fields of those shares, ``activation``,
    ``norm_epsilon`` and ``initializer_range`` the fields of these, "" where there is none. ``is_gated``: a third matrix
    gates the feed-forward blocks. ``longest`` is the longest sequence where no size bounds it.

    ``text_state`` says what stands for a text. ``is_causal``: a token sees those before it alone, so that only the last
    subword has seen its word.

    Tensors of a checkpoint may stand behind ``prefix``. ``body`` tells the encoder's from a task's by how their names
    begin, and what that beginning is in our module; ``lm_head`` does so for the masked-LM head, empty where the family
    has none. ``left_out`` begin the names of those that a model has no place for, on purpose. ``tensors`` gives names
    and shapes of all weights of the encoder, ``lm_head_tensors`` those of the masked-LM head; None where only the built
    model tells (``stilts.models.model.check_builds``).

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
    adapter_modules: tuple[str, ...]
    tensors: Callable[[EncoderConfig], Shapes] | None = None
    lm_head_tensors: Callable[[EncoderConfig], Shapes] | None = None
    text_state: TextState = TextState.FIRST
    is_causal: bool = False
    is_gated: bool = False
    longest: int = 0
    from_zero: frozenset[str] = frozenset()
    dropouts: tuple[str, ...] = ("hidden_dropout_prob",)
    attention_dropouts: tuple[str, ...] = ("attention_probs_dropout_prob",)
    activation: str = "hidden_act"
    norm_epsilon: str = "layer_norm_eps"
    initializer_range: str = "initializer_range"

    def stored_name(self, name: str) -> str:
        """What checkpoints call a tensor of our encoder, without prefix."""
        for theirs, ours in self.body.items():
            if name.startswith(ours):
                return theirs + name.removeprefix(ours)
        raise ValueError(f"{self.model_type} encoders have no tensor {name}")


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderConfig:
    """The sizes of an encoder, each within bounds, and fitting each other; 0 for one that its family does not have.

    ``head_dim`` is the width of one attention head and ``num_key_value_heads`` how many have keys and values of their
    own where that does not follow, ``embedding_size`` the width of word embeddings where it is another than that of
    the layers.
    """

    family: Family
    num_hidden_layers: int
    hidden_size: int
    num_attention_heads: int
    intermediate_size: int
    vocab_size: int
    max_position_embeddings: int
    type_vocab_size: int
    pad_token_id: int
    head_dim: int = 0
    num_key_value_heads: int = 0
    embedding_size: int = 0

    @property
    def model_type(self) -> str:
        """What transformers calls the architecture."""
        return self.family.model_type

    @property
    def max_length(self) -> int:
        """The longest sequence in tokens."""
        if self.family.positions is Positions.BEHIND_PADDING:
            return self.max_position_embeddings - self.pad_token_id - 1
        return self.max_position_embeddings or self.family.longest

    @property
    def adapter_sites(self) -> AdapterSites:
        """Where adapters may stand."""
        tensors = self.family.tensors
        linear = None if tensors is None else linear_shapes(tensors(self))
        return AdapterSites(linear=linear, usual=self.family.adapter_modules)

    @property
    def shape(self) -> EncoderShape:
        """What it costs by."""
        is_embedded = self.family.positions is not Positions.COMPUTED
        return EncoderShape(
            layers=self.num_hidden_layers,
            width=self.hidden_size,
            inner=self.intermediate_size,
            heads=self.num_attention_heads,
            key_value_heads=self.num_key_value_heads or self.num_attention_heads,
            head_width=self.head_dim or self.hidden_size // self.num_attention_heads,
            vocabulary=self.vocab_size,
            embedding_width=self.embedding_size or self.hidden_size,
            positions=self.max_position_embeddings if is_embedded else 0,
            is_gated=self.family.is_gated,
        )
