"""Verdict: whether a running stage should stop, and why, in a written sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A decision on a running stage; ``reason`` is a sentence with the numbers that it rests on.

    ``peers`` holds the figure (0 to 100) of every other recipe that it was compared with, by recipe.
    """

    stop: bool
    reason: str
    peers: Mapping[str, float] = field(default_factory=dict)
