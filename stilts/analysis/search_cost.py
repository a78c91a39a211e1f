"""What each searched row and each merge cost, and what it gained: stages that the study has for that row alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from stilts.analysis.probes import targets_of
from stilts.analysis.results import StudyResults
from stilts.analysis.totals import total_interval, total_of
from stilts.fingerprint import Json, plain
from stilts.metrics.uncertainty import Interval
from stilts.study.record import NONE_ROW, Replicate, Row, lineage


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchCost:
    """One row: seconds of its own stages, those of its search (proposals) and those that confirm what it chose.

    ``shared_s`` are those of stages that another row needs too, such as the recipes that a merge adds up. ``gain`` is
    the mean over the targets where it is done, None where it is done on none.
    """

    row: str
    merges: bool
    proposals: int
    search_s: float
    confirm_s: float
    shared_s: float
    stages: int
    gain: Interval | None
    targets: tuple[str, ...]

    @property
    def seconds(self) -> float:
        """All that is its own."""
        return self.search_s + self.confirm_s

    def to_json(self) -> dict[str, Json]:
        """The cost as plain JSON."""
        return {name: plain(value, name) for name, value in asdict(self).items()} | {"seconds": self.seconds}


def search_costs(results: StudyResults) -> tuple[SearchCost, ...]:
    """The cost of every searched or merged row, in the study's order; made once."""
    return results.once("search_costs", _search_costs)


def _search_costs(results: StudyResults) -> tuple[SearchCost, ...]:
    record = results.record
    searching: dict[str, set[str]] = {}
    confirming: dict[str, set[str]] = {}
    for replicate in record.replicates:
        (confirming if replicate.confirms else searching).setdefault(replicate.row, set()).update(
            _stages(results, replicate)
        )
    rows = [row for row in record.rows if row.searched or row.merges]
    return tuple(_cost(results, row, searching, confirming) for row in rows)


def _cost(
    results: StudyResults, row: Row, searching: Mapping[str, set[str]], confirming: Mapping[str, set[str]]
) -> SearchCost:
    others = set().union(*(stages for of in (searching, confirming) for name, stages in of.items() if name != row.name))
    search, confirm = (of.get(row.name, set()) for of in (searching, confirming))
    seconds = results.view.seconds
    done = [
        column.name
        for column in targets_of(results.record)
        if row.name != NONE_ROW and {row.name, NONE_ROW} <= results.sides(column.name).keys()
    ]
    own, base = (
        total_of({name: results.sides(name)[one] for name in done}) if done else None for one in (row.name, NONE_ROW)
    )
    return SearchCost(
        row=row.name,
        merges=bool(row.merges),
        proposals=row.num_proposals,
        search_s=sum(seconds.get(stage, 0.0) for stage in search - others),
        confirm_s=sum(seconds.get(stage, 0.0) for stage in confirm - search - others),
        shared_s=sum(seconds.get(stage, 0.0) for stage in (search | confirm) & others),
        stages=sum(stage in seconds for stage in (search | confirm) - others),
        gain=None if own is None else total_interval(own, base),
        targets=tuple(done),
    )


def _stages(results: StudyResults, replicate: Replicate) -> set[str]:
    """All stages of a replicate, from the encoder's own on."""
    ends = (*replicate.scoring_stages, replicate.target_stage, replicate.intermediate_stage)
    return {stage for end in ends for stage in lineage(end, results.record.stages)}
