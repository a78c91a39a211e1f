"""YAML that a user wrote, the study or its tasks: bounded in size, in depth, and in what its aliases unfold to.

Aliases are allowed. A value that is named once and used a hundred times counts a hundred times: whoever walks the
document walks it so often, and a few lines of aliases of aliases would unfold to more than any memory holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, ScalarEvent
from ruamel.yaml.nodes import Node

from stilts.bounded_file import read_bounded, sized
from stilts.errors import DataError, StudyError

# The whole catalogue that ships, written as a tasks file, would be about 100 KB and 10,000 values.
MOST_BYTES = 4 * 2**20
# At 0.1 to 0.2 ms a value, reading this many takes 10 to 20 s.
MOST_VALUES = 100_000
MOST_CHARACTERS = 4 * MOST_BYTES
# Eight times as deep as anything that a study or a tasks file may say.
DEEPEST = 64


def yaml_text(path: Path) -> str:
    """The text of a YAML file; StudyError where it is no file, too large or not UTF-8."""
    try:
        return read_bounded(path, MOST_BYTES).decode("utf-8")
    except DataError as error:
        raise StudyError(error.asked, error.found, error.why, "Give the path of a YAML file") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        found = f"byte 0x{error.object[error.start]:02x} is not UTF-8"
        raise StudyError(f"{path}, line {line}", found, "", "Convert the file to UTF-8") from error


def parsed_yaml(text: str, path: Path, *, begins: str) -> Mapping[Any, Any]:
    """The mapping that some YAML 1.2 text holds; ``begins`` shows how such a file may begin.

    StudyError, naming file and line, for what is no YAML, repeats a key, goes beyond a bound, or is no mapping.
    """
    if len(text) > MOST_BYTES:
        found = f"its text has {len(text):,} characters, more than the {sized(MOST_BYTES)} that are read"
        raise StudyError(f"{path}", found, "", "Correct the path")
    yaml = YAML(typ="safe", pure=True)
    yaml.Composer = _BoundedComposer
    try:
        loaded = yaml.load(text)
    except _BeyondBoundError as error:
        raise StudyError(_place(path, error), str(error.problem), str(error.note), "Write less there") from error
    except MarkedYAMLError as error:
        raise StudyError(
            _place(path, error), f"it is not YAML ({_short(error.problem)})", "", "Correct the line"
        ) from error
    except YAMLError as error:
        raise StudyError(f"{path}", f"it is not YAML ({_short(error)})", "", "Correct the file") from error
    except Exception as error:  # what int(), a table of words or a date raises for a value that its tag does not fit
        found = f"a value is not what its form or tag says ({type(error).__name__}: {_short(error)})"
        raise StudyError(f"{path}", found, "", "Put text in quotes, and correct numbers and dates") from error
    if not isinstance(loaded, Mapping):
        raise StudyError(f"{path}", "it holds no mapping at its top level", "", f"Start with a line such as: {begins}")
    return loaded


class _BeyondBoundError(MarkedYAMLError):
    """A document that is deeper, or holds more, than is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Extent:
    """What a value comes to with its aliases unfolded: values, characters of scalars, and levels below it."""

    values: int
    characters: int
    height: int


class _BoundedComposer(Composer):
    """ruamel's composer, which also counts what it composes and stops at a bound."""

    def __init__(self, loader: Any = None) -> None:
        super().__init__(loader)
        self.warn_double_anchors = False  # YAML 1.2: an anchor may name another value further down
        self._level = 0  # of the value being composed, from 1
        self._deepest = 0  # level that was met below that value
        self._values = 0
        self._characters = 0
        self._extents: dict[int, _Extent] = {}  # of values with an anchor, by the identity of their node

    def compose_node(self, parent: Any, index: Any) -> Node:
        """The next value of the document; _BeyondBoundError where it is too much."""
        event = self.parser.peek_event()
        if isinstance(event, AliasEvent):
            node: Node = super().compose_node(parent, index)
            self._unfold(node, event)
            return node
        values, characters, deepest = self._values, self._characters, self._deepest
        self._level += 1
        self._deepest = self._level
        self._count(1, len(event.value) if isinstance(event, ScalarEvent) else 0, event)
        node = super().compose_node(parent, index)
        if event.anchor is not None:
            self._extents[id(node)] = _Extent(
                values=self._values - values,
                characters=self._characters - characters,
                height=self._deepest - self._level,
            )
        self._deepest = max(deepest, self._deepest)
        self._level -= 1
        return node

    def _unfold(self, node: Node, event: AliasEvent) -> None:
        extent = self._extents.get(id(node))
        if extent is None:
            raise _beyond(
                event, f'the alias "{_short(event.anchor)}" stands within what it names', "It would never end"
            )
        self._deepest = max(self._deepest, self._level + 1 + extent.height)
        self._count(extent.values, extent.characters, event)

    def _count(self, values: int, characters: int, event: Any) -> None:
        self._values += values
        self._characters += characters
        if self._deepest > DEEPEST:
            raise _beyond(event, f"it is nested more than {DEEPEST} deep", "No field of a study or task is so deep")
        if self._values > MOST_VALUES or self._characters > MOST_CHARACTERS:
            most = f"{MOST_VALUES:,} values" if self._values > MOST_VALUES else f"{MOST_CHARACTERS:,} characters"
            raise _beyond(event, f"with its aliases written out it holds more than {most}", "It could take all memory")


def _beyond(event: Any, found: str, why: str) -> _BeyondBoundError:
    return _BeyondBoundError(problem=found, problem_mark=event.start_mark, note=why)


def _place(path: Path, error: MarkedYAMLError) -> str:
    return f"{path}, line {error.problem_mark.line + 1}" if error.problem_mark else f"{path}"


def _short(problem: object) -> str:
    """What the library found, cut: it may repeat a name of any length."""
    text = str(problem)
    return text if len(text) <= 200 else f"{text[:197]}..."
