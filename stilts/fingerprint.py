"""Canonical JSON and content hashes: what makes a stage id the same everywhere, always.

Only values that serialise in exactly one way are accepted; a permissive ``str(value)`` would fork
ids between processes. Every floor may import this module.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import TypeAlias

from stilts.errors import FingerprintError

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

ID_HEX = 12


def plain(value: object, at: str = "payload") -> Json:
    """The value as plain JSON: tuples become lists, string enums their value, -0.0 becomes 0.0.

    Raises FingerprintError, naming the place, for whatever has no single stable form: NaN and
    infinities, sets, paths, callables, objects with a default repr.
    """
    try:
        return _plain(value)
    except _UnstableError:
        return _placed(value, at)


class _UnstableError(Exception):
    """Something in a value has no stable form; where it is, only a second walk says."""


# A large plan makes ids of tens of thousands of payloads: the usual types are told by one comparison.
_SAME = frozenset((str, int, bool, type(None)))


def _plain(value: object) -> Json:
    kind = type(value)
    if kind in _SAME:
        return value  # type: ignore[return-value]
    if kind is dict:
        return {
            key if type(key) is str else _plain_key(key): item if type(item) in _SAME else _plain(item)
            for key, item in value.items()  # type: ignore[attr-defined]
        }
    if kind is list or kind is tuple:
        return [_plain(item) for item in value]  # type: ignore[attr-defined]
    if kind is float and math.isfinite(value):  # type: ignore[arg-type]
        return value + 0.0  # type: ignore[operator]
    if isinstance(value, Enum):
        return _plain(value.value)
    if isinstance(value, bool | int | str):
        return value
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {_plain_key(key): _plain(item) for key, item in value.items()}
    if isinstance(value, float) and math.isfinite(value):
        return value + 0.0
    raise _UnstableError


def _plain_key(key: object) -> str:
    if not isinstance(key, str):
        raise _UnstableError
    return str(key.value) if isinstance(key, Enum) else key


def _placed(value: object, at: str) -> Json:
    """As ``plain``, with the place of everything on the way: slower, for the error's sake."""
    if isinstance(value, Mapping):
        return {_key(key, at): _placed(item, f"{at}.{key}") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_placed(item, f"{at}[{i}]") for i, item in enumerate(value)]
    if isinstance(value, Enum):
        return _placed(value.value, at)
    try:
        return _plain(value)
    except _UnstableError:
        raise _refused(value, at) from None


def canonical_json(value: object) -> str:
    """One line of JSON with sorted keys, no spaces and UTF-8 text: equal values, equal bytes."""
    return json.dumps(plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(value: object) -> str:
    """The first 12 hex digits of the SHA-256 of the value's canonical JSON."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()[:ID_HEX]


def text_digest(*parts: str) -> str:
    """The SHA-256 (64 hex digits) of some texts; ("ab", "c") and ("a", "bc") differ."""
    joined = "\x1f".join([f"{len(part)}:{part}" for part in parts])
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()


def file_digest(path: Path) -> str:
    """``sha256:<64 hex>`` of a file's bytes."""
    with path.open("rb") as stream:
        return "sha256:" + hashlib.file_digest(stream, "sha256").hexdigest()


def _key(key: object, at: str) -> str:
    if not isinstance(key, str):
        raise _refused(key, f"{at} (a key)")
    return str(key.value) if isinstance(key, Enum) else key


def _refused(value: object, at: str) -> FingerprintError:
    return FingerprintError(
        f"fingerprint of {at}",
        f"a {type(value).__name__} has no single stable form",
        "Two processes could give the same work two ids",
        "Pass numbers, text, lists and mappings",
    )
