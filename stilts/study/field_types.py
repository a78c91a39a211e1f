"""The types of a study file's fields in words, from the schema as JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# Of what a list holds: the word for one, and that for several.
_SEVERAL = {"a name": "names", "text": "texts", "a number": "numbers", "a list": "lists"}


def type_words(schema: Mapping[str, Any], headings: Mapping[str, str]) -> str:
    """What may stand there: limits, choices, and links to parts of the file by their ``headings``."""
    if "$ref" in schema:
        heading = headings[schema["$ref"].rpartition("/")[2]]
        return f"[{heading}](#{anchor(heading)})"
    if forms := [form for form in schema.get("anyOf", schema.get("oneOf", ())) if form.get("type") != "null"]:
        return ", or ".join(type_words(form, headings) for form in forms)
    if "const" in schema or "enum" in schema:
        return ", ".join(f"`{str(value).lower()}`" for value in schema.get("enum", [schema.get("const")]))
    kind = schema["type"]
    if kind in ("integer", "number"):
        return _number(schema, "a whole number" if kind == "integer" else "a number")
    if kind == "string":
        return "a name" if schema.get("pattern", "").startswith("^[A-Za-z0-9]") else "text"
    if kind == "array":
        items = type_words(schema["items"], headings)
        one = next((word for word in _SEVERAL if items.startswith(word)), "")
        return f"a list of {_SEVERAL.get(one, '')}{items.removeprefix(one)}"
    if kind == "object":
        return f"names, each with {_values(schema, headings)}"
    return "`true` or `false`"


def anchor(heading: str) -> str:
    """Where a heading of Markdown can be linked to."""
    return re.sub(r"[^a-z0-9 _-]", "", heading.lower()).replace(" ", "-")


def _values(schema: Mapping[str, Any], headings: Mapping[str, str]) -> str:
    """What stands below each name: where names have a pattern, JSON's schema says it under the pattern."""
    (inner,) = schema.get("patternProperties", {"": schema.get("additionalProperties")}).values()
    return type_words(inner, headings)


def _number(schema: Mapping[str, Any], what: str) -> str:
    """A number with its ends: above, from, to, below."""
    words = {"exclusiveMinimum": "above", "minimum": "from", "exclusiveMaximum": "below", "maximum": "to"}
    ends = [f"{word} {schema[key]:,.10g}" for key, word in words.items() if key in schema]
    return " ".join([what, *ends])
