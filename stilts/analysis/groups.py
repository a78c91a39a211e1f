"""The answer per group of languages: by language, family, script, morphology or resource class.

A group's score is the mean over its languages. Under ``selection: target_dev`` a row is chosen per group, by its
selection scores in the group's languages. Under ``english_dev`` no language but English has a selection score
(DESIGN rule 6), so the target's one chosen row stays and only its gain is split; the row that is highest on ``report``
in a group is named as *oracle* and never advised. A searched row stands with the target's chosen proposal throughout.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import fmean

from stilts.analysis.best import Answer
from stilts.analysis.matrix import language_scores
from stilts.analysis.results import StudyResults
from stilts.fingerprint import Json, plain
from stilts.metrics.comparison import benjamini_hochberg
from stilts.metrics.levels import FALSE_DISCOVERY
from stilts.metrics.resampling import Side
from stilts.metrics.uncertainty import Interval, gain_interval
from stilts.study.record import NONE_ROW, Column
from stilts.tasks.language_groups import group_of

_Select = Mapping[tuple[str, str], float]  # (row, language) -> selection score


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupAnswer:
    """One group of languages of one target. Scores are 0..100 on ``report``, gains are over ``none``.

    ``chosen`` is the row advised for the group, with the ``reason``; ``oracle`` is the row highest on ``report``.
    ``gain`` is None where ``chosen`` is ``none`` or there is none; ``p_adjusted`` is Benjamini-Hochberg's over the
    target's groups.
    """

    target: str
    by: str
    group: str
    languages: tuple[str, ...]
    chosen: str | None
    reason: str
    score: float | None
    gain: Interval | None
    p_adjusted: float | None
    oracle: str
    oracle_score: float
    oracle_gain: Interval | None

    @property
    def clear(self) -> bool:
        """Whether the chosen row's gain differs from 0 at a false discovery rate of 5 % over the target's groups."""
        return self.p_adjusted is not None and self.p_adjusted <= FALSE_DISCOVERY

    def to_json(self) -> dict[str, Json]:
        """The answer as plain JSON."""
        return {name: plain(value, name) for name, value in asdict(self).items()}


def group_answers(results: StudyResults, by: str, answers: Sequence[Answer]) -> list[GroupAnswer]:
    """One answer per target of ``answers`` and group, targets in their order, groups by name.

    ``by`` is one of ``languages.GROUPINGS``; UnknownNameError else. A target of which nothing is done has none.
    """
    select = _select_scores(results)
    return [line for answer in answers if answer.row is not None for line in _of_target(results, by, answer, select)]


def _of_target(results: StudyResults, by: str, answer: Answer, select: Mapping[str, _Select]) -> Sequence[GroupAnswer]:
    column, sides = results.column(answer.target), results.sides(answer.target)
    groups: dict[str, list[str]] = {}
    for name in column.languages:
        groups.setdefault(group_of(name, by), []).append(name)
    names = list(groups) if by == "language" else sorted(groups)
    lines = [_of_group(results, by, answer, name, groups[name], select.get(column.name, {}), sides) for name in names]
    tested = [line for line in lines if line.gain is not None]
    adjusted = dict(
        zip(
            (line.group for line in tested),
            benjamini_hochberg([line.gain.claim_p for line in tested if line.gain]),
            strict=True,
        )
    )
    return [replace(line, p_adjusted=adjusted.get(line.group)) for line in lines]


def _of_group(
    results: StudyResults,
    by: str,
    answer: Answer,
    group: str,
    languages: Sequence[str],
    select: _Select,
    sides: Mapping[str, Side],
) -> GroupAnswer:
    within = {name: side.of(languages) for name, side in sides.items() if name in results.record.advisable}
    chosen, reason = _choose(results, results.column(answer.target), answer, languages, select, within)
    oracle = max(within, key=lambda name: within[name].mean)
    return GroupAnswer(
        target=answer.target,
        by=by,
        group=group,
        languages=tuple(languages),
        chosen=chosen,
        reason=reason,
        score=within[chosen].mean if chosen else None,
        gain=_gain(within, chosen),
        p_adjusted=None,
        oracle=oracle,
        oracle_score=within[oracle].mean,
        oracle_gain=_gain(within, oracle),
    )


def _choose(
    results: StudyResults,
    column: Column,
    answer: Answer,
    languages: Sequence[str],
    select: _Select,
    within: Mapping[str, Side],
) -> tuple[str | None, str]:
    """The row for a group and why: by its own selection scores where the study has them, else the target's."""
    if answer.chosen is None:
        return None, answer.reason
    if results.record.selection != "target_dev" or not set(languages) <= set(column.select_languages):
        return answer.chosen, "the whole target's choice: these languages have no selection score of their own"
    scores = {
        row: fmean(select[row, name] for name in languages)
        for row in within
        if all((row, name) in select for name in languages)
    }
    if not scores:
        return None, "no row has selection scores in all these languages"
    chosen = max(scores, key=lambda row: scores[row])
    return chosen, f"highest selection score of {len(scores)} rows ({scores[chosen]:.1f})"


def _gain(within: Mapping[str, Side], row: str | None) -> Interval | None:
    if row is None or row == NONE_ROW or NONE_ROW not in within:
        return None
    return gain_interval(within[row], within[NONE_ROW])


def _select_scores(results: StudyResults) -> dict[str, dict[tuple[str, str], float]]:
    """(row, language) -> selection score, by target; {} where no language can be chosen for by itself."""
    if results.record.selection != "target_dev":
        return {}
    table = language_scores(results.record, results.frame, "select")
    found: dict[str, dict[tuple[str, str], float]] = {}
    names = ("row", "column", "language", "score")
    for row, column, language, score in zip(*(table[name] for name in names), strict=True):
        found.setdefault(str(column), {})[str(row), str(language)] = float(score)
    return found
