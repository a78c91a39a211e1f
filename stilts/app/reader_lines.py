"""The readers that a tasks file can name, with what their options may be, as plain values."""

from __future__ import annotations

from typing import Any

from stilts.tasks.kinds import known_kinds
from stilts.tasks.option import OF_LABELS, Option


def reader_lines() -> dict[str, Any]:
    """``readers``: one mapping per reader, by kind; ``every_reader``: the options that all of them have."""
    formats = known_kinds().formats()
    lines = [
        {
            "reader": name,
            "kind": kind.name,
            "holds": form.holds,
            "several_languages": form.is_shared,
            "options": [_option_line(option) for option in form.all_options if option not in OF_LABELS],
        }
        for name, (kind, form) in sorted(formats.items(), key=lambda each: each[1][0].name)
    ]
    return {"readers": lines, "every_reader": [_option_line(option) for option in OF_LABELS]}


def _option_line(option: Option) -> dict[str, Any]:
    return {
        "option": option.name,
        "values": option.values,
        "default": option.default,
        "about": option.about,
        "example": option.example or None,
    }
