"""Published figures beside a study's own: its file says what others found (``published``), its results what it did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from stilts.analysis.probes import targets_of
from stilts.analysis.results import StudyResults
from stilts.analysis.row_choice import choose_row
from stilts.analysis.totals import total_interval, total_of
from stilts.fingerprint import Json, plain
from stilts.metrics.uncertainty import Interval
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
        if self.published > self.own.high:
            return "ours is lower"
        return "ours is higher" if self.published < self.own.low else "within our interval"

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
    known = [name for name in names if any(column.name == name for column in results.record.columns)]
    for row, figure in source.gains.items():
        yield _held(results, source.source, row, figure, known, dict.fromkeys(known, row))
    if source.best is not None:
        chosen = {name: choose_row(results, results.column(name)).row for name in known}
        yield _held(results, source.source, BEST, source.best, known, chosen)


def _held(
    results: StudyResults,
    source: str,
    row: str,
    figure: float,
    targets: Sequence[str],
    rows: Mapping[str, str | None],
) -> PublishedGain:
    """A published figure beside the mean over targets of the gain of each one's row."""
    done = [name for name in targets if {rows[name] or "", NONE_ROW} <= results.sides(name).keys()]
    own = base = None
    if done:
        own = total_of({name: results.sides(name)[rows[name] or ""] for name in done})
        base = total_of({name: results.sides(name)[NONE_ROW] for name in done})
    return PublishedGain(
        source=source,
        row=row,
        published=figure,
        own=None if own is None else total_interval(own, base),
        targets=tuple(done),
        lacking=tuple(name for name in targets if name not in done),
    )
