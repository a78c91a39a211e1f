"""Reading: one request to a reader, and the checks that every reader shares.

A reader is a function from a ``Reading`` to examples. Whatever it cannot make an example of is a DataError that names
file, line and field; nothing is dropped silently: a row that a release's own convention leaves
out is counted in ``skipped`` under its reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from stilts.errors import DataError
from stilts.fingerprint import Json
from stilts.tasks.example import Example

_MOST_NAMED = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a reader is asked for: files in a stated order, their language, the format's options, the labels allowed.

    ``labels`` None accepts any label. ``unlabelled``: the split's labels are kept back, and what stands in their place
    is not read. ``skipped`` counts, by reason, the rows that the release says to leave out; ``written`` are the labels
    that the files have, before they are translated.
    """

    paths: tuple[Path, ...]
    language: str
    options: Mapping[str, Json] = field(default_factory=dict)
    labels: tuple[str, ...] | None = None
    unlabelled: bool = False
    skipped: Counter[str] = field(default_factory=Counter)
    written: set[str] = field(default_factory=set)
    _named: dict[str, str] = field(default_factory=dict, repr=False)

    def label(self, raw: object, path: Path, *, line: int | None = None, at: str = "label") -> str:
        """The task's name of a label as written; ``label_map`` of the options translates. Raises for an unknown one.

        Option ``unseen`` names the label that stands for all that the task does not list (an open inventory). A whole
        number is its label however it is written (1, 1.0, true is "True"). "" where labels are kept back.
        """
        if self.unlabelled:
            return ""
        if isinstance(raw, str) and raw in self._named:
            return self._named[raw]
        label = self._label(raw, path, line, at)
        if isinstance(raw, str):
            self._named[raw] = label
        return label

    def labels_of(self, raws: Sequence[str], path: Path, lines: Sequence[int], at: str) -> list[str]:
        """As ``label`` of each text and its line."""
        known = self._named
        if not self.unlabelled and known.keys() >= set(raws):
            return [known[raw] for raw in raws]
        return [self.label(raw, path, line=line, at=at) for raw, line in zip(raws, lines, strict=True)]

    def _label(self, raw: object, path: Path, line: int | None, at: str) -> str:
        written = _written(raw)
        if written is None:
            found = f"{raw!r:.60} ({type(raw).__name__}) where a label belongs"
            raise DataError(path, found, line=line, field=at, why=self._allowed, next_step=_MEND)
        self.written.add(written)
        label = translated(written, self.options)
        named = among_labels(label, self.options, self.labels)
        if named is None:
            found = f'label "{label}" is none of the task\'s'
            raise DataError(path, found, line=line, field=at, why=self._allowed, next_step=_MEND)
        return named

    def label_in(self, row: Mapping[str, object], key: str, path: Path, line: int | None) -> str:
        """The label in a field of a row; raises where the field is missing, or holds nothing."""
        if self.unlabelled:
            return ""
        if key not in row:
            found = f"Found {', '.join(row) or 'nothing'}"
            raise DataError(path, "the field is missing", line=line, field=key, why=found)
        return self.label(row[key], path, line=line, at=key)

    def check_fields(self, row: Mapping[str, object], names: Mapping[str, str], path: Path, line: int) -> None:
        """Raises DataError for a field that an option names, or names by default, and that the row has not."""
        for option, name in names.items():
            if name and name not in row and not (option == "label" and self.unlabelled):
                said = "names it" if option in self.options else "looks for it where it is left out"
                more = ', or "" where there is none' if option in ("text_pair", "item") else ""
                raise DataError(
                    path,
                    "the field is missing",
                    line=line,
                    field=name,
                    why=f"The reader's option {option} {said}. Found {', '.join(row) or 'nothing'}",
                    next_step=f"Write options: {{{option}: ...}} with the name that the file has{more}",
                )

    def spoken(self, rows: Iterator[tuple[int, dict[str, Any]]], path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
        """The rows in the language asked for, where option ``language_column`` names the field that says a row's.

        Raises DataError where the file has none of that language.
        """
        column = self.options.get("language_column")
        if column is None:
            yield from rows
            return
        wanted, others, there = str(self.options.get("language", self.language)), set[str](), False
        for line, row in rows:
            if column not in row:
                why = f"Found {', '.join(row)}"
                raise DataError(path, "the field is missing", line=line, field=str(column), why=why)
            if str(row[str(column)]) == wanted:
                there = True
                yield line, row
            elif len(others) < _MOST_NAMED:
                others.add(str(row[str(column)]))
        if not there and len(self.paths) == 1:
            why = f"Its languages are {', '.join(sorted(others)) or 'not told'}"
            step = f"Leave {self.language} out, or give under codes what the file calls it"
            raise DataError(path, f'no row is of "{wanted}"', field=str(column), why=why, next_step=step)

    @property
    def _allowed(self) -> str:
        return (
            f"Labels are {', '.join(self.labels)}" if self.labels else "A label is a text, a whole number, or a truth"
        )


Reader: TypeAlias = Callable[[Reading], Iterator[Example]]
_MEND = "Mend the line, or the task's labels, or translate by label_map"


def translated(written: str, options: Mapping[str, Json]) -> str:
    """The label that ``label_map`` of the options gives for one as written; itself where it gives none."""
    mapping = options.get("label_map")
    return str(mapping.get(written, written)) if isinstance(mapping, Mapping) else written


def among_labels(label: str, options: Mapping[str, Json], labels: Sequence[str] | None) -> str | None:
    """The label where the task has it (None: it takes any), else the one that ``unseen`` names; None where neither."""
    if labels is None or label in labels:
        return label
    unseen = options.get("unseen")
    return unseen if isinstance(unseen, str) and unseen in labels else None


def _written(raw: object) -> str | None:
    """A label as text; None for what can be none."""
    if isinstance(raw, float) and raw.is_integer():
        return str(int(raw))
    return str(raw) if isinstance(raw, str | bool | int) else None
