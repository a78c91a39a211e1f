"""How far data licences bind, and the strictest of several. A summary for model cards, no legal advice.

A licence is what a dataset's entry in the catalogue says, in its own words. What cannot be read is *unknown*, and
unknown counts as the strictest: nobody may assume a right that was not given.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import IntEnum

UNKNOWN = "unknown"


class Strictness(IntEnum):
    """How far a licence binds, loosest first."""

    PUBLIC_DOMAIN = 0
    PERMISSIVE = 1
    SHARE_ALIKE = 2
    NON_COMMERCIAL = 3
    NO_DERIVATIVES = 4
    UNKNOWN = 5

    @property
    def words(self) -> str:
        """The class as a card says it."""
        return self.name.lower().replace("_", "-")


# What a licence's words say of its class; the strictest that occurs counts. Wikipedia's text is CC BY-SA; of Universal
# Dependencies' treebanks several are non-commercial, so a mention of "treebanks" counts as that.
_SIGNS: tuple[tuple[str, Strictness], ...] = (
    (r"\bCC0\b|public domain", Strictness.PUBLIC_DOMAIN),
    (r"\bMIT\b|\bApache\b|\bBSD\b|\bCC[ -]BY\b|\bODC[ -]BY\b", Strictness.PERMISSIVE),
    (r"\bSA\b|Wikipedia|\bGPL\b|share[ -]?alike|\bODbL\b", Strictness.SHARE_ALIKE),
    (r"\bNC\b|non-?commercial|treebanks?\b", Strictness.NON_COMMERCIAL),
    (r"\bND\b|no[ -]derivatives", Strictness.NO_DERIVATIVES),
    (r"\bothers?\b|\bsee\b|\bterms\b|\bunknown\b", Strictness.UNKNOWN),
)
# Identifiers of the Hugging Face hub, by what is left of a licence once spaces and case are gone.
_HUB_IDS = {
    "mit": "mit",
    "apache20": "apache-2.0",
    "bsd2clause": "bsd-2-clause",
    "bsd3clause": "bsd-3-clause",
    "cc010": "cc0-1.0",
    "cc0": "cc0-1.0",
}
_CC = re.compile(r"CC[ -](BY(?:-(?:NC|SA|ND))*)[ -](\d\.\d)", re.IGNORECASE)


def strictness(licence: str) -> Strictness:
    """The class of a licence in words; unknown where nothing in it is recognised."""
    found = [kind for pattern, kind in _SIGNS if re.search(pattern, licence, re.IGNORECASE)]
    return max(found, default=Strictness.UNKNOWN)


def strictest(licences: Iterable[str]) -> tuple[Strictness, tuple[str, ...]]:
    """The strictest class among the licences, and those that are of it, each once and in order; permissive for none."""
    classes: Mapping[str, Strictness] = {licence: strictness(licence) for licence in licences}
    worst = max(classes.values(), default=Strictness.PERMISSIVE)
    return worst, tuple(licence for licence, kind in classes.items() if kind is worst)


def hub_licence(licence: str) -> str:
    """The hub's identifier of a licence: ``unknown`` for the unknown, ``other`` for what the hub has no name for."""
    if strictness(licence) is Strictness.UNKNOWN:
        return UNKNOWN
    creative = _CC.fullmatch(licence.strip())
    if creative:
        return f"cc-{creative[1]}-{creative[2]}".lower()
    return _HUB_IDS.get(re.sub(r"[^a-z0-9]", "", licence.lower()), "other")
