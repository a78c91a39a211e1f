"""EncoderRef: a pretrained encoder, pinned by the content of its weights, configuration and tokenizer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from stilts.fingerprint import Json
from stilts.tasks.adapter import AdapterSites
from stilts.tasks.encoder_shape import EncoderShape


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderRef:
    """A pretrained (or, for toy, freshly initialised) encoder, pinned by content.

    ``fingerprint`` covers weights and configuration, ``tokenizer`` the tokenizer's file. ``location`` says where they
    are and is no identity: ``{"root": name, "path": below it}``, ``{"repo", "revision"}`` or ``{"toy": version}``.
    ``max_length`` is the longest sequence in tokens, ``shape`` is what it costs by, None where that is not known (no
    identity); ``adapter_sites`` are where adapters may stand.
    """

    name: str
    fingerprint: str
    tokenizer: str
    num_layers: int
    max_length: int = 512
    shape: EncoderShape | None = None
    adapter_sites: AdapterSites = field(default_factory=AdapterSites)
    location: Mapping[str, Json] = field(default_factory=dict)

    def payload(self) -> dict[str, Json]:
        """The identity fields."""
        return {"fingerprint": self.fingerprint, "tokenizer": self.tokenizer}
