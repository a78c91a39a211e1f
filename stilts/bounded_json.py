"""JSON from outside, read only where its depth and the number of its values are within bounds.

Python's own parser has neither bound: it stops at whatever depth the stack happens to allow, and what it has read can
be too deep for the code that walks it next. Every floor may import this module.
"""

from __future__ import annotations

import json
import re
from itertools import accumulate
from pathlib import Path
from typing import Any

from stilts.errors import DataError

# The formats that readers know are nested 8 deep at most; a parse tree in JSON is as deep as its sentence is tangled.
DEEPEST = 128
# HotpotQA, the largest release that comes as one document (540 MB), has about 6 million. A value takes some 80 bytes
# in memory, so this is under 2 GB.
MOST_VALUES = 20_000_000

_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_STRING_OR_BRACKET = re.compile(_STRING.pattern + r"|[\[\]{}]", re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STEP = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


def parsed_json(text: str, path: Path, *, first_line: int = 1, why: str = "") -> Any:
    """The value that JSON text holds; DataError, with the line counted from ``first_line``, where it is none.

    So it is where the text is nested more than ``DEEPEST`` deep or holds more than ``MOST_VALUES`` values.
    """
    _check_bounds(text, path, first_line)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(
            path,
            f"not JSON: {error.msg} at character {error.colno - 1} of the line",
            line=first_line + error.lineno - 1,
            why=why,
            next_step="Mend the line; it may be cut short",
        ) from error
    except (RecursionError, ValueError) as error:  # a number of thousands of digits
        raise DataError(path, f"not to be read as JSON: {error}", line=first_line, why=why) from error


def _check_bounds(text: str, path: Path, first_line: int) -> None:
    """Raises DataError for text that would be too deep or too much, before any value of it is made."""
    opened = text.count("[") + text.count("{")
    if opened <= DEEPEST and len(text) <= MOST_VALUES:
        return
    bare = _STRING.sub("", text)  # brackets and commas within strings say nothing
    if bare.count(",") + bare.count("[") + bare.count("{") > MOST_VALUES:
        raise DataError(
            path,
            f"the JSON holds more than {MOST_VALUES:,} values",
            line=first_line,
            why="Reading it could take all memory",
            next_step="Split the file",
        )
    if opened > DEEPEST and _depth(bare) > DEEPEST:
        raise DataError(
            path,
            f"the JSON is nested more than {DEEPEST} deep",
            line=first_line + text.count("\n", 0, _too_deep_at(text)),
            why="No format that is read here is nested like that",
            next_step="Get the file again, or correct the path",
        )


def _depth(bare: str) -> int:
    """How deep the brackets of JSON text without its strings are nested, in one pass that makes no values."""
    brackets = bare.encode("ascii", "ignore").translate(None, _NO_BRACKETS)
    return max(accumulate(map(_STEP.__getitem__, brackets)), default=0)


def _too_deep_at(text: str) -> int:
    """The place of the first bracket that is nested too deep."""
    depth = 0
    for match in _STRING_OR_BRACKET.finditer(text):
        depth += _STEP.get(ord(match.group()), 0) if len(match.group()) == 1 else 0
        if depth > DEEPEST:
            return match.start()
    return 0
