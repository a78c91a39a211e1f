"""Objective and Aim: what a search climbs by, resolved against a study's targets and its selection rule.

An ``Aim`` is one Optuna study: one objective, or several at once. ``per_target`` makes one aim per target. What an
objective needs that the study's selection rule does not give is refused here, with the reason (DESIGN rule 6). The
arithmetic is in ``metrics/objectives.py``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol, TypeAlias

from stilts.errors import SelectionError, UnknownNameError
from stilts.metrics.averages import RETRIEVAL_GROUP
from stilts.metrics.objectives import (
    AVERAGE,
    FAMILY,
    GAIN,
    HURT,
    LANGUAGE,
    NO_RETRIEVAL,
    OBJECTIVES,
    WORST,
    TargetScores,
    languages_hurt,
    mean_gain,
    mean_over_languages,
    mean_score,
    worst_language,
)
from stilts.search.draw import Direction
from stilts.tasks.kinds import kind_named
from stilts.tasks.language_codes import known_language

PER_TARGET = "per_target"
_ON_REPORT = ("report", "oracle")
_NEEDS_TARGET_DEV = (WORST, HURT)
_Value: TypeAlias = Callable[[TargetScores, TargetScores], float]


class Choosing(Protocol):
    """What must be known of a column: ``stilts.study.record.Column`` is one."""

    @property
    def name(self) -> str:
        """The column's name."""

    @property
    def kind(self) -> str:
        """Its task's kind."""

    @property
    def group(self) -> str:
        """Its task's group in XTREME."""

    @property
    def select_languages(self) -> tuple[str, ...]:
        """The languages with selection scores; none where the column chooses nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """One number per recipe. It needs a selection score on all ``targets``, of ``none`` too if ``over_none``."""

    name: str
    targets: tuple[str, ...]
    value: _Value
    over_none: bool = False
    minimised: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What one Optuna study climbs by; its ``name`` ends the Optuna study's name."""

    objectives: tuple[Objective, ...]

    @property
    def name(self) -> str:
        """The objectives' names, joined by ``+``."""
        return "+".join(objective.name for objective in self.objectives)

    @property
    def directions(self) -> tuple[Direction, ...]:
        """Which way each objective is climbed."""
        return tuple("minimize" if objective.minimised else "maximize" for objective in self.objectives)

    @property
    def targets(self) -> tuple[str, ...]:
        """The targets that must be scored before a recipe has values."""
        return tuple(dict.fromkeys(target for objective in self.objectives for target in objective.targets))

    @property
    def over_none(self) -> bool:
        """Whether ``none`` must be scored too."""
        return any(objective.over_none for objective in self.objectives)

    def values(self, scores: TargetScores, none: TargetScores) -> tuple[float, ...] | None:
        """A recipe's value by each objective; None where a score is not a number.

        ``scores`` and ``none`` hold at least the targets of the aim.
        """
        found = []
        for objective in self.objectives:
            own = {target: scores[target] for target in objective.targets}
            base = {target: none[target] for target in objective.targets} if objective.over_none else {}
            if any(math.isnan(score) for by in (*own.values(), *base.values()) for score in by.values()):
                return None
            found.append(float(objective.value(own, base)))
        return tuple(found)

    @property
    def is_target(self) -> bool:
        """Whether it is the score on one target, as pruning compares recipes."""
        return len(self.objectives) == 1 and self.objectives[0].targets == (self.objectives[0].name,)

    def within(self, targets: Collection[str]) -> Aim:
        """The same aim over these targets only; objectives that need none of them are left out."""
        kept = [replace(each, targets=tuple(t for t in each.targets if t in targets)) for each in self.objectives]
        return Aim(objectives=tuple(each for each in kept if each.targets))

    def losses(self, values: Sequence[float]) -> tuple[float, ...]:
        """A recipe's values with the signs that make less better."""
        signs = [1.0 if objective.minimised else -1.0 for objective in self.objectives]
        return tuple(sign * value for sign, value in zip(signs, values, strict=True))

    def ranks(self, values: Sequence[tuple[float, ...]]) -> list[int]:
        """Each recipe's Pareto front, counted from 0: those that no other recipe of theirs or a later front beats."""
        points = [self.losses(point) for point in values]
        if len(self.objectives) == 1:
            places = {point: place for place, point in enumerate(sorted(set(points)))}
            return [places[point] for point in points]
        ranks, front = [-1] * len(points), 0
        while -1 in ranks:
            left = [index for index, rank in enumerate(ranks) if rank < 0]
            for index in [i for i in left if not any(_beats(points[j], points[i]) for j in left)]:
                ranks[index] = front
            front += 1
        return ranks


def describe(name: str) -> str:
    """What an objective counts, in words."""
    kind, separator, wanted = name.partition(":")
    if not separator:
        return OBJECTIVES.get(name, f"score on {name}")
    return f"mean score in the {'language' if kind + ':' == LANGUAGE else 'languages of the family'} {wanted}"


def languages_in(name: str, languages: Sequence[str]) -> list[str]:
    """Those of some languages that ``language:<code>`` or ``family:<name>`` means."""
    kind, _, wanted = name.partition(":")
    return [code for code in languages if (code if kind + ":" == LANGUAGE else _family(code)) == wanted]


