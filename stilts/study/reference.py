"""Every field that a study file may have, with type, default, meaning and an example: what docs/study_file.md shows.

Types, limits and defaults are the schema's, meanings and examples those of ``fields.yaml``. ``python -m
stilts.study.reference`` prints all as Markdown.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from enum import Enum
from pathlib import Path
from typing import Any

import yaml

from stilts.study.config import TaskConfig, TrainConfig
from stilts.study.field_types import type_words
from stilts.study.schema import StudyFile
from stilts.tasks.bounded_yaml import parsed_yaml, yaml_text

_PATH = Path(__file__).with_name("fields.yaml")
# Where the schema leaves a field empty, what is configured has these.
_CONFIGURED: Mapping[str, type] = {"Train": TrainConfig, "Encoding": TaskConfig}


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldLine:
    """One field: what may stand there, what holds where it is left out, what it does, and how it is written."""

    name: str
    type: str
    default: str
    about: str
    example: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldGroup:
    """The fields of one part of the file, under its heading; ``part`` is the class of the schema."""

    part: str
    heading: str
    about: str
    lines: tuple[FieldLine, ...]


def field_notes() -> Mapping[str, Any]:
    """What ``fields.yaml`` says, by class of the schema."""
    return parsed_yaml(yaml_text(_PATH), _PATH, begins="StudyFile:")


def field_groups() -> tuple[FieldGroup, ...]:
    """All parts of a study file in the order in which they are told."""
    notes = field_notes()
    schema = StudyFile.model_json_schema()
    parts: Mapping[str, Any] = {StudyFile.__name__: schema, **schema["$defs"]}
    headings = {part: str(note["heading"]) for part, note in notes.items()}
    return tuple(
        FieldGroup(
            part=part,
            heading=note["heading"],
            about=note["about"],
            lines=tuple(_line(part, name, told, parts[part], headings) for name, told in note["fields"].items()),
        )
        for part, note in notes.items()
    )


def markdown() -> str:
    """All fields as Markdown, a table for each part."""
    return "\n".join(line for group in field_groups() for line in _table(group))


def _line(part: str, name: str, told: Mapping[str, Any], schema: Mapping[str, Any], headings: Any) -> FieldLine:
    found = schema["properties"][name]
    default = str(told["default"]) if "default" in told else _default(part, name, schema)
    return FieldLine(
        name=name,
        type=type_words(found, headings),
        default=default,
        about=told["about"],
        example=f"{name}: {written(told['example'])}",
    )


def written(value: Any) -> str:
    """A value as one writes it in YAML, on one line."""
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=sys.maxsize, allow_unicode=True)
    return re.sub(r"\.0e-0?(\d)", r"e-\1", text.removesuffix("\n").removesuffix("\n..."))


def _default(part: str, name: str, schema: Mapping[str, Any]) -> str:
    if name in schema.get("required", ()):
        return "**must be given**"
    value = schema["properties"][name].get("default")
    if value is None and part in _CONFIGURED:
        configured = {each.name: each.default for each in fields(_CONFIGURED[part])}
        value = configured.get(name)
        value = None if value is MISSING else value.value if isinstance(value, Enum) else value
    return "-" if value in (None, "", [], {}) else f"`{written(value)}`"


def _table(group: FieldGroup) -> Iterator[str]:
    yield from (f"### {group.heading}", "", group.about, "")
    yield from ("| field | type | default | what it does | example |", "|---|---|---|---|---|")
    for line in group.lines:
        cells = (f"`{line.name}`", line.type, line.default, line.about, f"`{line.example}`")
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
    yield ""


if __name__ == "__main__":
    sys.stdout.write(markdown())
