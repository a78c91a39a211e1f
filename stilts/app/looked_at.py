"""What stands in a study's data, view by view: counts, cuts, labels with their shares, an encoded example."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tokenizers import Tokenizer

from stilts.data.encode import TaskTokenizer
from stilts.data.load import load_examples, unmapped_labels
from stilts.study.stage import MixturePart
from stilts.tasks.example import Example
from stilts.tasks.task import Task
from stilts.tasks.view import DataView

# How many examples of a view are encoded to see how many are cut.
SAMPLE = 100
_MOST_LABELS = 8


@dataclass(slots=True, kw_only=True)
class DataLook:
    """The lines about every view that was looked at, and one decoded example of each kind.

    ``unmapped`` are, by dataset, the entries of ``label_map`` that applied nowhere so far.
    """

    tokenizer: Tokenizer
    roots: dict[str, str]
    lines: list[dict[str, Any]] = field(default_factory=list)
    decoded: list[dict[str, str]] = field(default_factory=list)
    unmapped: dict[str, set[str]] = field(default_factory=dict)

    def add(self, of: str, use: str, views: Sequence[DataView], part: MixturePart) -> None:
        """Looks at the views of one use of a row or column."""
        for view in views:
            examples = load_examples(view, self.roots, labels=part.task.labels or None)
            unmapped = set(unmapped_labels(view, self.roots, part.task.labels or None))
            self.unmapped[view.dataset] = self.unmapped.get(view.dataset, unmapped) & unmapped
            self.lines.append(
                {
                    "of": of,
                    "task": part.task.name,
                    "use": use,
                    "language": view.language,
                    "examples": len(examples),
                    "left_out": self._left_out(view, part.task),
                    "truncated": self._truncated(view, part, examples, of),
                    "labels": label_shares(part.task, examples) if use == "train" else {},
                }
            )

    def _truncated(self, view: DataView, part: MixturePart, examples: Sequence[Example], of: str) -> int:
        from stilts.kinds.learning import decoded, encode

        kind = part.task.kind.name
        shown = [e if e.is_labelled() else e.with_any_label(part.task.labels) for e in examples[:SAMPLE]]
        encoder = TaskTokenizer(tokenizer=self.tokenizer, labels=part.task.labels, **part.config.lengths)
        encoded = encode(part.task.kind, shown, encoder)
        if shown and not any(line["kind"] == kind for line in self.decoded):
            self.decoded.append({"of": of, "kind": kind, "text": decoded(part.task, encoded, self.tokenizer, 0)})
        return encoded.num_truncated

    def _left_out(self, view: DataView, task: Task) -> int:
        """How many examples of a view stand in evaluation data too and are left out for that."""
        if not view.exclude:
            return 0
        labels, unlimited = task.labels or None, replace(view, limit=None)
        whole = load_examples(replace(unlimited, exclude=()), self.roots, labels=labels)
        return len(whole) - len(load_examples(unlimited, self.roots, labels=labels))


def label_shares(task: Task, examples: Sequence[Example]) -> dict[str, float]:
    """The labels with their shares, 0 to 1, the commonest first; empty for kinds whose answers are no labels."""
    if task.kind.labels_in is None:
        return {}
    truths = (example.truth(place) for place, example in enumerate(examples))
    counts = Counter(label for truth in truths if truth is not None for label in task.kind.labels_in(truth))
    total = counts.total()
    return {label: round(number / total, 4) for label, number in counts.most_common(_MOST_LABELS)}
