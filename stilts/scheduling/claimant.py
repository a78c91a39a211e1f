"""Claimant: a study among others that want the same cluster."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimant:
    """A study among others on a cluster: the higher ``priority`` begins its stages first."""

    study: str
    owner: str | None = None
    priority: int = 0

    def __str__(self) -> str:
        return f"{self.study} (priority {self.priority}{f', {self.owner}' if self.owner else ''})"
