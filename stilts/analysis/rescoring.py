"""Every stored evaluation scored again from its examples, without the model, and what does not agree.

Three things are held against each other: the published score, the statistics of each example, and, where right answers
are kept, predictions and right answers through the metric's row makers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial

import numpy as np

from stilts.analysis.results import StudyResults
from stilts.errors import InputError, StoreError
from stilts.fingerprint import Json, plain
from stilts.ledger.examples import Answered, read_answered
from stilts.ledger.results import EvaluateResult, evaluation_of
from stilts.metrics.answers import ANSWER_METRICS, answer_rows
from stilts.metrics.bucc import pair_row
from stilts.metrics.chunks import chunk_rows
from stilts.metrics.classification import accuracy_rows
from stilts.metrics.correlation import correlation_rows
from stilts.metrics.label_sets import label_set_rows, ranking_in
from stilts.metrics.metric import FloatArray, Metric, metric
from stilts.metrics.no_answer import predictions_at
from stilts.metrics.ranking import RANKINGS, ranking_rows
from stilts.metrics.spans import entity_rows
from stilts.metrics.tagging import tag_rows
from stilts.study.record import Column, Replicate
from stilts.tasks.task import number_in
from stilts.tasks.truth import answers_in, pairs_in

TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One disagreement of a cell's language: ``stored`` and ``recomputed`` are what ``what`` names."""

    row: str
    column: str
    replicate: str
    use: str
    language: str
    key: str
    what: str
    stored: float | None
    recomputed: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescored:
    """A study scored again. ``from_predictions`` of ``evaluations`` were also made anew from predictions.

    ``unread`` maps a key to why its examples could not be read: then nothing is said of it.
    """

    evaluations: int
    examples: int
    from_predictions: int
    differences: tuple[Difference, ...]
    unread: Mapping[str, str] = field(default_factory=dict)

    @property
    def agrees(self) -> bool:
        """Whether everything was read and nothing differs."""
        return not self.differences and not self.unread

    def to_json(self) -> dict[str, Json]:
        """The outcome as plain JSON."""
        return {name: plain(value, name) for name, value in asdict(self).items()}


def rescore(results: StudyResults, *, tolerance: float = TOLERANCE) -> Rescored:
    """Every done evaluation of the study, read once; replicates that share one are reported each."""
    checked: dict[str, _Checked] = {}
    unread: dict[str, str] = {}
    differences: list[Difference] = []
    for replicate in results.record.replicates:
        column = results.column(replicate.column)
        for use, language, key in _done(results, replicate):
            if key not in checked and key not in unread:
                try:
                    checked[key] = _check(results, column, language, key, tolerance)
                except (StoreError, InputError, OSError) as error:
                    unread[key] = str(error)
            if key in checked:
                differences += _placed(checked[key], replicate, use, language, key)
    return Rescored(
        evaluations=len(checked),
        examples=sum(each.examples for each in checked.values()),
        from_predictions=sum(each.from_predictions for each in checked.values()),
        differences=tuple(differences),
        unread=unread,
    )


def rows_again(column: Column, language: str, answered: Answered) -> FloatArray | None:
    """The statistics of each example from prediction and right answer; None where these are not kept or not enough.

    Masked LM keeps no predictions.
    """
    if answered.truths is None:
        return None
    if column.metric in ANSWER_METRICS:
        golds = [answers_in(truth) for truth in answered.truths]
        return answer_rows(column.metric, golds, answered.predictions, language=language)
    maker = _MAKERS.get(_maker_name(column))
    return None if maker is None else maker(answered.truths, answered.predictions)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Finding:
    what: str
    stored: float | None
    recomputed: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Checked:
    examples: int
    from_predictions: bool
    findings: tuple[_Finding, ...]


def _done(results: StudyResults, replicate: Replicate) -> Iterator[tuple[str, str, str]]:
    for use, outputs in replicate.outputs.items():
        for language, key in outputs.items():
            if results.evaluations.is_done(key):
                yield use, language, key


def _placed(checked: _Checked, replicate: Replicate, use: str, language: str, key: str) -> list[Difference]:
    return [
        Difference(
            row=replicate.row,
            column=replicate.column,
            replicate=replicate.replicate_id,
            use=use,
            language=language,
            key=key,
            what=found.what,
            stored=found.stored,
            recomputed=found.recomputed,
        )
        for found in checked.findings
    ]


