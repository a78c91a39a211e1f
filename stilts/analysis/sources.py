"""Source languages: which languages an intermediate in one language serves, and whether those near to it more.

Only fixed rows whose training data are in one language take part. Gains are over ``none``, by language, pooled over
targets as the lens pools them. Start at ``sources_of``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import fmean

import numpy as np

from stilts.analysis.lens import property_of
from stilts.analysis.lens_points import LensPoint, points_over
from stilts.analysis.probes import targets_of
from stilts.analysis.results import StudyResults
from stilts.fingerprint import Json, plain
from stilts.metrics.comparison import holm
from stilts.metrics.group_test import Trend, trend_test
from stilts.metrics.levels import FALSE_CLAIM
from stilts.study.record import NONE_ROW, Row
from stilts.tasks.language_codes import base_language
from stilts.tasks.languages import LANGUAGES

_FEWEST_LANGUAGES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow:
    """One row in one language: its gains in points by language, over ``targets`` on which it is done.

    ``own`` is its gain in its own language, ``family`` the mean gain in the other languages of that one's family,
    ``others`` that in all others; None where no target is scored in such. ``trend`` says how gains elsewhere go with
    the syntactic distance from its language, ``p_adjusted`` is Holm's over the rows (None where one cannot be tested).
    """

    row: str
    language: str
    targets: tuple[str, ...]
    gains: Mapping[str, float]
    own: float | None
    family: float | None
    others: float | None
    trend: Trend
    p_adjusted: float | None

    @property
    def clear(self) -> bool:
        """Whether its gains go with the distance, at a family-wise level of 5 %."""
        return self.p_adjusted is not None and self.p_adjusted <= FALSE_CLAIM

    def to_json(self) -> dict[str, Json]:
        """The row as plain JSON."""
        return {name: plain(value, name) for name, value in asdict(self).items()}


def sources_of(results: StudyResults) -> tuple[SourceRow, ...]:
    """The rows in one language of a study that has such in two or more; () for any other. Made once."""
    return results.once("sources", _sources)


def _sources(results: StudyResults) -> tuple[SourceRow, ...]:
    rows = [row for row in results.record.rows if _is_of_one_language(row)]
    if len({base_language(row.languages[0]) for row in rows}) < _FEWEST_LANGUAGES:
        return ()
    found = [one for row in rows if (one := _source_row(results, row)) is not None]
    tested = iter(holm([one.trend.p_value for one in found if one.trend.p_value is not None]))
    return tuple(one if one.trend.p_value is None else replace(one, p_adjusted=next(tested)) for one in found)


def _is_of_one_language(row: Row) -> bool:
    fixed = not (row.control or row.searched or row.merges)
    return row.name != NONE_ROW and fixed and len(row.languages) == 1 and base_language(row.languages[0]) in LANGUAGES


def _source_row(results: StudyResults, row: Row) -> SourceRow | None:
    targets = [
        column.name
        for column in targets_of(results.record)
        if {row.name, NONE_ROW} <= results.sides(column.name).keys()
    ]
    points = points_over(results, by="family", columns=targets, row=row.name, over=NONE_ROW)
    if not points:
        return None
    source = base_language(row.languages[0])
    family = LANGUAGES[source].family
    own = [point for point in points if base_language(point.language) == source]
    kin = [point for point in points if point.family == family and point not in own]
    return SourceRow(
        row=row.name,
        language=source,
        targets=tuple(targets),
        gains={point.language: point.gain for point in points},
        own=_mean(own),
        family=_mean(kin),
        others=_mean([point for point in points if point not in own and point not in kin]),
        trend=_trend([point for point in points if point not in own], source),
        p_adjusted=None,
    )


def _mean(points: list[LensPoint]) -> float | None:
    return fmean(point.gain for point in points) if points else None


def _trend(points: Sequence[LensPoint], source: str) -> Trend:
    known = [(point, value) for point in points if (value := property_of(point, "distance", source)) is not None]
    gains, values = np.array([point.gain for point, _ in known]), np.array([value for _, value in known])
    return trend_test(gains, values, [point.family for point, _ in known])
