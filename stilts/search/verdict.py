"""Verdict: whether a running stage should stop, and why, in a written sentence."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A decision on a running stage; ``reason`` is a sentence with the numbers that it rests on."""

    stop: bool
    reason: str
