"""The same study with several encoders: what each gains by an intermediate, what stress costs it, and their size.

The studies are siblings (``encoders`` in one study file): each has its own baseline, and gains and drops are compared,
never scores of unlike heads. Start at ``across_encoders``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from stilts.analysis.results import StudyResults
from stilts.analysis.robustness import stress_cells
from stilts.fingerprint import Json, plain
from stilts.ledger.study_record import read_study
from stilts.metrics.comparison import holm
from stilts.metrics.contrast import slope, smallest_visible
from stilts.metrics.levels import FALSE_CLAIM
from stilts.metrics.uncertainty import Interval

GAIN = "gain"


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderFigure:
    """A figure of one cell of one sibling, in points: ``what`` is its gain, or the drop under a stress."""

    study: str
    encoder: str
    weights: int | None
    what: str
    row: str
    column: str
    value: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeEffect:
    """How a cell's figure goes with the size of encoders.

    ``slope`` is in points for ten times the weights, over ``num_encoders``. ``p_adjusted`` is Holm's over all slopes of
    the same ``what``; ``smallest_visible`` is what would have been found with 80 % power, at Holm's strictest level.
    """

    what: str
    row: str
    column: str
    slope: Interval
    num_encoders: int
    p_adjusted: float
    smallest_visible: float

    @property
    def clear(self) -> bool:
        """Whether the figure changes with size, all slopes counted."""
        return self.p_adjusted <= FALSE_CLAIM


@dataclass(frozen=True, slots=True, kw_only=True)
class AcrossEncoders:
    """Figures of all siblings, and how they go with size; ``lacking`` are the studies of which nothing is known yet."""

    figures: tuple[EncoderFigure, ...]
    effects: tuple[SizeEffect, ...]
    lacking: tuple[str, ...]

    def to_json(self) -> dict[str, Json]:
        """All of it as plain JSON."""
        return {name: plain(part, name) for name, part in asdict(self).items()}


def across_encoders(results: StudyResults) -> AcrossEncoders | None:
    """What the siblings of a study in its store say together; None where it has none."""
    siblings = siblings_of(results)
    if len(siblings) < 2:
        return None
    figures = [figure for name, one in siblings.items() if one is not None for figure in _figures(name, one)]
    whats = dict.fromkeys(figure.what for figure in figures)
    return AcrossEncoders(
        figures=tuple(figures),
        effects=tuple(
            effect for what in whats for effect in size_effects([one for one in figures if one.what == what])
        ),
        lacking=tuple(name for name, one in siblings.items() if one is None),
    )


def siblings_of(results: StudyResults) -> dict[str, StudyResults | None]:
    """The results of each sibling by its study's name, None of one that the store does not have; {} without any."""
    record, store = results.record, results.store
    found: dict[str, StudyResults | None] = {}
    for name in record.siblings:
        other = None if name == record.name else read_study(store, name)
        found[name] = results if name == record.name else None
        if other is not None:
            found[name] = StudyResults(record=other, store=store)
    return found


def size_effects(figures: Sequence[EncoderFigure]) -> tuple[SizeEffect, ...]:
    """The slopes of figures of one kind over log10 of weights, for each cell that encoders of two sizes have."""
    found = []
    for row, column in dict.fromkeys((one.row, one.column) for one in figures):
        known = [one for one in figures if (one.row, one.column) == (row, column) and one.weights]
        over = slope([one.value for one in known], [math.log10(one.weights or 1) for one in known])
        if over is not None:
            found.append((known[0], over, len(known)))
    adjusted = holm([over.claim_p for _, over, _ in found])
    return tuple(
        SizeEffect(
            what=one.what,
            row=one.row,
            column=one.column,
            slope=over,
            num_encoders=number,
            p_adjusted=p,
            smallest_visible=smallest_visible(over, FALSE_CLAIM / len(found)),
        )
        for (one, over, number), p in zip(found, adjusted, strict=True)
    )


def _figures(study: str, results: StudyResults) -> Iterator[EncoderFigure]:
    record = results.record

    def figure(what: str, row: str, column: str, value: Interval) -> EncoderFigure:
        return EncoderFigure(
            study=study, encoder=record.encoder, weights=record.weights, what=what, row=row, column=column, value=value
        )

    for row in record.rows:
        for column in record.columns:
            if (gain := results.gain(row.name, column.name)) is not None:
                yield figure(GAIN, row.name, column.name, gain)
    for cell in stress_cells(results):
        yield figure(f"drop under {cell.stress}", cell.row, cell.column, cell.drop)
