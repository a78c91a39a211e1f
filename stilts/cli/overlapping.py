"""What ``stilts tasks --overlap`` says: the declared ledger, and for a study what its data really share."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from stilts.cli.compose import Workspace, assemble
from stilts.shown import shown
from stilts.study.study import Study
from stilts.tasks.overlap_entries import known_overlaps
from stilts.tasks.overlaps import Ledger
from stilts.tasks.registry import default_registry
from stilts.tasks.view import DataView

if TYPE_CHECKING:
    from stilts.data.overlap import Texts

# A use of a target in a study, and what its task calls it.
_USES = {"train": "train", "select": "dev", "report": "test"}
_WITH = {"train": "training data", "dev": "data to choose by", "test": "evaluation data"}
_LANGUAGES_SHOWN = 4
_NAMES_SHOWN = 8


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


def overlap_table(value: Mapping[str, Any]) -> RenderableType:
    """The ledger for people."""
    if value["study"] is None:
        return Group(_declared_table(value["declared"]), _known_table(value["known"]), Text(_ALONE))
    return Group(_declared_table(value["declared"]), _measured_table(value["measured"]), *_closing(value))


_ALONE = "Declared for data from files. What a study's own data share: stilts tasks --overlap --study STUDY"


def _declared(workspace: Workspace) -> Iterator[dict[str, Any]]:
    """What the ledger says of the tasks of the rows and the columns, each pair once."""
    ledger, planner = Ledger(workspace.registry, workspace.resolver.source_of), workspace.planner
    for name, rows in _tasks_of_rows(workspace).items():
        for column in workspace.study.columns:
            for overlap in ledger.shared(workspace.registry.task(name), planner.target(column).task):
                yield asdict(overlap) | {"target": column, "rows": rows}


def _tasks_of_rows(workspace: Workspace) -> dict[str, list[str]]:
    """Every task that a row may train on, with those rows."""
    found: dict[str, list[str]] = {}
    for row in workspace.study.rows:
        for part in workspace.planner.parts(row):
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
                views = self._workspace.planner.target(column).views
                for use, group in (("train", views.train), ("select", views.select), ("report", views.report)):
                    head = {"intermediate": trained.task, "rows": trained.rows, "target": column, "use": use}
                    is_declared = (trained.task, column, _USES[use]) in said
                    found = self._shared(trained, group)
                    lines += [head | line | {"declared": is_declared, "longest": ""} for line in found]
        self._show_longest(lines)
        return lines

    def _show_longest(self, lines: Sequence[dict[str, Any]]) -> None:
        """Puts one text into every line; each view is read once more, whatever the number of lines that it is in."""
        from stilts.data.overlap import longest_shared

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
            for part in self._workspace.planner.parts(row):
                trained = _Trained(task=part.task.name, views=tuple(part.train), rows=[])
                key = (trained.task, *(view.digest for view in trained.views))
                found.setdefault(key, trained).rows.append(row)
        return list(found.values())

    def _shared(self, trained: _Trained, views: Sequence[DataView]) -> Iterator[dict[str, Any]]:
        """Counts by field; ``most`` is the view that shares most, with what it shares."""
        from stilts.data.overlap import SharedTexts, shared_texts
        from stilts.tasks.example import Field

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
        from stilts.data.overlap import texts_of

        key = tuple(view.digest for view in views)
        if key not in self._hashed:
            self._hashed[key] = texts_of(views, self._workspace.roots)
        return self._hashed[key]


def _declared_table(lines: Sequence[Mapping[str, Any]]) -> Table:
    """Targets that share the same with the same intermediates stand together, and so do those intermediates."""
    table = Table(title=f"Declared: {len(lines)} overlaps of an intermediate and a target", title_justify="left")
    for name, ratio in (("intermediate", 3), ("target", 3), ("shared", 2), ("why, and where it stands", 4)):
        table.add_column(name, overflow="fold", ratio=ratio)
    facts: dict[str, dict[tuple[str, ...], list[str]]] = {}
    for line in lines:
        fact = tuple(str(line[name]) for name in ("use", "what", "target_use", "known", "source"))
        facts.setdefault(line["target"], {}).setdefault(fact, []).append(line["intermediate"])
    alike: dict[str, list[str]] = {}
    for target, shared in facts.items():
        alike.setdefault(str(shared), []).append(target)
    for targets in alike.values():
        for (use, what, target_use, known, source), intermediates in facts[targets[0]].items():
            seen = f"{what} of its {_WITH[target_use]}" + ("" if use == "train" else ", chosen by")
            why = f"{known} ({source})" if known else source
            cells = (_names(intermediates), _names(targets), seen, why)
            table.add_row(*(Text(cell) for cell in cells))
    return table


def _names(names: Sequence[str]) -> str:
    left = len(names) - _NAMES_SHOWN
    return " ".join(names) if left <= 1 else f"{' '.join(names[:_NAMES_SHOWN])} and {left} more"


def _known_table(lines: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(title="Known of datasets, whether a task uses both or not", title_justify="left")
    for name in ("split", "and split", "shared", "from", "why", "source"):
        table.add_column(name, overflow="fold")
    # The pairs of MLQA share the same with the same split.
    others: dict[tuple[str, ...], list[str]] = {}
    for line in lines:
        fact = (line["one"], line["what"], " ".join(line["sources"]), line["why"], line["source"])
        others.setdefault(fact, []).append(line["other"])
    for (one, *rest), names in others.items():
        table.add_row(one, _names(names), *rest)
    return table


def _measured_table(lines: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(title="Measured: texts of a target that the intermediate trains on", title_justify="left")
    for name in ("intermediate", "target", "use", "field", "shared", "of", "share", "most in", "longest", "declared"):
        table.add_column(name, justify="right" if name in ("shared", "of", "share") else "left", overflow="fold")
    for line in lines:
        names = (str(line[name]) for name in ("intermediate", "target", "use", "field", "shared", "texts"))
        longest = line["longest"] if len(line["longest"]) <= 60 else f"{line['longest'][:57]}..."
        said = "yes" if line["declared"] else "no"
        table.add_row(*names, f"{line['share']:.2%}", _most(line["languages"]), Text(shown(longest)), said)
    return table


def _most(languages: Mapping[str, Sequence[int]]) -> str:
    """The languages with the largest shares, as ``en 4.1%``."""
    shares = {code: shared / texts for code, (shared, texts) in languages.items() if shared}
    ordered = sorted(shares, key=lambda code: -shares[code])
    left = len(ordered) - _LANGUAGES_SHOWN
    told = ", ".join(f"{code} {shares[code]:.1%}" for code in ordered[:_LANGUAGES_SHOWN])
    return told + (f" and {left} more" if left > 0 else "")


def _closing(value: Mapping[str, Any]) -> Iterator[Text]:
    counted = {(line["intermediate"], line["target"], _USES[line["use"]]) for line in value["measured"]}
    for line in value["declared"]:
        if (line["intermediate"], line["target"], line["target_use"]) not in counted:
            yield Text(f"Declared, and nothing found here: {shown(line['why'])}.")
    yield Text(
        "Counted are distinct texts, compared without case, punctuation and white space; what has no line shares "
        "nothing. Translations and paraphrases are not found.\n"
        f"The data were read and compared in {value['seconds']:.1f} s."
    )
