"""Factors: what of the rows' gains goes with the domain of their texts, what with their kind of task or their size.

Scores of rows are taken apart into a sum: domain, kind of task and, where sizes differ, log10 of the number of training
examples (least squares). Which differences the design lets one tell is worked out first: where a domain has one kind of
task that no other domain has, its effect cannot be told from that of the kind, and is refused (aliasing; Montgomery,
Design and Analysis of Experiments, chapter 8). Start at ``factors_of``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum

import numpy as np

from stilts.analysis.probes import targets_of
from stilts.analysis.results import StudyResults
from stilts.analysis.totals import Total, total_of, weighted_total
from stilts.fingerprint import Json, plain
from stilts.metrics.comparison import holm
from stilts.metrics.contrast import smallest_visible
from stilts.metrics.levels import FALSE_CLAIM
from stilts.metrics.metric import FloatArray
from stilts.metrics.uncertainty import Interval, t_interval
from stilts.study.record import NONE_ROW, Row, StudyRecord
from stilts.tasks.domains import domain_word

# With fewer rows there is nothing to take apart.
_FEWEST_ROWS, _FEWEST_DOMAINS = 3, 2
# A contrast that is further than this from what rows can tell is none of theirs.
_FAR = 1e-6


class Factor(StrEnum):
    """What rows differ in."""

    DOMAIN = "domain"
    KIND = "kind"
    SIZE = "size"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFactors:
    """One row of one domain and one kind of task; ``size`` is its number of training examples, None if not known."""

    row: str
    domain: str
    kind: str
    size: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A level of a factor: its rows, the levels that it can be compared with, and those that it cannot.

    ``within`` are the levels of the other factor in which it meets one of ``against`` directly; a level of ``against``
    that is not ``met`` is compared by a chain of rows alone, which takes it that the factors' effects add up.
    """

    factor: Factor
    name: str
    rows: tuple[str, ...]
    against: tuple[str, ...]
    refused: tuple[str, ...]
    met: tuple[str, ...]
    within: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorEffect:
    """A level against the mean of those that it can be compared with, in points; of the size for ten times as much.

    ``target`` is None for the mean over all targets. ``p_adjusted`` is Holm's over the effects on that mean, or over
    those on all single targets; where there are both, twice that (Bonferroni), so that of all claims together at most
    5 % are false. ``smallest_visible``: such an effect would have been found in 80 % of studies.
    """

    factor: Factor
    level: str
    target: str | None
    value: Interval
    p_adjusted: float
    smallest_visible: float

    @property
    def clear(self) -> bool:
        """Whether it is shown at a family-wise level of 5 %."""
        return self.p_adjusted <= FALSE_CLAIM


@dataclass(frozen=True, slots=True, kw_only=True)
class Factors:
    """What the design of a study tells, and what its scores say of it.

    ``left_out`` maps rows to why they have no place in it. ``spare`` counts the rows beyond what the effects need: with
    none, that effects add up cannot be checked. ``sizes`` are the smallest and largest number of examples, None where
    one is not known; ``size_refused`` says why there is no effect of size. ``lacking`` are targets where rows are open.
    """

    rows: tuple[RowFactors, ...]
    levels: tuple[Level, ...]
    effects: tuple[FactorEffect, ...]
    left_out: Mapping[str, str]
    spare: int
    sizes: tuple[int, int] | None
    size_refused: str
    lacking: tuple[str, ...]

    def to_json(self) -> dict[str, Json]:
        """All of it as plain JSON."""
        return {name: plain(part, name) for name, part in asdict(self).items()}


def factors_of(results: StudyResults) -> Factors | None:
    """The effects of domain, kind and size in a study; None for fewer than three rows that have one of each."""
    return results.once("factors", _factors)


def _factors(results: StudyResults) -> Factors | None:
    rows, left_out = rows_with_factors(results.record)
    targets = [column.name for column in targets_of(results.record)]
    begun = {row for name in targets for row in results.sides(name)}
    left_out |= {one.row: "not done on any target" for one in rows if one.row not in begun}
    rows = tuple(one for one in rows if one.row in begun)
    if len(rows) < _FEWEST_ROWS or len({one.domain for one in rows}) < _FEWEST_DOMAINS:
        return None
    design = Design.of(rows)
    names = {one.row for one in rows}
    whole = [name for name in targets if names <= results.sides(name).keys()]
    known = [one.size for one in rows if one.size is not None]
    return Factors(
        rows=rows,
        levels=design.levels,
        effects=_effects(results, design, whole),
        left_out=left_out,
        spare=design.spare,
        sizes=(min(known), max(known)) if len(known) == len(rows) else None,
        size_refused=design.size_refused,
        lacking=tuple(name for name in targets if name not in whole),
    )


