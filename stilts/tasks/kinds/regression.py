"""Regression below torch: one text or two, with a number on the task's scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Self

from stilts.errors import DataError, InputError
from stilts.metrics.correlation import correlation_rows
from stilts.metrics.metric import FloatArray, metric
from stilts.tasks.example import Example, TextPairExample
from stilts.tasks.hub_row import HubRow
from stilts.tasks.kind import Format, PlainUse, Scoring, TaskKind
from stilts.tasks.option import LANGUAGE_COLUMN, field_option


@dataclass(frozen=True, slots=True, kw_only=True)
class RegressionExample(TextPairExample):
    """One text, or a pair of texts, with a number on the task's scale; ``value`` is None where the release has none."""

    value: float | None = None

    label_field = "value"

    def with_any_label(self, labels: Sequence[str]) -> Self:
        """See ``Example``."""
        return replace(self, value=float(labels[0]))

    def truth(self, place: int) -> str | None:
        """The number."""
        return None if self.value is None else repr(self.value)


def value_range(task: str, labels: tuple[str, ...]) -> tuple[float, float]:
    """Lowest and highest value of a task's scale, which its two labels are; InputError where they are no scale."""
    ends = [number_in(label) for label in labels]
    if len(ends) != 2 or ends[0] is None or ends[1] is None or not ends[0] < ends[1]:
        raise InputError(
            f'task "{task}", scale',
            f"{', '.join(labels) or 'nothing'} where the lowest and the highest value belong",
            "Values are checked against the scale, and predictions are kept within it",
            "Write two numbers, the lowest first: 0 and 5",
        )
    return ends[0], ends[1]


def _check_scale(task: str, labels: tuple[str, ...]) -> None:
    value_range(task, labels)


def number_in(text: str) -> float | None:
    """The finite number that a text is, None where it is none."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) else None


def number_on_scale(raw: object, scale: Sequence[str], path: object, line: int, at: str) -> float | None:
    """The number as written; None for a missing one and for the hub's -1 where the scale has no -1.

    Raises DataError for what is no number, or lies beyond the scale (its lowest and highest value, as text).
    """
    lowest, highest = map(float, scale)
    if raw is None or (not lowest <= -1 and raw in (-1, "-1")):
        return None
    value = None if isinstance(raw, bool) else number_in(str(raw))
    if value is None or not lowest <= value <= highest:
        why = f"The scale is {scale[0]} to {scale[1]}"
        raise DataError(path, f'"{str(raw)[:40]}" is no number of the scale', line=line, field=at, why=why)
    return value


def _hub_row(row: HubRow) -> Example:
    at, scale = row.columns.get("label", "label"), row.labels or ("-inf", "inf")
    value = number_on_scale(row.get("label"), scale, row.place, row.number + 1, at)
    return RegressionExample(item=row.item, text=row.text("text"), text_pair=row.second_text(), value=value)


def _again(truths: Sequence[str], said: Sequence[str], language: str) -> FloatArray:
    return correlation_rows(_numbers(truths), _numbers(said))


def _numbers(texts: Sequence[str]) -> list[float]:
    numbers = [number_in(text) for text in texts]
    if None in numbers:
        raise InputError("a stored number", f'"{texts[numbers.index(None)][:40]}" is none')
    return [number for number in numbers if number is not None]


REGRESSION = TaskKind(
    name="regression",
    module=__name__,
    learning="stilts.kinds.regression",
    about="one text or two, a number on a scale",
    scored_by=(Scoring(measure=metric("pearson"), again=_again, hub_name="pearsonr"),),
    hub_row=_hub_row,
    formats={
        "rated_tsv": Format(
            reader="stilts.data.readers.rated:read_rated_tsv",
            holds="GLUE's TSV with a header, a number for a label",
            options=(
                field_option("text", "the text", "sentence1"),
                field_option("text_pair", 'the second text; "" where there is none', "sentence2"),
                field_option("label", "the number", "score"),
                field_option("item", 'the item; "" for the row number', "index"),
                LANGUAGE_COLUMN,
            ),
        ),
    },
    plain=PlainUse(
        auto_class="AutoModelForSequenceClassification",
        pipeline="text-classification",
        pipeline_class="TextClassificationPipeline",
        asking="""\
batch = tokenizer("A first text.", "A second, for tasks on pairs.", return_tensors="pt")
print(model(**batch).logits.item())  # a number on the task's scale""",
    ),
    check_labels=_check_scale,
    alterable=True,
)
