"""Domains: the word by which datasets of one domain are compared."""

from __future__ import annotations

# The words of the catalogue. A dataset of a user's own may have any other.
DOMAINS = tuple("encyclopedic web captions commonsense legal medical reviews news science learners mixed".split())


def domain_word(domain: str) -> str:
    """The word of a dataset's ``domain``: what stands before its first colon, else the whole."""
    return domain.partition(":")[0].strip()