def rows_with_factors(record: StudyRecord) -> tuple[tuple[RowFactors, ...], dict[str, str]]:
    """The fixed rows of one domain and one kind of task, and of the others why they have no place in the design."""
    found, left_out = [], {}
    for row in record.rows:
        domains = domains_of(record, row)
        reason = _misfit(row, domains)
        if reason:
            left_out[row.name] = reason
        elif row.name != NONE_ROW:
            found.append(RowFactors(row=row.name, domain=domains[0], kind=row.kinds[0], size=row.num_examples))
    return tuple(found), left_out


def domains_of(record: StudyRecord, row: Row) -> tuple[str, ...]:
    """The domains of the datasets that a row learns from, in order."""
    names = (name for task in row.mixture for name in record.training_data.get(task, ()))
    described = (record.datasets[name]["domain"] for name in names if "domain" in record.datasets.get(name, {}))
    return tuple(dict.fromkeys(map(domain_word, described)))


def _misfit(row: Row, domains: Sequence[str]) -> str:
    if row.name == NONE_ROW:
        return ""
    if row.control or row.merges or row.searched:
        return "a control" if row.control else "a merge" if row.merges else "searched"
    if len(domains) != 1:
        return f"of {' and '.join(domains)}" if domains else "its domain is not known"
    return "" if len(row.kinds) == 1 else f"of several kinds: {', '.join(row.kinds) or 'not known'}"


@dataclass(frozen=True, kw_only=True)
class Design:
    """What rows differ in, as a matrix: ``matrix`` has a line per row and a column per level, ``size`` its last.

    Columns are 1 where a row has the level, so that they depend on each other; a difference of levels can be told where
    it is a combination of lines.
    """

    rows: tuple[RowFactors, ...]
    columns: tuple[tuple[Factor, str], ...]
    matrix: FloatArray
    size_refused: str

    @classmethod
    def of(cls, rows: Sequence[RowFactors]) -> Design:
        """The design of these rows, without their size where that is not known or the same for all."""
        domains = [(Factor.DOMAIN, name) for name in dict.fromkeys(one.domain for one in rows)]
        kinds = [(Factor.KIND, name) for name in dict.fromkeys(one.kind for one in rows)]
        columns = (*domains, *kinds)
        matrix = np.array(
            [
                [float(name == (one.domain if what is Factor.DOMAIN else one.kind)) for what, name in columns]
                for one in rows
            ]
        )
        sizes = [one.size for one in rows]
        if None in sizes:
            refused = "the size of some rows is not known"
        elif len(set(sizes)) == 1:
            refused = "all rows have the same size"
        else:
            logs = np.array([math.log10(size or 1) for size in sizes])
            if np.linalg.matrix_rank(np.column_stack([matrix, logs])) > np.linalg.matrix_rank(matrix):
                whole = np.column_stack([matrix, logs])
                return cls(rows=tuple(rows), columns=(*columns, (Factor.SIZE, "")), matrix=whole, size_refused="")
            refused = "it cannot be told from domain and kind"
        return cls(rows=tuple(rows), columns=columns, matrix=matrix, size_refused=refused)

    @property
    def spare(self) -> int:
        """How many rows there are beyond what the effects need."""
        return len(self.rows) - int(np.linalg.matrix_rank(self.matrix))

    @property
    def levels(self) -> tuple[Level, ...]:
        """Every level of domain and kind with what it can be compared with."""
        return tuple(self._level(what, name) for what, name in self.columns if what is not Factor.SIZE)

    def _level(self, what: Factor, name: str) -> Level:
        others = [other for kind, other in self.columns if kind is what and other != name]
        against = [other for other in others if self.weights(self._difference(what, name, [other])) is not None]
        places = self._places(what, name)
        met = [other for other in against if places & self._places(what, other)]
        return Level(
            factor=what,
            name=name,
            rows=tuple(one.row for one in self.rows if name == (one.domain if what is Factor.DOMAIN else one.kind)),
            against=tuple(against),
            refused=tuple(other for other in others if other not in against),
            met=tuple(met),
            within=tuple(sorted(set().union(*(places & self._places(what, other) for other in met)))),
        )

    def _places(self, what: Factor, name: str) -> set[str]:
        """The levels of the other factor in which a level has rows."""
        if what is Factor.DOMAIN:
            return {one.kind for one in self.rows if one.domain == name}
        return {one.domain for one in self.rows if one.kind == name}

    def contrast(self, level: Level) -> FloatArray | None:
        """The rows' weights that give a level's effect against those that it can be compared with; None without any."""
        return self.weights(self._difference(level.factor, level.name, level.against)) if level.against else None

    def of_size(self) -> FloatArray | None:
        """The rows' weights that give what ten times as many examples bring; None where that cannot be told."""
        if self.size_refused:
            return None
        return self.weights(np.eye(len(self.columns))[-1])

    def _difference(self, what: Factor, name: str, others: Sequence[str]) -> FloatArray:
        wanted = np.zeros(len(self.columns))
        wanted[self.columns.index((what, name))] = 1.0
        for other in others:
            wanted[self.columns.index((what, other))] -= 1.0 / len(others)
        return wanted

    def weights(self, wanted: FloatArray) -> FloatArray | None:
        """The least-squares weights of rows that give a combination of effects; None where rows cannot tell it."""
        inverse = np.linalg.pinv(self.matrix)
        weights: FloatArray = wanted @ inverse
        return weights if float(np.abs(weights @ self.matrix - wanted).max()) < _FAR else None

    def residual_error(self, scores: FloatArray, weights: FloatArray) -> float | None:
        """The standard error of a combination by how far rows are from the sum of effects; None without spare rows."""
        if not self.spare:
            return None
        residuals = scores - self.matrix @ (np.linalg.pinv(self.matrix) @ scores)
        return float(np.sqrt((residuals**2).sum() / self.spare * (weights**2).sum()))


