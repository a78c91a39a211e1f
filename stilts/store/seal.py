"""Seals: every JSON object of a store begins with the SHA-256 of its own path and of all that follows in it.

    {"sha256":"<64 hex>","attempt":"attempt-...", ...}

It is told from the bytes, before anything is parsed: a flipped bit, a changed number, a torn file, and a file that was
copied to another place all differ. A seal says that a file is as stilts wrote it; it is no signature.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from itertools import accumulate

from stilts.errors import DamagedError, StoreError
from stilts.fingerprint import Json

_SEAL = "sha256"
_SEALED = re.compile(rb'\{"sha256":"([0-9a-f]{64})"')
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
# Deeper than anything that stilts writes (a study's settings come to about ten), far below what a parser can bear.
DEEPEST = 64


def seal(path: str, value: Mapping[str, Json]) -> bytes:
    """The object as the bytes of the file at ``path``; StoreError where it is not plain JSON. NaN passes."""
    try:
        body = json.dumps(dict(value), ensure_ascii=False, sort_keys=False, separators=(",", ":")).encode()
    except (TypeError, ValueError) as error:
        raise StoreError(
            f"store {path}", f"it is not plain JSON ({error})", "", "Pass numbers, text, lists and dicts"
        ) from error
    return sealed(path, body)


def sealed(path: str, body: bytes) -> bytes:
    """The same of an object that is JSON text already, without a seal."""
    rest = b"}" if body == b"{}" else b"," + body[1:]
    return b'{"%s":"%s"' % (_SEAL.encode(), _digest(path, rest)) + rest


def is_sealed(data: bytes) -> bool:
    """Whether the bytes begin as a sealed object does."""
    return _SEALED.match(data) is not None


def unseal(path: str, data: bytes, *, required: bool) -> bytes:
    """The object's JSON text without its seal; DamagedError where the seal does not agree.

    Where seals are not ``required`` (a store from before there were any) text without one is taken as it is.
    """
    match = _SEALED.match(data)
    if match is None:
        if required:
            raise DamagedError(path, "it has no checksum, and every file of this store has one")
        return data
    rest = data[match.end() :]
    if _digest(path, rest) != match[1]:
        raise DamagedError(path, "its checksum is not that of its content")
    return b"{" + rest.removeprefix(b",")


def parse(path: str, body: bytes) -> dict[str, Json]:
    """The object of JSON text; DamagedError where it is none, or nested deeper than anything that stilts writes."""
    if _depth_at_most(body) > DEEPEST and _depth(body) > DEEPEST:
        raise DamagedError(path, f"it is nested more than {DEEPEST} deep")
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise DamagedError(path, f"it is not JSON ({_first_line(error)})") from error
    if not isinstance(value, dict):
        raise DamagedError(path, "it is not a JSON object")
    return value


def _digest(path: str, rest: bytes) -> bytes:
    return hashlib.sha256(path.encode() + b"\0" + rest).hexdigest().encode()


def _depth_at_most(body: bytes) -> int:
    """How deep brackets nest, those within texts counted too: quick, and seldom more than what is true."""
    return _deepest(body.translate(None, _NO_BRACKETS))


def _depth(body: bytes) -> int:
    """How deep brackets nest outside of texts."""
    return _deepest(re.sub(rb'"(?:[^"\\]|\\.)*"|[^\[\]{}"]+', b"", body))


def _deepest(brackets: bytes) -> int:
    if brackets.count(b"[") + brackets.count(b"{") <= DEEPEST:
        return 0
    return max(accumulate(1 if bracket in b"[{" else -1 for bracket in brackets), default=0)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
