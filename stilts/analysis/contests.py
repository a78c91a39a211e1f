"""Contests: a searched mixture against what it must beat, the other rows over the same tasks, target by target.

A searched row stands with the proposal that its selection scores chose, its rivals with theirs; all are compared on
``report``, example by example. So a larger number of proposals helps a row to choose, and not to look better than it
is; the numbers stand beside each other, since DESIGN rule 7 asks for equal ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from stilts.analysis.probes import targets_of
from stilts.analysis.results import StudyResults
from stilts.fingerprint import Json, plain
from stilts.metrics.comparison import holm
from stilts.metrics.levels import FALSE_CLAIM
from stilts.metrics.uncertainty import Interval, gain_interval
from stilts.study.record import NONE_ROW, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """A searched row against one rival on one target: the difference of their report scores, in points.

    ``p_adjusted`` is Holm's over all contests of the row. ``proposals`` and ``rival_proposals`` count recipes.
    """

    row: str
    rival: str
    target: str
    difference: Interval
    p_adjusted: float
    proposals: int
    rival_proposals: int

    @property
    def verdict(self) -> str:
        """``better``, ``worse`` or ``not told apart``, at a family-wise level of 5 %."""
        if self.p_adjusted > FALSE_CLAIM:
            return "not told apart"
        return "better" if self.difference.estimate > 0 else "worse"

    def to_json(self) -> dict[str, Json]:
        """The contest as plain JSON."""
        return {name: plain(value, name) for name, value in asdict(self).items()} | {"verdict": self.verdict}


def contests(results: StudyResults) -> tuple[Contest, ...]:
    """Every searched mixture of a study against its rivals: rows over some of its tasks, and ``none``.

    Targets where either is not done are left out.
    """
    rows = results.record.rows
    searched = [row for row in rows if row.searched and len(row.mixture) > 1]
    # A baseline is a rival of its row, whose name it begins with, and makes no claim of its own.
    mixtures = [row for row in searched if not any(row.name.startswith(f"{other.name}-") for other in searched)]
    return tuple(one for row in mixtures for one in _of_row(results, row, [r for r in rows if _is_rival(row, r)]))


def _is_rival(row: Row, other: Row) -> bool:
    tasks = set(other.mixture)
    return (
        other.name != row.name
        and not other.control
        and (other.name == NONE_ROW or (bool(tasks) and tasks <= set(row.mixture)))
    )


def _of_row(results: StudyResults, row: Row, rivals: list[Row]) -> Iterator[Contest]:
    found: list[tuple[Row, str, Interval]] = []
    for column in targets_of(results.record):
        sides = results.sides(column.name)
        for rival in rivals:
            if row.name in sides and rival.name in sides:
                found.append((rival, column.name, gain_interval(sides[row.name], sides[rival.name])))
    adjusted = holm([interval.claim_p for _, _, interval in found])
    for (rival, target, interval), p in zip(found, adjusted, strict=True):
        yield Contest(
            row=row.name,
            rival=rival.name,
            target=target,
            difference=interval,
            p_adjusted=p,
            proposals=row.num_proposals,
            rival_proposals=rival.num_proposals,
        )
