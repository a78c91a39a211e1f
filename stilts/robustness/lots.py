"""Lots: what is altered where, decided by (seed, example) alone and never by the order in which it is asked."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Lot:
    """The draws of one text. ``key`` says of which perturbation, seed, example and passage."""

    key: str

    def at(self, place: object) -> Lot:
        """The draws of one place in it."""
        return Lot(f"{self.key}/{place}")

    @property
    def number(self) -> int:
        """64 random bits."""
        return int.from_bytes(hashlib.blake2b(self.key.encode(), digest_size=8).digest(), "big")

    def one_of(self, values: Sequence[T]) -> T:
        """One of the values."""
        return values[self.number % len(values)]

    def some_of(self, places: Sequence[int], strength: float) -> list[int]:
        """A share of the places, in their order, at least one; what a weaker draw takes a stronger one takes too."""
        if not places or strength <= 0.0:
            return []
        ranked = sorted(places, key=lambda place: self.at(place).number)
        return sorted(ranked[: max(1, round(strength * len(places)))])
