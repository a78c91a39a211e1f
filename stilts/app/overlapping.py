"""What intermediates and targets share: as the ledger declares it, and for a study as its data say."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from stilts.app.workspace import Workspace, assemble
from stilts.data.overlap import SharedTexts, Texts, longest_shared, shared_texts, texts_of
from stilts.study.study import Study
from stilts.tasks.example import Field
from stilts.tasks.overlap_entries import known_overlaps
from stilts.tasks.overlaps import Ledger
from stilts.tasks.registry import default_registry
from stilts.tasks.view import DataView

# A use of a target in a study, and what its task calls it.
USES = {"train": "train", "select": "dev", "report": "test"}


def overlap_lines(study: str | None) -> dict[str, Any]:
    """The ledger as plain values: ``known`` of datasets, ``declared`` of pairs of tasks, ``measured`` in a study.

    With a study, ``declared`` is of its rows and columns, and ``measured`` has a line for every task of a row, column,
    use and field where anything is shared, with ``[shared, texts]`` of every language; what has no line shares nothing.
    ``seconds`` is what it took.
    """
    known = [asdict(entry) | {"sources": [source.value for source in entry.sources]} for entry in known_overlaps()]
    if study is None:
        declared = [asdict(overlap) for overlap in Ledger(default_registry()).pairs()]
        return {"study": None, "known": known, "declared": declared, "measured": None}
    started = time.perf_counter()
    workspace = assemble(Study.load(study))
    declared = list(_declared(workspace))
    measured = _Measurement(workspace).lines(declared)
    seconds = time.perf_counter() - started
    return {"study": study, "known": known, "declared": declared, "measured": measured, "seconds": round(seconds, 2)}


def _declared(workspace: Workspace) -> Iterator[dict[str, Any]]:
    """What the ledger says of the tasks of the rows and the columns, each pair once."""
    resolved = workspace.resolved
    ledger = Ledger(resolved.registry, resolved.resolver.source_of)
    for name, rows in _tasks_of_rows(workspace).items():
        for column in workspace.study.columns:
            for overlap in ledger.shared(resolved.registry.task(name), resolved.target(column).task):
                yield asdict(overlap) | {"target": column, "rows": rows}


def _tasks_of_rows(workspace: Workspace) -> dict[str, list[str]]:
    """Every task that a row may train on, with those rows."""
    found: dict[str, list[str]] = {}
    for row in workspace.study.rows:
        for part in workspace.resolved.parts(row):
            found.setdefault(part.task.name, []).append(row)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trained:
    """What one task trains on in some rows; rows with other limits see other data of it."""

    task: str
    views: tuple[DataView, ...]
    rows: list[str]


class _Measurement:
    """Counts what the rows' training data share with the columns' data; every view is hashed once."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._hashed: dict[tuple[str, ...], Texts] = {}

    def lines(self, declared: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """One mapping per task, column, use and field where anything is shared."""
        said = {(line["intermediate"], line["target"], line["target_use"]) for line in declared}
        lines: list[dict[str, Any]] = []
        for trained in self._trained():
            for column in self._workspace.study.columns:
                views = self._workspace.resolved.target(column).views
                for use, group in (("train", views.train), ("select", views.select), ("report", views.report)):
                    head = {"intermediate": trained.task, "rows": trained.rows, "target": column, "use": use}
                    is_declared = (trained.task, column, USES[use]) in said
                    found = self._shared(trained, group)
                    lines += [head | line | {"declared": is_declared, "longest": ""} for line in found]
        self._show_longest(lines)
        return lines

    def _show_longest(self, lines: Sequence[dict[str, Any]]) -> None:
        """Puts one text into every line; each view is read once more, whatever the number of lines that it is in."""
        wanted: dict[str, list[dict[str, Any]]] = {}
        for line in lines:
            wanted.setdefault(line["most"][0].digest, []).append(line)
        for group in wanted.values():
            found = longest_shared(group[0]["most"][0], self._workspace.roots, [line["most"][1] for line in group])
            for line, text in zip(group, found, strict=True):
                line["longest"] = text
                del line["most"]

    def _trained(self) -> list[_Trained]:
        found: dict[tuple[str, ...], _Trained] = {}
        for row in self._workspace.study.rows:
            for part in self._workspace.resolved.parts(row):
                trained = _Trained(task=part.task.name, views=tuple(part.train), rows=[])
                key = (trained.task, *(view.digest for view in trained.views))
                found.setdefault(key, trained).rows.append(row)
        return list(found.values())

    def _shared(self, trained: _Trained, views: Sequence[DataView]) -> Iterator[dict[str, Any]]:
        """Counts by field; ``most`` is the view that shares most, with what it shares."""
        seen = self._texts(trained.views)
        found: dict[Field, list[tuple[DataView, SharedTexts]]] = {}
        for view in views:
            for texts in shared_texts(seen, self._texts((view,))):
                found.setdefault(texts.field, []).append((view, texts))
        for field, counts in found.items():
            shared, total = (sum(getattr(texts, name) for _, texts in counts) for name in ("num_shared", "num_texts"))
            if shared:
                yield {
                    "field": field.value,
                    "shared": shared,
                    "texts": total,
                    "share": round(shared / total, 6),
                    "languages": {view.language: [texts.num_shared, texts.num_texts] for view, texts in counts},
                    "most": max(counts, key=lambda counted: counted[1].num_shared),
                }

    def _texts(self, views: tuple[DataView, ...]) -> Texts:
        key = tuple(view.digest for view in views)
        if key not in self._hashed:
            self._hashed[key] = texts_of(views, self._workspace.roots)
        return self._hashed[key]
