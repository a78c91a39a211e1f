"""The language lens: which languages gain, and whether family, script, morphology or resources say so beforehand.

Start at ``language_lens``. English is the source language, so it is no part of the lens. The statistics are in
``metrics/group_test.py``; ``lens_points.py`` gathers what they are fed with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np

from stilts.analysis.lens_points import SOURCE_LANGUAGE, LensPoint, Points, gather
from stilts.analysis.results import StudyResults
from stilts.errors import UnknownNameError
from stilts.fingerprint import Json, plain
from stilts.metrics.group_test import GroupTest, Trend, group_test, trend_test
from stilts.metrics.metric import FloatArray
from stilts.tasks.language_codes import base_language
from stilts.tasks.language_groups import GROUPINGS, NOT_KNOWN
from stilts.tasks.languages import syntactic_distance

# A covariate that more of the languages than this lack would be a guess.
MAX_MISSING_FRAC = 1 / 3
# What a language outside CC-100 counts with in GiB: half the smallest figure that the table's rounding can print.
ABSENT_GIB = 0.05

TOKENS, DISTANCE, PRETRAINING = "tokens per word", "distance from English", "log pretraining text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlation:
    """How gains go with one continuous property of languages; ``name`` is ``TOKENS``, ``DISTANCE`` or another."""

    name: str
    trend: Trend


@dataclass(frozen=True, slots=True, kw_only=True)
class Lens:
    """Gains by language against a grouping of languages.

    ``table`` has one line per (language, target); ``points`` one per language, its gains averaged over targets: what
    ``test`` and ``correlations`` are of. ``test`` is None where there are fewer than two languages. ``covariates``
    names what is taken out before groups are compared. ``notes`` say what is left out or not measured, and why.
    """

    by: str
    column: str | None
    row: str | None
    toy: bool
    table: tuple[LensPoint, ...]
    points: tuple[LensPoint, ...]
    test: GroupTest | None
    correlations: tuple[Correlation, ...]
    covariates: tuple[str, ...]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Json]:
        """The lens as plain JSON."""
        return {name: plain(part, name) for name, part in asdict(self).items()}


def language_lens(
    results: StudyResults,
    *,
    by: str = "family",
    column: str | None = None,
    row: str | None = None,
    permutations: int = 10_000,
    seed: int = 0,
) -> Lens:
    """The gains of a study by language, grouped by one of ``GROUPINGS``.

    Of each target the gain is that of the row which ``best`` chose, or of ``row``; without ``column`` all targets are
    pooled (``lens_points.gather``). Pretraining text and tokens per word are covariates, whole families are permuted.
    UnknownNameError for a grouping, target or row that is not there; InputError for the row ``none``.
    """
    if by not in GROUPINGS:
        raise UnknownNameError("grouping", by, GROUPINGS)
    found = gather(results, by=by, column=column, row=row)
    known = [point for point in found.points if point.group != NOT_KNOWN]
    columns, names, notes = covariates_of(known)
    return Lens(
        by=by,
        column=column,
        row=row,
        toy=results.record.toy,
        table=found.table,
        points=found.points,
        test=_test(known, columns, permutations, seed),
        correlations=_correlations(found.points, permutations, seed),
        covariates=names,
        notes=(*found.notes, *_unknown_note(found, by), *notes),
    )


def _test(points: list[LensPoint], covariates: FloatArray | None, permutations: int, seed: int) -> GroupTest | None:
    if len(points) < 2:
        return None
    groups, families = [point.group for point in points], [point.family for point in points]
    return group_test(_gains(points), groups, families, covariates, permutations=permutations, seed=seed)


def _correlations(points: tuple[LensPoint, ...], permutations: int, seed: int) -> tuple[Correlation, ...]:
    found = []
    for name in (TOKENS, DISTANCE, PRETRAINING):
        known = [(point, value) for point in points if (value := _value(point, name)) is not None]
        if known:
            values = np.array([value for _, value in known], np.float64)
            chosen = [point for point, _ in known]
            families = [point.family for point in chosen]
            trend = trend_test(_gains(chosen), values, families, permutations=permutations, seed=seed)
            found.append(Correlation(name=name, trend=trend))
    return tuple(found)


def covariates_of(points: Sequence[LensPoint]) -> tuple[FloatArray | None, tuple[str, ...], tuple[str, ...]]:
    """Covariates (languages, k) centred on their means, their names, and what is to be said of them."""
    columns, names, notes = [], [], []
    for name in (PRETRAINING, TOKENS):
        values = [_value(point, name) for point in points]
        lacking = [point.language for point, value in zip(points, values, strict=True) if value is None]
        known = np.array([value for value in values if value is not None], np.float64)
        if not len(known):
            continue  # Nothing was measured: ``lens_points`` says so, and toys have no pretraining text.
        if len(lacking) > MAX_MISSING_FRAC * len(points):
            notes.append(f"{name} is no covariate: it is not known for {_few(lacking)}")
        elif np.ptp(known) > 0:
            columns.append(np.array([0.0 if value is None else value - known.mean() for value in values], np.float64))
            names.append(name)
            if lacking:
                notes.append(f"{name} is taken at its mean for {_few(lacking)}, where it is not known")
    if PRETRAINING in names:
        outside = [point.language for point in points if point.cc100_gib is None]
        notes.append("pretraining text is that of CC-100 (XLM-R's); for another encoder it stands for text at large")
        if outside:
            notes.append(f"not in CC-100, counted with {ABSENT_GIB} GiB: {_few(outside)}")
    return (np.stack(columns, axis=1) if columns else None), tuple(names), tuple(notes)


def property_of(
    point: LensPoint, name: Literal["distance", "pretraining"], source: str = SOURCE_LANGUAGE
) -> float | None:
    """A language's distance from another, or the logarithm of its pretraining text; None where it is not known."""
    if name == "distance" and source != SOURCE_LANGUAGE:
        return syntactic_distance(base_language(source), base_language(point.language))
    return _value(point, DISTANCE if name == "distance" else PRETRAINING)


def _value(point: LensPoint, name: str) -> float | None:
    if name == TOKENS:
        return point.tokens_per_word
    if name == DISTANCE:
        return point.distance
    if point.is_toy:
        return None
    return float(np.log(point.cc100_gib or ABSENT_GIB))


def _unknown_note(found: Points, by: str) -> tuple[str, ...]:
    unknown = [point.language for point in found.points if point.group == NOT_KNOWN]
    return (f"{by} is not known for {_few(unknown)}: left out of the comparison",) if unknown else ()


def _gains(points: list[LensPoint]) -> FloatArray:
    return np.array([point.gain for point in points], np.float64)


def _few(codes: list[str]) -> str:
    return ", ".join(codes) if len(codes) <= 12 else f"{', '.join(codes[:12])} and {len(codes) - 12} more"
