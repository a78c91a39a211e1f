"""The same study with several encoders: what each gains by an intermediate, and whether that goes with their size.

The studies are siblings (``encoders`` in one study file): each has its own baseline, and gains are compared, never
scores of unlike heads. Start at ``across_encoders``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from stilts.analysis.results import StudyResults
from stilts.fingerprint import Json, plain
from stilts.ledger.study_record import read_study
from stilts.metrics.comparison import holm
from stilts.metrics.contrast import slope, smallest_visible
from stilts.metrics.levels import FALSE_CLAIM
from stilts.metrics.uncertainty import Interval
from stilts.study.record import NONE_ROW


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderCell:
    """One cell of one sibling: its score and the baseline's (0..100), and the gain between them in points."""

    study: str
    encoder: str
    weights: int | None
    row: str
    column: str
    score: float
    none: float
    gain: Interval


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
    """Cells of all siblings, with how gains go with size; ``lacking`` are the studies of which nothing is known yet."""

    encoders: tuple[str, ...]
    cells: tuple[EncoderCell, ...]
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
    found = {name: one for name, one in siblings.items() if one is not None}
    cells = [cell for name, one in found.items() for cell in _cells(name, one)]
    return AcrossEncoders(
        encoders=tuple(found),
        cells=tuple(cells),
        effects=size_effects("gain", cells, lambda cell: cell.gain),
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


def size_effects(
    what: str, cells: Sequence[EncoderCell], figure: Callable[[EncoderCell], Interval | None]
) -> tuple[SizeEffect, ...]:
    """The slope of a figure over log10 of weights, for each (row, column) that two encoders of unlike size have."""
    places = dict.fromkeys((cell.row, cell.column) for cell in cells)
    found = []
    for row, column in places:
        known = [
            (value, math.log10(cell.weights))
            for cell in cells
            if (cell.row, cell.column) == (row, column) and cell.weights and (value := figure(cell)) is not None
        ]
        over = slope([value for value, _ in known], [place for _, place in known])
        if over is not None:
            found.append((row, column, over, len(known)))
    adjusted = holm([over.claim_p for _, _, over, _ in found])
    level = FALSE_CLAIM / max(1, len(found))
    return tuple(
        SizeEffect(
            what=what,
            row=row,
            column=column,
            slope=over,
            num_encoders=number,
            p_adjusted=p,
            smallest_visible=smallest_visible(over, level),
        )
        for (row, column, over, number), p in zip(found, adjusted, strict=True)
    )


def _cells(study: str, results: StudyResults) -> list[EncoderCell]:
    table = results.cells.set_index(["row", "column"])["score"]
    record = results.record
    return [
        EncoderCell(
            study=study,
            encoder=record.encoder,
            weights=record.weights,
            row=row.name,
            column=column.name,
            score=float(table[row.name, column.name]),
            none=float(table[NONE_ROW, column.name]),
            gain=gain,
        )
        for row in record.rows
        for column in record.columns
        if (gain := results.gain(row.name, column.name)) is not None
    ]