def _effects(results: StudyResults, design: Design, targets: Sequence[str]) -> tuple[FactorEffect, ...]:
    told: list[tuple[Factor, str, FloatArray]] = []
    for level in design.levels:
        weights = design.contrast(level)
        if weights is not None and not any(np.allclose(weights, -before) for _, _, before in told):  # of two, one
            told.append((level.factor, level.name, weights))
    if (weights := design.of_size()) is not None:
        told.append((Factor.SIZE, "ten times the examples", weights))
    if not targets:
        return ()
    families = [_raw(results, design, told, None, targets)]
    if len(targets) > 1:
        families.append([one for name in targets for one in _raw(results, design, told, name, [name])])
    return tuple(one for family in families for one in _family(family, len(families)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Raw:
    """An effect before p values are adjusted: by items and seeds, and where rows are spare by how far these scatter."""

    factor: Factor
    level: str
    target: str | None
    ways: tuple[Interval, ...]

    @property
    def p_value(self) -> float:
        return max(self.ways[0].claim_p, *(one.p_value for one in self.ways))

    @property
    def value(self) -> Interval:
        """The wider of the intervals, with what the first is conditional on."""
        widest = max(self.ways, key=lambda one: one.high - one.low)
        return replace(widest, one_model=self.ways[0].one_model, conditions=self.ways[0].conditions)


def _raw(
    results: StudyResults,
    design: Design,
    told: Sequence[tuple[Factor, str, FloatArray]],
    target: str | None,
    over: Sequence[str],
) -> list[_Raw]:
    totals = {one.row: total_of({name: results.sides(name)[one.row] for name in over}) for one in design.rows}
    scores = np.array([totals[one.row].mean for one in design.rows])
    found: list[_Raw] = []
    for factor, level, weights in told:
        ways = [_interval(totals, weights)]
        if (error := design.residual_error(scores, weights)) is not None:
            ways.append(t_interval(ways[0].estimate, {"rows": error**2}, float(design.spare)))
        found.append(_Raw(factor=factor, level=level, target=target, ways=tuple(ways)))
    return found


def _interval(totals: Mapping[str, Total], weights: FloatArray) -> Interval:
    parts = {name: (float(weight), total) for (name, total), weight in zip(totals.items(), weights, strict=True)}
    return weighted_total({name: part for name, part in parts.items() if abs(part[0]) > _FAR})


def _family(found: Sequence[_Raw], families: int) -> Iterator[FactorEffect]:
    """Effects whose p values are adjusted together, as one of so many families."""
    adjusted, level = holm([one.p_value for one in found]), FALSE_CLAIM / (families * max(1, len(found)))
    for one, p in zip(found, adjusted, strict=True):
        yield FactorEffect(
            factor=one.factor,
            level=one.level,
            target=one.target,
            value=one.value,
            p_adjusted=min(1.0, families * p),
            smallest_visible=max(smallest_visible(way, level) for way in one.ways),
        )
