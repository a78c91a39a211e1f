"""JSON from a store as a frozen value: of the type's shape to the last field, or an error that names the file."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from stilts.errors import DamagedError, NewerError, UnreadableError
from stilts.fingerprint import Json

T = TypeVar("T")
_STUDY = re.compile(r"records/studies/([^/]+)/")
# What pydantic calls a field that the type does not have.
_UNKNOWN = ("unexpected_keyword_argument", "extra_forbidden")


_ADAPTERS: dict[Any, TypeAdapter[Any]] = {}


def adapter(kind: type[T]) -> TypeAdapter[T]:
    """What reads and writes a type; made once, for making it takes longer than using it."""
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


def from_body(kind: type[T], path: str, body: bytes) -> T:
    """The value of JSON text; NewerError where it has a field more, DamagedError where it is of another shape."""
    try:
        return adapter(kind).validate_json(body)
    except ValidationError as error:
        raise _unlike(path, error) from error


def from_fields(kind: type[T], path: str, fields: Mapping[str, Json]) -> T:
    """The value of JSON that is parsed already; errors as of ``from_body``."""
    return from_body(kind, path, json.dumps(dict(fields)).encode())


def to_fields(value: Any) -> dict[str, Json]:
    """The value as plain JSON, as ``from_body`` reads it."""
    fields: dict[str, Json] = adapter(type(value)).dump_python(value, by_alias=True, exclude_none=False)
    return fields


def study_of(path: str) -> str:
    """The study whose record lies at the path; "" where it is nobody's alone."""
    match = _STUDY.match(path)
    return match[1] if match else ""


def _unlike(path: str, error: ValidationError) -> UnreadableError:
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    where, first = ".".join(map(str, faults[0]["loc"])), faults[0]["msg"]
    if all(fault["type"] in _UNKNOWN for fault in faults):
        return NewerError(path, f"it has a field {where} that this version does not know", study=study_of(path))
    found = f"its field {where} is not as stilts writes it ({first})" if where else first
    return DamagedError(path, found[:300], study=study_of(path))
