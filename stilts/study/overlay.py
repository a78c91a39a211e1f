"""Overlays: study files laid over another, before anything is read out of the result.

A mapping lays key by key over a mapping, an empty value lays nothing over one; whatever else stands in an overlay
replaces what was there, lists as a whole. ``key: remove`` takes a key out, and ``_: only`` in a mapping leaves of what
lies below just the keys that stand beside it. Paths are relative to the file in which they stand.

A file that names several ``encoders`` says an overlay for each: every one is a study of its own, ``NAME.ENCODER``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from stilts.errors import StudyError
from stilts.tasks.bounded_yaml import LOADER, parsed_yaml, yaml_text

REMOVE, ONLY, ONLY_KEY = "remove", "only", "_"
ENCODERS, ENCODER, NAME = "encoders", "encoder", "name"
# The fields of a study file that name files or folders; of a list, those that end in .csv.
PATHS = (("encoder", "path"), ("data", "root"), ("data", "text_root"), ("tasks",), ("policy", "priors"))
_NOTHING = object()


class StudyFiles(str):
    """A study file's path, with the overlays to lay over it and the one of its encoders that is meant.

    Within other text it reads as one would type it.
    """

    overlays: tuple[Path, ...] = ()
    encoder: str | None = None

    @classmethod
    def of(cls, path: str, overlays: Sequence[str | Path], encoder: str | None = None) -> StudyFiles:
        """The path with the overlays in order, the last on top."""
        made = cls(path)
        made.overlays, made.encoder = tuple(map(Path, overlays)), encoder
        return made

    @property
    def encoders(self) -> tuple[str, ...]:
        """The encoders that the files name, of which each makes a study; () where they name one as ``encoder``."""
        return encoders_of(laid_over(Layer.read(Path(self)), [Layer.read(path) for path in self.overlays])[0])

    def __format__(self, spec: str) -> str:
        words = [str(self), *(f"--with {path}" for path in self.overlays)]
        return format(" ".join(words + ([f"--encoder {self.encoder}"] if self.encoder else [])), spec)


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A study file or an overlay as it was written."""

    path: Path
    text: str

    @classmethod
    def read(cls, path: Path) -> Layer:
        """The layer in a file; StudyError for one that cannot be read."""
        return cls(path=path, text=yaml_text(path))

    @cached_property
    def values(self) -> Mapping[Any, Any]:
        """What it says; StudyError, naming file and line, where it is no mapping in YAML."""
        return parsed_yaml(self.text, self.path, begins="name: my_study")

    @cached_property
    def _nodes(self) -> yaml.Node:
        return yaml.compose(self.text, Loader=LOADER)

    def found(self, place: str) -> tuple[int, int]:
        """How many characters of a place (``a.b[0]``) lead to something in this file, and the line of that, from 1."""
        rest, node = place.replace("[", ".").replace("]", ""), self._nodes
        whole, line = len(rest), 1
        while rest and (step := _step(node, rest)) is not None:
            line, node, rest = step
        return whole - len(rest), line

    def moved(self, folder: Path) -> dict[str, Any]:
        """What it says, with its relative paths as they read from another folder."""
        found: dict[str, Any] = _copied(self.values)
        named = found.get(ENCODERS)
        for says in (found, *(named.values() if isinstance(named, dict) else ())):
            for *outer, last in PATHS:
                part: Any = says
                for key in outer:
                    part = part.get(key) if isinstance(part, dict) else None
                if isinstance(part, dict) and last in part:
                    part[last] = self._moved(part[last], folder)
        return found

    def _moved(self, path: Any, folder: Path) -> Any:
        if isinstance(path, list):
            return [self._moved(one, folder) if str(one).endswith(".csv") else one for one in path]
        if not isinstance(path, str) or path == REMOVE or re.match(r"\$\{|~", path) or os.path.isabs(path):
            return path
        return os.path.relpath(os.path.abspath(self.path.parent / path), os.path.abspath(folder))


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What an overlay made of one key: values in YAML, empty where it was, or is, not there."""

    file: str
    key: str
    before: str
    after: str


def laid_over(base: Layer, overlays: Sequence[Layer]) -> tuple[Mapping[Any, Any], tuple[Change, ...]]:
    """The study that a file says with others laid over it, the last on top, and what each of them changed.

    StudyError, naming file and line, where an overlay takes out what is not there.
    """
    made: Mapping[Any, Any] = base.values
    changes: list[Change] = []
    for layer in overlays:
        laying = _Laying(layer)
        made = laying.over(made, layer.moved(base.path.parent), "")
        changes += laying.changes
    return made, tuple(changes)


def encoders_of(values: Mapping[Any, Any]) -> tuple[str, ...]:
    """The names of the encoders of which each makes a study."""
    named = values.get(ENCODERS)
    return tuple(map(str, named)) if isinstance(named, Mapping) else ()


def with_encoder(values: Mapping[Any, Any], layers: Sequence[Layer], encoder: str | None) -> Mapping[Any, Any]:
    """What a study file says of one of its encoders; as it is where it names none. StudyError for one it has not."""
    if ENCODERS not in values:
        if encoder is not None:
            found = f"it names one encoder, and not {encoder} among several"
            raise StudyError(place(layers, ENCODER), found, "", "Leave --encoder out")
        return values
    known, named = encoders_of(values), values[ENCODERS]
    at = place(layers, ENCODERS)
    if not known or not all(isinstance(one, Mapping) and ENCODER in one for one in named.values()):
        raise StudyError(
            at,
            "it is no mapping of names to what differs by encoder, with an encoder in each",
            "Each makes a study of its own",
            "Write encoders: {base: {encoder: {hub: FacebookAI/xlm-roberta-base}}, large: ...}",
        )
    if encoder not in known:
        found = f"it names {len(known)} encoders" if encoder is None else f"it has no encoder {encoder}"
        raise StudyError(at, found, "Each makes a study of its own", f"Choose one with --encoder: {', '.join(known)}")
    whole = {key: value for key, value in values.items() if key not in (ENCODERS, ENCODER)}
    made = _Laying(layers[-1], of_encoder=True).over(whole, named[encoder], f"{ENCODERS}.{encoder}.")
    return {**made, NAME: member_name(str(values.get(NAME, "")), encoder)}


def member_name(study: str, encoder: str) -> str:
    """What the study of one of several encoders is called."""
    return f"{study}.{encoder}"


def merged_text(values: Mapping[Any, Any], layers: Sequence[Layer]) -> str:
    """The study that layers make, as YAML that stands in the folder of the first."""
    names = " with ".join(dict.fromkeys(layer.path.name for layer in layers))
    text: str = yaml.safe_dump(_copied(values), sort_keys=False, allow_unicode=True, width=120)
    return f"# {names}\n{text}"


def place(layers: Sequence[Layer], field: str) -> str:
    """A field as errors name it: the file that says it, with the line where there are several files."""
    if len(layers) == 1:
        return f"{layers[0].path}: {field}"
    # The last of those that lead furthest, for it stands on top.
    (length, line), layer = max(((layer.found(field), layer) for layer in reversed(layers)), key=lambda one: one[0][0])
    return f"{layer.path}, line {line}: {field}" if length else f"{layers[0].path}: {field}"


class _Laying:
    """One overlay being laid, and what it changes.

    What a file says of one of its ``encoders`` is an overlay itself, to be laid later: another over it is *joined* with
    it, so that ``_: only`` and ``remove`` stay for what lies below both.
    """

    def __init__(self, layer: Layer, *, of_encoder: bool = False) -> None:
        self._layer, self._of_encoder = layer, of_encoder
        self.changes: list[Change] = []

    def over(
        self, below: Mapping[Any, Any], above: Mapping[Any, Any], place: str, *, joins: bool = False
    ) -> dict[Any, Any]:
        """The mapping below with what stands above it."""
        made = dict(below)
        if ONLY_KEY in above:
            if above[ONLY_KEY] != ONLY:
                raise self._fault(f"{place}{ONLY_KEY}", f'"{above[ONLY_KEY]}" stands there', f"Write _: {ONLY}")
            for key in below.keys() - above.keys():
                self._note(f"{place}{key}", made.pop(key), _NOTHING)
            if joins:
                made[ONLY_KEY] = ONLY
        inside = joins or (place == f"{ENCODERS}." and not self._of_encoder)
        for key, value in above.items():
            if key != ONLY_KEY and value != REMOVE:
                self._lay(made, key, value, f"{place}{key}", joins=inside)
            elif key != ONLY_KEY:
                self._take_out(made, key, f"{place}{key}", joins=joins)
        return made

    def _lay(self, made: dict[Any, Any], key: Any, value: Any, place: str, *, joins: bool) -> None:
        before = made.get(key, _NOTHING)
        if isinstance(before, Mapping) and (value is None or isinstance(value, Mapping)):
            made[key] = self.over(before, value or {}, f"{place}.", joins=joins)
            return
        inner = _Laying(self._layer, of_encoder=self._of_encoder)
        made[key] = inner.over({}, value, f"{place}.", joins=joins) if isinstance(value, Mapping) else value
        self._note(place, before, made[key])

    def _take_out(self, made: dict[Any, Any], key: Any, place: str, *, joins: bool) -> None:
        before = made.pop(key, _NOTHING)
        if joins:
            made[key] = REMOVE
        elif before is _NOTHING and not self._of_encoder:  # of two that are joined, one may have taken it out already
            raise self._fault(place, "it takes out what is not there", "Correct the key, or leave it out")
        self._note(place, before, _NOTHING)

    def _note(self, place: str, before: Any, after: Any) -> None:
        if before != after:
            told = Change(file=str(self._layer.path), key=place, before=_yaml(before), after=_yaml(after))
            self.changes.append(told)

    def _fault(self, place: str, found: str, step: str) -> StudyError:
        line = self._layer.found(place)[1]
        return StudyError(f"{self._layer.path}, line {line}: {place}", found, "", step)


def _step(node: yaml.Node, rest: str) -> tuple[int, yaml.Node, str] | None:
    """The line and node of the next key of a place, and what of the place is left; None where the node has none."""
    for key, child in _children(node):
        if rest == key or rest.startswith(f"{key}."):
            return child[0], child[1], rest[len(key) + 1 :]
    return None


def _children(node: yaml.Node) -> Iterator[tuple[str, tuple[int, yaml.Node]]]:
    """The keys of a node, the longest first, for names may hold full stops; of a list its places."""
    if isinstance(node, yaml.MappingNode):
        pairs = sorted(node.value, key=lambda pair: -len(str(pair[0].value)))
        yield from ((str(key.value), (key.start_mark.line + 1, child)) for key, child in pairs)
    elif isinstance(node, yaml.SequenceNode):
        yield from ((str(at), (one.start_mark.line + 1, one)) for at, one in enumerate(node.value))


def _yaml(value: Any) -> str:
    if value is _NOTHING:
        return ""
    text: str = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10**6)
    return text.removesuffix("\n").removesuffix("\n...")


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copied(each) for key, each in value.items()}
    return [_copied(each) for each in value] if isinstance(value, list) else value
