"""EncoderRef: a pretrained encoder, pinned by the content of its weights, configuration and tokenizer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from stilts.fingerprint import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderRef:
    """A pretrained (or, for toy, freshly initialised) encoder, pinned by content.

    ``fingerprint`` covers weights and configuration, ``tokenizer`` the tokenizer's file. ``location`` says where they
    are and is no identity: ``{"root": name, "path": below it}``, ``{"repo", "revision"}`` or ``{"toy": version}``.
    ``max_length`` is the longest sequence in tokens, ``num_parameters`` counts weights without the embeddings (for
    cost, no identity).
    """

    name: str
    fingerprint: str
    tokenizer: str
    num_layers: int
    max_length: int = 512
    num_parameters: int = 0
    location: Mapping[str, Json] = field(default_factory=dict)

    def payload(self) -> dict[str, Json]:
        """The identity fields."""
        return {"fingerprint": self.fingerprint, "tokenizer": self.tokenizer}
