"""Text that came from outside, made safe to show: labels, licences, names of files, error texts.

A terminal obeys control characters and escape sequences, a reader is led astray by text that runs the other way, and
XML 1.0 allows neither: whatever leaves stilts for a screen or a page goes through here. Every floor may import this
module.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any

# What acts on a terminal, a line or the order of reading in place of being seen: C0 with ESC, DEL, C1; separators of
# lines and paragraphs; bidirectional overrides, embeddings and isolates; halves of a surrogate pair; the two
# noncharacters that XML 1.0 forbids. Joiners and marks of direction stay: Hindi, Arabic and emoji need them.
_ACTING = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
_SHORT = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}


def shown(text: str, *, keep: str = "") -> str:
    r"""The text with every character that would act in place of being seen as an escape, such as ``\x1b``.

    Ordinary text of every script is left as it is, and so is what was shown before. ``keep`` names characters that the
    message has on purpose: ``"\n"`` where it has several lines.
    """
    return _ACTING.sub(lambda found: found[0] if found[0] in keep else _visible(found[0]), text)


def shown_json(value: Any, *, indent: int | None = None) -> str:
    r"""The value as JSON in which the same characters stand as ``\u001b``: the reader gets the very value back."""
    text = json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False)
    # Outside strings JSON has none of them but the line ends of the indent, and within strings those are escaped.
    return _ACTING.sub(lambda found: found[0] if found[0] == "\n" else f"\\u{ord(found[0]):04x}", text)


def remark(text: str) -> None:
    """Prints one line beside the answer of a verb: on standard error."""
    print(shown(text), file=sys.stderr)


def _visible(char: str) -> str:
    code = ord(char)
    return _SHORT.get(char) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")
