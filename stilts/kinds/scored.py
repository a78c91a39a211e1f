"""Scored: what an evaluation learns of its examples, as plain arrays and texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from stilts.metrics.metric import FloatArray
from stilts.metrics.no_answer import predictions_at
from stilts.tasks.example import Example
from stilts.tasks.task import Task
from stilts.tasks.toy import ENGLISH


@dataclass(frozen=True, slots=True, kw_only=True)
class BestSpans:
    """Each question's best span, and by how much (in logits) "no answer" beats it: +inf where no span fits."""

    texts: tuple[str, ...]
    differences: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """(examples, columns) sufficient statistics, the predictions as text, and what guessing would score (0 to 100).

    ``spans`` are what a threshold made the predictions of, where questions may have no answer. ``truths`` are the right
    answers as text where an example alone does not tell them, ``threshold`` the margin that mined pairs had to reach.
    ``beside`` are figures that no example's row tells: what an attack took.
    """

    rows: FloatArray
    predictions: tuple[str, ...]
    chance: float | None
    spans: BestSpans | None = None
    truths: tuple[str, ...] | None = None
    threshold: float | None = None
    beside: Mapping[str, float] = field(default_factory=dict)


def by_threshold(spans: BestSpans, task: Task, truths: Sequence[str], threshold: float) -> Scored:
    """The questions answered where "no answer" leads by at most ``threshold`` (logits), and scored."""
    said = predictions_at(spans.texts, spans.differences, threshold)
    again = task.kind.scoring(task.metric).again
    assert again is not None, "a metric of questions without an answer scores texts"
    return Scored(rows=again(truths, said, ENGLISH), predictions=said, chance=None, spans=spans)


def truths_of(examples: Sequence[Example]) -> tuple[str, ...]:
    """The right answers of labelled examples as texts."""
    texts = [example.truth(place) for place, example in enumerate(examples)]
    return tuple(text for text in texts if text is not None)
