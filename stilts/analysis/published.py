"""Published figures beside a study's own: its file says what others found (``published``), its results what it did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

from stilts.analysis.probes import targets_of
from stilts.analysis.results import StudyResults
from stilts.analysis.row_choice import choose_row
from stilts.analysis.totals import total_of, weighted_total
from stilts.fingerprint import Json, plain
from stilts.metrics.uncertainty import Interval, t_interval
from stilts.study.published_schema import PublishedFigures
from stilts.study.record import NONE_ROW

BEST = "the best row of each target"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedGain:
    """A published mean gain over ``none`` in points, and the study's own over those of its targets that are done.

    ``row`` is ``BEST`` for that of the row that is chosen on ``select``, target by target. ``own`` is None where
    nothing is done; ``lacking`` names targets without the row, or for which none can be chosen.
    """

    source: str
    row: str
    published: float
    own: Interval | None
    targets: tuple[str, ...]
    lacking: tuple[str, ...]

    @property
    def reading(self) -> str:
        """How the two stand to each other."""
        if self.own is None:
            return "nothing is done yet"
        if self.own.one_model:
            return "one seed: nothing can be said"
        fewer = ", on fewer targets" if self.lacking else ""
        if self.published > self.own.high:
            return f"ours is lower{fewer}"
        return f"ours is higher{fewer}" if self.published < self.own.low else f"within our interval{fewer}"

    def to_json(self) -> dict[str, Json]:
        """The figures as plain JSON."""
        return {name: plain(value, name) for name, value in asdict(self).items()} | {"reading": self.reading}


def sources_of(results: StudyResults) -> tuple[PublishedFigures, ...]:
    """What the study's file says that others published."""
    written = results.record.settings.get("published")
    return tuple(PublishedFigures.model_validate(one) for one in written) if isinstance(written, list) else ()


def published_gains(results: StudyResults) -> tuple[PublishedGain, ...]:
    """Each published figure with the study's own, in the file's order."""
    return tuple(one for source in sources_of(results) for one in _of_source(results, source))


def _of_source(results: StudyResults, source: PublishedFigures) -> Iterator[PublishedGain]:
    names = source.targets or tuple(column.name for column in targets_of(results.record))
    known = {column.name for column in results.record.columns}  # without those whose data have no score
    for row, figure in source.gains.items():
        yield _held(results, source.source, row, figure, {name: row if name in known else None for name in names})
    if source.best is not None:
        chosen = {name: choose_row(results, results.column(name)).row if name in known else None for name in names}
        yield _held(results, source.source, BEST, source.best, chosen)


def _held(results: StudyResults, source: str, row: str, figure: float, rows: Mapping[str, str | None]) -> PublishedGain:
    """A published figure beside the mean over targets of the gain of each one's row, where it has one and is done."""
    done = {name: one for name, one in rows.items() if one and {one, NONE_ROW} <= results.sides(name).keys()}
    # Where none itself is the best, its gain is 0, and sure.
    gaining = {name: one for name, one in done.items() if one != NONE_ROW}
    own = t_interval(0.0, {}, None) if done else None
    if gaining:
        share = len(gaining) / len(done)
        total = total_of({name: results.sides(name)[one] for name, one in gaining.items()})
        base = total_of({name: results.sides(name)[NONE_ROW] for name in gaining})
        own = weighted_total({"the row": (share, total), "the baseline": (-share, base)})
    return PublishedGain(
        source=source,
        row=row,
        published=figure,
        own=own,
        targets=tuple(done),
        lacking=tuple(name for name in rows if name not in done),
    )
