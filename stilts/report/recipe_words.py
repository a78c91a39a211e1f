"""A recipe in words: what a search drew, as people say it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from stilts.fingerprint import Json

_SHARES = "weights"
_EXPONENT = re.compile(r"e\+?(-?)0*")


def recipe_words(params: Mapping[str, Json]) -> str:
    """``learning rate 2e-5, share of mnli 0.4, share of squad 0.6``; a list of tasks as ``mnli and squad``."""
    return ", ".join(part for name, value in params.items() for part in _parts(name, value))


def _parts(name: str, value: Json) -> list[str]:
    said = name.replace("_", " ")
    if isinstance(value, Mapping):
        owner = "share of " if name == _SHARES else f"{said} of "
        return [f"{owner}{key} {_value(inner)}" for key, inner in value.items()]
    return [f"{said} {_value(value)}"]


def _value(value: Json) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return " and ".join(map(_value, value)) or "none"
    return _EXPONENT.sub(r"e\1", f"{value:g}") if isinstance(value, float) else str(value)
