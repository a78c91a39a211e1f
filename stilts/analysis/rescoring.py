"""Every stored evaluation scored again from its examples, without the model, and what does not agree.

Three things are held against each other: the published score, the statistics of each example, and, where right answers
are kept, predictions and right answers through the metric's row makers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field

import numpy as np

from stilts.analysis.results import StudyResults
from stilts.errors import InputError, StoreError
from stilts.fingerprint import Json, plain
from stilts.ledger.examples import Answered, read_answered
from stilts.ledger.results import EvaluateResult, evaluation_of
from stilts.metrics.metric import FloatArray, Metric
from stilts.metrics.no_answer import predictions_at
from stilts.study.record import Column, Replicate

TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
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
    differences: tuple[Disagreement, ...]
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
    differences: list[Disagreement] = []
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
    again = column.scoring.again
    return None if again is None else again(answered.truths, answered.predictions, language)


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
    for use, outputs in (*replicate.outputs.items(), *replicate.stressed.items()):
        for language, key in outputs.items():
            if key in results.view.published:
                yield use, language, key


def _placed(checked: _Checked, replicate: Replicate, use: str, language: str, key: str) -> list[Disagreement]:
    return [
        Disagreement(
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
    measure = column.measure
    answered = read_answered(results.store, key, measure.columns)
    again = rows_again(column, language, answered)
    published = evaluation_of(results.store, key)
    summary = results.view.evaluations.summaries.get(key)
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
    again = float(measure.score(sums)) if measure.is_defined(sums) else None
    wanted: dict[str, tuple[float | None, float | None]] = {
        "score": (stored.score, again),
        "num_items": (float(stored.num_items), float(len(rows))),
    }
    for name, value in measure.parts(sums).items() if again is not None else ():
        wanted[name] = (stored.parts.get(name), float(value))
    for name, (said, found) in wanted.items():
        if said is found is None:
            continue
        if said is None or found is None or not abs(said - found) <= tolerance:
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
