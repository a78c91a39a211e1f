"""What a single value of a YAML text is: YAML 1.2's core schema, so that ``no`` is a word, and 1e-5 a number.

Beyond the core schema, digits may be grouped by underscores: 10_000.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

_TAG = "tag:yaml.org,2002:"
# "!" says that no tag is to be guessed.
COLLECTION_TAGS = (None, "!", f"{_TAG}map", f"{_TAG}seq")
_WORDS: Mapping[str, bool | None] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMERIC = frozenset("-+.0123456789")  # what a number begins with
_DIGITS = r"[0-9]+(?:_[0-9]+)*"
_INTEGER = re.compile(rf"[-+]?{_DIGITS}")
_OTHER_BASE = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+|0b[01]+")
_FLOAT = re.compile(rf"[-+]?(?:{_DIGITS}(?:\.(?:{_DIGITS})?)?|\.{_DIGITS})(?:[eE][-+]?[0-9]+)?")
_NO_NUMBER = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


def scalar_value(text: str, *, tag: str | None, is_plain: bool) -> str | int | float | bool | None:
    """The value of a scalar; ``is_plain``: written without quotes. ValueError where its tag does not fit or is unknown.

    Also for a number of more digits than Python reads.
    """
    if tag is None:
        return _guessed(text) if is_plain else text
    if tag == "!":
        return text
    reader = _TAGGED.get(tag.removeprefix(_TAG))
    if reader is None:
        raise ValueError(f"the tag {tag} is not known")
    return reader(text)


def _guessed(text: str) -> str | int | float | bool | None:
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMERIC:
        return text
    if _INTEGER.fullmatch(text) or _OTHER_BASE.fullmatch(text):
        return _integer(text)
    return _number(text) if _FLOAT.fullmatch(text) or _NO_NUMBER.fullmatch(text) else text


def _integer(text: str) -> int:
    return int(text, 0) if _OTHER_BASE.fullmatch(text) else int(text)


def _number(text: str) -> float:
    """The float, of YAML's ``.inf`` and ``.nan`` too."""
    return float(text.replace(".", "") if _NO_NUMBER.fullmatch(text) else text)


def _word(text: str) -> bool | None:
    if text not in _WORDS:
        raise ValueError(f'"{text}" is neither true, false nor null')
    return _WORDS[text]


_TAGGED: Mapping[str, Callable[[str], str | int | float | bool | None]] = {
    "str": str,
    "int": _integer,
    "float": _number,
    "bool": _word,
    "null": _word,
}
