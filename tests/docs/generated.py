"""The parts of docs/ that are made from the package: each stands between two marks, and a test holds it against these.

``STILTS_GOLDEN=write pytest tests/docs`` writes them anew.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import groupby
from pathlib import Path
from types import MappingProxyType
from typing import Any

from stilts.app.reader_lines import reader_lines
from stilts.study.field_types import anchor
from stilts.study.reference import markdown

DOCS = Path(__file__).parents[2] / "docs"
BEGIN, END = "<!-- generated: STILTS_GOLDEN=write pytest tests/docs -->\n", "<!-- end of what is generated -->"


def parts(text: str) -> tuple[str, str, str]:
    """A page before, between and after the marks."""
    before, mark, rest = text.partition(BEGIN)
    between, end, after = rest.partition(END)
    assert mark and end, "the page has lost a mark"
    return before + mark, between, end + after


def fields(_: str) -> str:
    return f"\n{markdown()}\n"


def readers(_: str) -> str:
    """Each kind's readers, what may be told each, and what may be told all."""
    value = reader_lines()
    lines = []
    for kind, told in groupby(value["readers"], key=lambda line: line["kind"]):
        lines += [f"### Readers of {kind}", ""]
        own = list(told)
        lines += ["| reader | what a file holds |", "|---|---|"]
        lines += [f"| `{line['reader']}` | {cell(line['holds'])}{_several(line)} |" for line in own]
        lines.append("")
        options = [(line["reader"], option) for line in own for option in line["options"]]
        if options:
            lines += ["| reader | option | value | left out | what it says | example |", "|---|---|---|---|---|---|"]
            lines += [f"| `{reader}` {_option(option)}" for reader, option in options]
            lines.append("")
    lines += ["### Options of every reader", "", "| option | value | left out | what it says | example |"]
    lines += ["|---|---|---|---|---|", *(_option(option) for option in value["every_reader"]), ""]
    return "\n" + "\n".join(lines)


def decisions(text: str) -> str:
    """The index of the entries that a page has."""
    found = re.findall(r"^## (\d+\. .+)$", text, flags=re.MULTILINE)
    return "\n" + "".join(f"* [{heading}](#{anchor(heading)})\n" for heading in found) + "\n"


def cell(text: str) -> str:
    return text.replace("|", "\\|")


def _several(line: Mapping[str, Any]) -> str:
    return "; one file may hold several languages" if line["several_languages"] else ""


def _option(option: Mapping[str, Any]) -> str:
    default = {None: "-", "": "none"}.get(option["default"], f"`{option['default']}`")
    example = f"`{option['option']}: {option['example']}`" if option["example"] else ""
    return f"| `{option['option']}` | {option['values']} | {default} | {cell(option['about'])} | {example} |"


# By page, what stands between its marks, given the page.
PAGES: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {"study_file.md": fields, "add_a_task.md": readers, "decisions.md": decisions}
)