def _check(results: StudyResults, column: Column, language: str, key: str, tolerance: float) -> _Checked:
    measure = metric(column.metric)
    answered = read_answered(results.store, key, measure.columns)
    again = rows_again(column, language, answered)
    published = evaluation_of(results.store, key)
    summary = results.evaluations.summaries.get(key)
    findings = list(_against(published, "", answered.rows, measure, tolerance))
    if summary is not None:
        findings += _against(summary.result, "summary: ", answered.rows, measure, tolerance)
        findings += _examples_of_summary(summary.values(measure.columns), answered.rows, tolerance)
    if again is not None:
        findings += _examples(again, answered.rows, "examples with statistics not their prediction's", tolerance)
    findings += _unlike_threshold(answered, published)
    return _Checked(examples=len(answered.items), from_predictions=again is not None, findings=tuple(findings))


def _against(
    stored: EvaluateResult, prefix: str, rows: FloatArray, measure: Metric, tolerance: float
) -> Iterator[_Finding]:
    """Score, parts and number of examples as stored against those of the rows' sums."""
    sums = dict(zip(measure.columns, map(float, rows.sum(axis=0)), strict=True))
    wanted: dict[str, tuple[float | None, float]] = {
        "score": (stored.score, float(measure.score(sums))),
        "num_items": (float(stored.num_items), float(len(rows))),
    }
    for name, value in measure.parts(sums).items():
        wanted[name] = (stored.parts.get(name), float(value))
    for name, (said, found) in wanted.items():
        if said is None or not abs(said - found) <= tolerance:
            yield _Finding(what=f"{prefix}{name}", stored=said, recomputed=found)


def _examples_of_summary(values: FloatArray | None, rows: FloatArray, tolerance: float) -> list[_Finding]:
    if values is None:
        return []
    return _examples(values, rows, "summary: examples with statistics not the artifact's", tolerance)


def _examples(one: FloatArray, other: FloatArray, what: str, tolerance: float) -> list[_Finding]:
    """A finding with the number of examples that differ (stored: none should), where any do."""
    if one.shape != other.shape:
        return [_Finding(what="number of examples", stored=float(len(other)), recomputed=float(len(one)))]
    number = int((~(np.abs(one - other) <= tolerance)).any(axis=1).sum())
    return [_Finding(what=what, stored=0.0, recomputed=float(number))] if number else []


def _unlike_threshold(answered: Answered, published: EvaluateResult) -> list[_Finding]:
    """A finding with the number of predictions that are not what the threshold makes of their spans, where any are."""
    threshold = published.no_answer_threshold
    if answered.spans is None or answered.differences is None or threshold is None:
        return []
    again = predictions_at(answered.spans, answered.differences, threshold)
    number = sum(one != other for one, other in zip(again, answered.predictions, strict=True))
    what = "predictions that are not their span by the threshold"
    return [_Finding(what=what, stored=0.0, recomputed=float(number))] if number else []


def _maker_name(column: Column) -> str:
    """The row maker of the column: tagging's accuracy counts words."""
    return "tagging" if column.kind == "tagging" and column.metric == "accuracy" else column.metric


def _tags(texts: Sequence[str]) -> list[list[str]]:
    return [text.split() for text in texts]


def _rankings(name: str, truths: Sequence[str], said: Sequence[str]) -> FloatArray:
    return ranking_rows(name, [answers_in(truth) for truth in truths], [answers_in(found) for found in said])


def _numbers(texts: Sequence[str]) -> list[float]:
    numbers = [number_in(text) for text in texts]
    if None in numbers:
        raise InputError("a stored number", f'"{texts[numbers.index(None)][:40]}" is none')
    return [number for number in numbers if number is not None]


def _label_rankings(texts: Sequence[str]) -> tuple[list[tuple[str, ...]], list[int]]:
    read = [ranking_in(text) for text in texts]
    return [ranked for ranked, _ in read], [chosen for _, chosen in read]


_Maker = Callable[[Sequence[str], Sequence[str]], FloatArray]
# The same makers that an evaluation uses, by metric, on texts.
_MAKERS: Mapping[str, _Maker] = {
    "accuracy": accuracy_rows,
    "retrieval_accuracy": accuracy_rows,
    "tagging": lambda truths, said: tag_rows(_tags(truths), _tags(said)),
    "span_f1": lambda truths, said: entity_rows(_tags(truths), _tags(said)),
    "pair_f1": lambda truths, said: np.concatenate(
        [pair_row(pairs_in(truth), pairs_in(found)) for truth, found in zip(truths, said, strict=True)]
    ),
    **{name: partial(_rankings, name) for name in RANKINGS},
    "chunk_f1": lambda truths, said: chunk_rows(_tags(truths), _tags(said)),
    "pearson": lambda truths, said: correlation_rows(_numbers(truths), _numbers(said)),
    "r_precision": lambda truths, said: label_set_rows(_tags(truths), *_label_rankings(said)),
}
