"""Estimates by cell, put together from what their stages published. Pure values: results are given.

``estimating.py`` says which artifacts belong to which cell.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from stilts.ledger.results import EstimateResult, EvaluateResult, Result
from stilts.study.record import NONE_ROW, EstimateOutput, StudyRecord
from stilts.study.stage import Estimate

Results: TypeAlias = Mapping[str, Result]
Cell: TypeAlias = tuple[str, str]
_Group: TypeAlias = Sequence[EstimateOutput]
_Outputs: TypeAlias = Mapping[tuple[str | None, str | None], _Group]

# What a row that trains on nothing has: no examples, and no text to share.
_OF_NONE: Mapping[Estimate, float] = {Estimate.TEXT_OVERLAP: 0.0, Estimate.SIZE: 0.0}


def estimated(record: StudyRecord) -> tuple[Estimate, ...]:
    """The estimates that a study asks for, in its order."""
    return tuple(dict.fromkeys(Estimate(output.estimate) for output in record.estimates))


def cell_estimates(record: StudyRecord, results: Results) -> dict[Estimate, dict[Cell, float]]:
    """Per estimate its figure of every (row, column) whose artifacts are among ``results``; more promises more.

    LogME is in nats per example, an H-score between 0 and classes less one, an embedding's figure a cosine, a probe's
    a selection score (0 to 100), text overlap a share (0 to 1) and size an effective number of examples.
    """
    found: dict[Estimate, dict[Cell, float]] = {}
    for estimate in estimated(record):
        cells = _cells(estimate, _grouped(record, estimate), results)
        if estimate in _OF_NONE and any(row.name == NONE_ROW for row in record.rows):
            cells |= {(NONE_ROW, column): _OF_NONE[estimate] for column in {column for _, column in cells}}
        found[estimate] = cells
    return found


def seconds_per_cell(record: StudyRecord, results: Results, estimate: Estimate, num_cells: int) -> float | None:
    """Mean seconds that an estimate takes per cell, each stage counted once; None where nothing of it is done.

    The training of the intermediate is not counted: the matrix needs it anyway. A probe's own fine-tuning is.
    """
    keys = {output.key for output in record.estimates if output.estimate == estimate}
    if estimate is Estimate.PROBE:
        keys |= {str(record.stages[key.partition("/")[0]]["parent"]) for key in keys}
    spent = [results[key].seconds for key in keys if key in results]
    return sum(spent) / num_cells if spent and num_cells else None


def keys_behind(record: StudyRecord) -> list[str]:
    """Every artifact that the study's estimates and their seconds are read from."""
    keys = dict.fromkeys(output.key for output in record.estimates)
    probes = [output.key for output in record.estimates if output.estimate == Estimate.PROBE]
    return [*keys, *dict.fromkeys(str(record.stages[key.partition("/")[0]]["parent"]) for key in probes)]


def effective_size(sizes: Sequence[float], weights: Sequence[float]) -> float:
    """Kish's effective number of examples of a mixture: one over the sum of w^2 / n.

    Examples of a task with share w of the steps and n examples weigh w / n each (Kish 1965, Survey Sampling, 11.7). A
    mixture in proportion to size has the sum of its sizes, any other has less.
    """
    return 1.0 / math.fsum(weight * weight / size for size, weight in zip(sizes, weights, strict=True))


def _grouped(record: StudyRecord, estimate: Estimate) -> _Outputs:
    groups: dict[tuple[str | None, str | None], list[EstimateOutput]] = {}
    for output in record.estimates:
        if output.estimate == estimate:
            groups.setdefault((output.row, output.column), []).append(output)
    return groups


def _cells(estimate: Estimate, groups: _Outputs, results: Results) -> dict[Cell, float]:
    known = {
        place: group
        for place, group in groups.items()
        if all(_value(results.get(output.key)) is not None for output in group)
    }
    if estimate is Estimate.EMBEDDING:
        return _cosines(known, results)
    combine = _COMBINE.get(estimate, _weighted)
    return {
        (row, column): combine([_number(results[output.key]) for output in group], [o.weight for o in group])
        for (row, column), group in known.items()
        if row is not None and column is not None
    }


def _cosines(known: _Outputs, results: Results) -> dict[Cell, float]:
    """Cosine of a row's mean vector, its tasks by weight, and a column's."""
    vectors = {
        place: np.sum([output.weight * _vector(results[output.key]) for output in group], axis=0)
        for place, group in known.items()
    }
    return {
        (row, column): float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))
        for (row, _), one in vectors.items()
        for (_, column), other in vectors.items()
        if row is not None and column is not None
    }


def _weighted(values: Sequence[float], weights: Sequence[float]) -> float:
    return math.fsum(value * weight for value, weight in zip(values, weights, strict=True))


_COMBINE: Mapping[Estimate, Callable[[Sequence[float], Sequence[float]], float]] = {Estimate.SIZE: effective_size}


def _value(result: Result | None) -> float | list[float] | None:
    """The figure of an estimate, or a probe's score; None where there is none."""
    if isinstance(result, EvaluateResult):
        return result.score
    return result.value if isinstance(result, EstimateResult) else None


def _number(result: Result) -> float:
    value = _value(result)
    assert isinstance(value, int | float)
    return float(value)


def _vector(result: Result) -> NDArray[np.float64]:
    return np.asarray(_value(result), np.float64)
