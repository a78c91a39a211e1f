"""What stands in a study's data, view by view: counts, cuts, labels with their shares, an encoded example.

What was found of data before is not looked for again (``findings``), so that the tokenizer is read only where needed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from tokenizers import Tokenizer

from stilts.app.findings import remembered, told_by_content
from stilts.app.measuring import study_tokenizer
from stilts.app.workspace import Workspace
from stilts.data.encode import TaskTokenizer
from stilts.data.load import load_examples, unmapped_labels
from stilts.data.sound_target import check_target, no_score
from stilts.study.resolved_target import ResolvedTarget
from stilts.study.stage import MixturePart
from stilts.tasks.example import Example
from stilts.tasks.task import Task
from stilts.tasks.view import DataView

# How many examples of a view are encoded to see how many are cut.
SAMPLE = 100
_MOST_LABELS = 8
_Use = tuple[str, tuple[DataView, ...], MixturePart]


@dataclass(kw_only=True)
class DataLook:
    """The lines about every view that was looked at, and one decoded example of each kind.

    ``unmapped`` are, by dataset, the entries of ``label_map`` that applied nowhere so far; ``unscored`` are, by target
    and language, why its data have no score.
    """

    workspace: Workspace
    lines: list[dict[str, Any]] = field(default_factory=list)
    decoded: list[dict[str, str]] = field(default_factory=list)
    unmapped: dict[str, set[str]] = field(default_factory=dict)
    unscored: dict[str, dict[str, str]] = field(default_factory=dict)

    def add_target(self, target: ResolvedTarget) -> None:
        """Looks at a target's data, once they are shown to be sound; raises what ``check_target`` does."""
        uses, task, views = list(_uses_of(target)), target.task, target.views

        def find() -> dict[str, Any]:
            check_target(task, views, self.workspace.roots)
            reasons = {view.language: no_score(task, view, self.workspace.roots) for view in views.report}
            return self._found(uses) | {"unscored": {code: reason for code, reason in reasons.items() if reason}}

        self.unscored[target.name] = self._take(target.name, "target", uses, find)["unscored"]

    def add_part(self, row: str, part: MixturePart) -> None:
        """Looks at what a row learns of one task."""
        uses = [("train", part.train, part)]
        self._take(row, "part", uses, lambda: self._found(uses))

    def _take(self, of: str, what: str, uses: Sequence[_Use], find: Callable[[], dict[str, Any]]) -> Any:
        """What is found, or was, put beside what was before."""
        tokenizer = self.workspace.resolved.encoder.tokenizer
        about: Any = [what, tokenizer, [_about(use, views, part) for use, views, part in uses]]
        by_content = told_by_content(view for _, views, _ in uses for view in views)
        found: Any = remembered(about, find, unless=not by_content)
        self.lines += [{"of": of} | line for line in found["views"]]
        for dataset, entries in found["unmapped"].items():
            self.unmapped[dataset] = self.unmapped.get(dataset, set(entries)) & set(entries)
        shown = {one["kind"] for one in self.decoded}
        self.decoded += [
            {"of": of, "kind": kind, "text": text} for kind, text in found["decoded"].items() if kind not in shown
        ]
        return found

    def _found(self, uses: Sequence[_Use]) -> dict[str, Any]:
        """What stands in the views, as plain JSON."""
        lines: list[dict[str, Any]] = []
        decoded: dict[str, str] = {}
        unmapped: dict[str, list[str]] = {}
        for use, views, part in uses:
            for view in views:
                lines.append(self._line(use, view, part, decoded))
                entries = unmapped_labels(view, self.workspace.roots, part.task.labels or None)
                unmapped[view.dataset] = sorted({*entries} & {*unmapped.get(view.dataset, entries)})
        return {"views": lines, "decoded": decoded, "unmapped": unmapped}

    def _line(self, use: str, view: DataView, part: MixturePart, decoded: dict[str, str]) -> dict[str, Any]:
        examples = load_examples(view, self.workspace.roots, labels=part.task.labels or None)
        return {
            "task": part.task.name,
            "use": use,
            "language": view.language,
            "examples": len(examples),
            "left_out": self._left_out(view, part.task),
            "truncated": self._truncated(part, examples, decoded),
            "labels": label_shares(part.task, examples) if use == "train" else {},
        }

    def _truncated(self, part: MixturePart, examples: Sequence[Example], shown: dict[str, str]) -> int:
        """How many of the first examples are cut; puts the first one, decoded, into ``shown`` under its kind."""
        from stilts.kinds.learning import decoded, encode

        kind = part.task.kind.name
        first = [e if e.is_labelled() else e.with_any_label(part.task.labels) for e in examples[:SAMPLE]]
        encoder = TaskTokenizer(tokenizer=self._tokenizer, labels=part.task.labels, **part.config.lengths)
        encoded = encode(part.task.kind, first, encoder)
        if first and kind not in shown:
            shown[kind] = decoded(part.task, encoded, self._tokenizer, 0)
        return encoded.num_truncated

    def _left_out(self, view: DataView, task: Task) -> int:
        """How many examples of a view stand in evaluation data too and are left out for that."""
        if not view.exclude:
            return 0
        labels, unlimited = task.labels or None, replace(view, limit=None)
        whole = load_examples(replace(unlimited, exclude=()), self.workspace.roots, labels=labels)
        return len(whole) - len(load_examples(unlimited, self.workspace.roots, labels=labels))

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        return study_tokenizer(self.workspace)


def label_shares(task: Task, examples: Sequence[Example]) -> dict[str, float]:
    """The labels with their shares, 0 to 1, the commonest first; empty for kinds whose answers are no labels."""
    if task.kind.labels_in is None:
        return {}
    truths = (example.truth(place) for place, example in enumerate(examples))
    counts = Counter(label for truth in truths if truth is not None for label in task.kind.labels_in(truth))
    total = counts.total()
    return {label: round(number / total, 4) for label, number in counts.most_common(_MOST_LABELS)}


def _uses_of(target: ResolvedTarget) -> Iterator[_Use]:
    """A target's data by use: also what only a threshold is chosen on, a pool's candidates, what is learned ahead."""
    views = target.views
    part = MixturePart(task=target.task, weight=1.0, config=target.config, train=views.train, select=views.select)
    yield "train", views.train, part
    yield "select", views.select, part
    yield "report", views.report, part
    if views.calibration != views.select:
        yield "threshold", views.calibration, part
    yield "pool", views.pool, part
    if target.before is not None:
        yield "train", target.before.train, target.before


def _about(use: str, views: Sequence[DataView], part: MixturePart) -> list[Any]:
    return [use, part.task.payload(), dict(part.config.lengths), [view.digest for view in views]]
