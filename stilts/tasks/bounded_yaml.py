"""YAML that a user wrote, or that ships: bounded in size, in depth, and in what its aliases unfold to.

Aliases are allowed. A value that is named once and used a hundred times counts a hundred times: whoever walks the
document walks it so often, and a few lines of aliases of aliases would unfold to more than any memory holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from yaml.events import AliasEvent, MappingEndEvent, MappingStartEvent, ScalarEvent, SequenceEndEvent, StreamEndEvent

from stilts.bounded_file import sized
from stilts.errors import StudyError
from stilts.tasks.bounded_text import MOST_BYTES, bounded_text
from stilts.tasks.yaml_scalars import COLLECTION_TAGS, scalar_value

# Reading this many takes 0.3 s of CPU, without libyaml 4 s.
MOST_VALUES = 100_000
MOST_CHARACTERS = 4 * MOST_BYTES
# Eight times as deep as anything that a study or a tasks file may say.
DEEPEST = 64
# libyaml's scanner where PyYAML was built with it; both give the same events.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MERGE = "<<"


def yaml_text(path: Path) -> str:
    """The text of a YAML file; StudyError where it is no file, too large or not UTF-8."""
    return bounded_text(path, "Give the path of a YAML file")


def parsed_yaml(text: str, path: Path, *, begins: str) -> Mapping[Any, Any]:
    """The mapping that some YAML 1.2 text holds; ``begins`` shows how such a file may begin.

    StudyError, naming file and line, for what is no YAML, repeats a key, goes beyond a bound, or is no mapping.
    """
    if len(text) > MOST_BYTES:
        found = f"its text has {len(text):,} characters, more than the {sized(MOST_BYTES)} that are read"
        raise StudyError(f"{path}", found, "", "Correct the path")
    try:
        loaded = _Document(text).value()
    except _BeyondBoundError as error:
        raise StudyError(_place(path, error), str(error.problem), str(error.note), "Write less there") from error
    except yaml.MarkedYAMLError as error:
        if "nesting depth" in str(error.problem):  # libyaml's own bound, which is met first far below ours
            raise StudyError(_place(path, error), _TOO_DEEP, _NO_FIELD_SO_DEEP, "Write less there") from error
        raise StudyError(
            _place(path, error), f"it is not YAML ({_short(error.problem)})", "", "Correct the line"
        ) from error
    except (yaml.YAMLError, UnicodeEncodeError) as error:
        raise StudyError(f"{path}", f"it is not YAML ({_short(error)})", "", "Correct the file") from error
    if not isinstance(loaded, Mapping):
        raise StudyError(f"{path}", "it holds no mapping at its top level", "", f"Start with a line such as: {begins}")
    return loaded


_TOO_DEEP = f"it is nested more than {DEEPEST} deep"
_NO_FIELD_SO_DEEP = "No field of a study or task is so deep"


class _BeyondBoundError(yaml.MarkedYAMLError):  # type: ignore[misc]
    """A document that is deeper, or holds more, than is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    """A value with an anchor, and what it comes to with its aliases unfolded: levels below it count as its height."""

    value: Any
    values: int
    characters: int
    height: int


