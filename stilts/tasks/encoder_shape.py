"""EncoderShape: the sizes of an encoder that decide what it costs to train, and to hold."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderShape:
    """How many layers of which width; ``inner`` is the width between the matrices of a feed-forward block.

    ``heads`` x ``head_width`` channels are attended to by, ``key_value_heads`` of the heads have keys and values of
    their own. ``is_gated``: a third matrix gates the block (GEGLU, SwiGLU). ``vocabulary`` x ``embedding_width`` are
    the word embeddings, ``positions`` the places that have embeddings of their own (0: none).
    """

    layers: int
    width: int
    inner: int
    heads: int
    vocabulary: int
    key_value_heads: int
    head_width: int
    embedding_width: int
    positions: int = 0
    is_gated: bool = False

    @property
    def attended(self) -> int:
        """Channels of all queries together."""
        return self.heads * self.head_width

    @property
    def layer_weights(self) -> int:
        """The weights of one layer's matrices."""
        shared = self.key_value_heads * self.head_width
        attention = self.width * (2 * self.attended + 2 * shared)
        return attention + (3 if self.is_gated else 2) * self.width * self.inner

    @property
    def body_weights(self) -> int:
        """The weights of all layers' matrices: what each token is multiplied with."""
        return self.layers * self.layer_weights

    @property
    def embedding_weights(self) -> int:
        """The weights that are looked up, not multiplied with."""
        return (self.vocabulary + self.positions) * self.embedding_width

    @property
    def weights(self) -> int:
        """All weights, but for biases and norms (1 in 1,000)."""
        return self.body_weights + self.embedding_weights