def make_aims(
    wanted: str | Sequence[str], columns: Sequence[Choosing], selection: str, *, asking: str = "a search"
) -> tuple[Aim, ...]:
    """The Optuna studies of a row that is searched by these objectives; ``asking`` is who wants them, for errors.

    UnknownNameError for a name that is no objective; SelectionError for one that the study may not choose by, or where
    no target has a selection score.
    """
    names = (wanted,) if isinstance(wanted, str) else tuple(dict.fromkeys(wanted))
    targets = [column for column in columns if not kind_named(column.kind).self_supervised]
    choosing = [column for column in targets if column.select_languages]
    _check_choosing(choosing, selection, asking)
    if names == (PER_TARGET,):
        return tuple(Aim(objectives=(_on_target(column),)) for column in choosing)
    if PER_TARGET in names:
        raise SelectionError(
            f'objective "{PER_TARGET}" among others',
            "it stands for one Optuna study per target",
            "An Optuna study of several objectives has one value for each",
            f"Set objective: {PER_TARGET} alone, or name targets: [{', '.join(column.name for column in choosing)}]",
        )
    return (Aim(objectives=tuple(_objective(name, targets, choosing, selection, asking) for name in names)),)


def _objective(
    name: str, targets: Sequence[Choosing], choosing: Sequence[Choosing], selection: str, asking: str
) -> Objective:
    _check_not_on_report(name)
    if selection != "target_dev" and (name in _NEEDS_TARGET_DEV or name.startswith((LANGUAGE, FAMILY))):
        raise SelectionError(
            f'objective "{name}"',
            f"the study selects by {selection}: English alone has selection scores",
            "Choosing by other languages would be choosing on report, and the choice an oracle",
            "Set selection: target_dev in the study file, or another objective",
        )
    every = tuple(column.name for column in choosing)
    if name in (AVERAGE, GAIN, WORST, HURT):
        return _over_targets(name, every)
    if name == NO_RETRIEVAL:
        others = [column for column in choosing if column.group != RETRIEVAL_GROUP]
        _check_choosing(others, selection, asking)
        return Objective(name=name, targets=tuple(column.name for column in others), value=_mean)
    if name.startswith((LANGUAGE, FAMILY)):
        return _over_languages(name, choosing)
    for column in targets:
        if column.name == name:
            _check_choosing([column] if column in choosing else [], selection, asking)
            return _on_target(column)
    raise _unknown(name, choosing)


def _over_targets(name: str, targets: tuple[str, ...]) -> Objective:
    if name == GAIN:
        return Objective(name=name, targets=targets, value=mean_gain, over_none=True)
    if name == HURT:
        return Objective(name=name, targets=targets, value=languages_hurt, over_none=True, minimised=True)
    return Objective(name=name, targets=targets, value=_mean if name == AVERAGE else _worst)


def _over_languages(name: str, choosing: Sequence[Choosing]) -> Objective:
    kind, _, wanted = name.partition(":")
    spoken = list(dict.fromkeys(code for column in choosing for code in column.select_languages))
    codes = languages_in(name, spoken)
    if not codes:
        known = spoken if kind + ":" == LANGUAGE else sorted(set(map(_family, spoken)))
        raise UnknownNameError(kind, wanted, known, where="with selection scores")
    targets = tuple(column.name for column in choosing if set(codes) & set(column.select_languages))
    return Objective(name=name, targets=targets, value=partial(_in_languages, tuple(codes)))


def _on_target(column: Choosing) -> Objective:
    return Objective(name=column.name, targets=(column.name,), value=_mean)


def _mean(scores: TargetScores, none: TargetScores) -> float:
    return mean_score(scores)


def _worst(scores: TargetScores, none: TargetScores) -> float:
    return worst_language(scores)


def _in_languages(codes: tuple[str, ...], scores: TargetScores, none: TargetScores) -> float:
    return mean_over_languages(scores, codes)


def _family(code: str) -> str:
    known = known_language(code)
    return known.family if known else "not known"


def _beats(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one != other and all(mine <= its for mine, its in zip(one, other, strict=True))


def _unknown(name: str, choosing: Sequence[Choosing]) -> UnknownNameError:
    known = [PER_TARGET, AVERAGE, NO_RETRIEVAL, WORST, GAIN, HURT, *(column.name for column in choosing)]
    return UnknownNameError("objective", name, known, where=f"also {LANGUAGE}<code> and {FAMILY}<name>")


def _check_not_on_report(name: str) -> None:
    if name in _ON_REPORT:
        raise SelectionError(
            f'objective "{name}"',
            "a search would choose by the scores that the study reports",
            "What is chosen on report is an oracle: its figures are too good, and it is never advised",
            "Name another objective; selection: target_dev chooses by the targets' dev sets",
        )


def _check_choosing(choosing: Sequence[Choosing], selection: str, asking: str) -> None:
    if not choosing:
        raise SelectionError(
            asking,
            "no target of its objective has a selection score",
            f"It chooses by selection scores, never on report; under {selection} these targets have none",
            'Add a target with selection data, or set "selection: target_dev"',
        )