class _Document:
    """One pass over a text's events that makes its values, counts them, and stops at a bound."""

    def __init__(self, text: str) -> None:
        self._next = LOADER(text).get_event
        self._level = 0  # of the value being made, from 1
        self._deepest = 0  # level that was met below that value
        self._values = 0
        self._characters = 0
        self._named: dict[str, _Named | None] = {}  # None: its end was not met yet

    def value(self) -> Any:
        """What the text holds; None where it is empty."""
        self._next()  # the stream's start
        if isinstance(self._next(), StreamEndEvent):
            return None
        made = self._made(self._next())
        self._next()  # the document's end
        after = self._next()
        if not isinstance(after, StreamEndEvent):
            raise _fault(after, "a second document begins there")
        return made

    def _made(self, event: Any) -> Any:
        if type(event) is ScalarEvent and event.anchor is None:  # most of a text
            if self._deepest <= self._level:
                self._deepest = self._level + 1
            return self._scalar(event)
        if type(event) is AliasEvent:
            return self._unfolded(event)
        values, characters, deepest = self._values, self._characters, self._deepest
        self._level += 1
        self._deepest = self._level
        if event.anchor is not None:
            self._named[event.anchor] = None
        made = self._content(event)
        if event.anchor is not None:
            self._named[event.anchor] = _Named(
                value=made,
                values=self._values - values,
                characters=self._characters - characters,
                height=self._deepest - self._level,
            )
        self._deepest = max(deepest, self._deepest)
        self._level -= 1
        return made

    def _content(self, event: Any) -> Any:
        if type(event) is ScalarEvent:
            return self._scalar(event)
        self._count(1, 0, event)
        if event.tag not in COLLECTION_TAGS:
            raise _fault(event, f"the tag {_short(event.tag)} is not known")
        return self._mapping() if type(event) is MappingStartEvent else self._sequence()

    def _scalar(self, event: Any) -> str | int | float | bool | None:
        self._count(1, len(event.value), event)
        try:
            return scalar_value(event.value, tag=event.tag, is_plain=event.implicit[0])
        except ValueError as error:  # a number of too many digits, a tag that the text does not fit
            raise _fault(event, f"a value is not what its form or tag says: {_short(error)}") from error

    def _sequence(self) -> list[Any]:
        made = []
        while type(event := self._next()) is not SequenceEndEvent:
            made.append(self._made(event))
        return made

    def _mapping(self) -> dict[Any, Any]:
        made: dict[Any, Any] = {}
        merged: list[Mapping[Any, Any]] = []
        while type(event := self._next()) is not MappingEndEvent:
            key = self._made(event)
            if isinstance(key, (list, dict)):
                raise _fault(event, "a key is a list or a mapping")
            value = self._made(self._next())
            if key == _MERGE and type(event) is ScalarEvent and event.implicit[0]:
                merged += _merged(event, value)
            elif key in made:
                raise _fault(event, f'found duplicate key "{_short(key)}"')
            else:
                made[key] = value
        # What stands in the mapping comes before what is merged into it, and of that what is named first.
        for other in merged:
            made = {**other, **made}
        return made

    def _unfolded(self, event: Any) -> Any:
        if event.anchor not in self._named:
            raise _fault(event, f'found undefined alias "{_short(event.anchor)}"')
        named = self._named[event.anchor]
        if named is None:
            found = f'the alias "{_short(event.anchor)}" stands within what it names'
            raise _BeyondBoundError(problem=found, problem_mark=event.start_mark, note="It would never end")
        self._deepest = max(self._deepest, self._level + 1 + named.height)
        self._count(named.values, named.characters, event)
        return named.value

    def _count(self, values: int, characters: int, event: Any) -> None:
        self._values += values
        self._characters += characters
        if self._deepest > DEEPEST:
            raise _beyond(event, _TOO_DEEP, _NO_FIELD_SO_DEEP)
        if self._values > MOST_VALUES or self._characters > MOST_CHARACTERS:
            most = f"{MOST_VALUES:,} values" if self._values > MOST_VALUES else f"{MOST_CHARACTERS:,} characters"
            raise _beyond(event, f"with its aliases written out it holds more than {most}", "It could take all memory")


def _merged(event: Any, value: Any) -> list[Mapping[Any, Any]]:
    """The mappings that ``<<`` names, one or several."""
    given: list[Any] = value if isinstance(value, list) else [value]
    if not all(isinstance(each, Mapping) for each in given):
        raise _fault(event, "what << merges is no mapping")
    return given


def _fault(event: Any, problem: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)


def _beyond(event: Any, found: str, why: str) -> _BeyondBoundError:
    return _BeyondBoundError(problem=found, problem_mark=event.start_mark, note=why)


def _place(path: Path, error: yaml.MarkedYAMLError) -> str:
    return f"{path}, line {error.problem_mark.line + 1}" if error.problem_mark else f"{path}"


def _short(problem: object) -> str:
    """What the library found, cut: it may repeat a name of any length."""
    text = str(problem)
    return text if len(text) <= 200 else f"{text[:197]}..."
