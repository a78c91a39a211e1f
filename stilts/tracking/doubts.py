"""What stands beside the gains on the study's own run: their 95 % intervals, and the chance to be the best.

They rest on resampling, which a round during a run does without, so they are no part of the run's view: a round
without them leaves those that are there.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass

from stilts.analysis.best import Answer
from stilts.analysis.results import StudyResults
from stilts.metrics.uncertainty import Interval
from stilts.study.record import NONE_ROW
from stilts.tracking.points import value_point
from stilts.tracking.run_view import MetricPoint, RunView, metric_name

_LOW, _HIGH, _BEST = "gain_low", "gain_high", "p_best"


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubts:
    """The gains' intervals as ``stilts matrix`` has them, by (row, column); ``p_best`` as ``stilts best`` has it."""

    intervals: Mapping[tuple[str, str], Interval]
    p_best: Mapping[tuple[str, str], float]


def doubts_of(results: StudyResults, answers: Sequence[Answer]) -> Doubts:
    """What resampling says of every cell that has a gain."""
    cells = [(cell["row"], cell["column"]) for cell in results.cells.to_dict("records")]
    found = {cell: results.gain(*cell) for cell in cells if cell[0] != NONE_ROW}
    return Doubts(
        intervals={cell: interval for cell, interval in found.items() if interval is not None},
        p_best={(row, answer.target): chance for answer in answers for row, chance in answer.p_best.items()},
    )


def with_doubts(doubts: Doubts, parent: RunView) -> tuple[MetricPoint, ...]:
    """The points of the study's run, each cell's doubts behind its gain: MLflow's page keeps the order of writing.

    A doubt has the time of the last point. A cell that the run does not show has none.
    """
    last = max((point.time_ms for point in parent.points), default=0)
    beside: dict[str, list[MetricPoint]] = {}
    for name, figure, value in _figures(doubts, parent.latest()):
        beside.setdefault(name, []).append(value_point(figure, value, last))
    return tuple(one for point in parent.points for one in (point, *beside.get(point.name, ())))


def is_doubt(name: str) -> bool:
    """Whether a metric of the study's run is one of these."""
    return name.partition(".")[0] in (_LOW, _HIGH, _BEST)


def _figures(doubts: Doubts, shown: Container[str]) -> Iterator[tuple[str, str, float]]:
    """The metric that each stands behind, its own name, its value."""
    for cell, interval in doubts.intervals.items():
        yield metric_name("gain", *cell), metric_name(_LOW, *cell), interval.low
        yield metric_name("gain", *cell), metric_name(_HIGH, *cell), interval.high
    for cell, chance in doubts.p_best.items():
        gain, score = metric_name("gain", *cell), metric_name("score", *cell)
        yield gain if gain in shown else score, metric_name(_BEST, *cell), chance
