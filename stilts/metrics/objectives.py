"""Objectives: one number for a row's, or a recipe's, scores over targets and languages. One definition for all users.

``stilts best`` chooses rows by them, searches climb by them. Scores are 0 to 100 and come as target -> language ->
score. Whether a study may choose by an objective at all is not decided here (DESIGN rule 6).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from statistics import fmean
from types import MappingProxyType
from typing import TypeAlias

from stilts.errors import InputError
from stilts.metrics.averages import task_score

TargetScores: TypeAlias = Mapping[str, Mapping[str, float]]

AVERAGE, NO_RETRIEVAL, WORST, GAIN = "xtreme_average", "without_retrieval", "worst_language", "gain"
HURT = "languages_hurt"
LANGUAGE, FAMILY = "language:", "family:"
OBJECTIVES: Mapping[str, str] = MappingProxyType(
    {
        AVERAGE: "mean score over the study's targets, as XTREME averages tasks",
        NO_RETRIEVAL: "mean score over the targets that are not retrieval",
        WORST: "mean over targets of the score in the row's worst language",
        GAIN: "mean gain over none over the study's targets",
        HURT: "how many languages score below none",
    }
)


def mean_score(scores: TargetScores) -> float:
    """The mean over targets of each target's mean over its languages, 0 to 100 (Hu et al. 2020, evaluate.py)."""
    return fmean(task_score(by_language) for by_language in scores.values())


def worst_language(scores: TargetScores) -> float:
    """The mean over targets of each target's lowest language, 0 to 100."""
    return fmean(min(by_language.values()) for by_language in scores.values())


def mean_gain(scores: TargetScores, baseline: TargetScores) -> float:
    """The mean over targets of the score less the baseline's on the same target, in points.

    InputError names the targets that the baseline lacks.
    """
    _check_baseline(scores, baseline)
    return mean_score(scores) - mean_score({target: baseline[target] for target in scores})


def mean_over_languages(scores: TargetScores, languages: Collection[str]) -> float:
    """The mean score in these languages: over each target's own of them, then over the targets that have any.

    InputError where no target has any of them.
    """
    kept = {target: {c: by[c] for c in by if c in languages} for target, by in scores.items()}
    kept = {target: by for target, by in kept.items() if by}
    if not kept:
        raise InputError(
            "a mean over languages",
            f"no target has a score in {', '.join(sorted(languages)) or 'no language'}",
            "There is nothing to average",
            "Name a language that a target is scored in",
        )
    return mean_score(kept)


def languages_hurt(scores: TargetScores, baseline: TargetScores) -> int:
    """How many languages score below the baseline; a language's score is its mean over the targets that have it.

    InputError names the targets that the baseline lacks.
    """
    _check_baseline(scores, baseline)
    spoken = dict.fromkeys(code for by_language in scores.values() for code in by_language)
    own = {target: baseline[target] for target in scores}
    return sum(mean_over_languages(scores, [code]) < mean_over_languages(own, [code]) for code in spoken)


def _check_baseline(scores: TargetScores, baseline: TargetScores) -> None:
    absent = [target for target in scores if target not in baseline]
    if absent:
        raise InputError(
            "an objective over the baseline",
            f"the baseline has no score on {', '.join(absent)}",
            "A gain compares the same target with and without the intermediate",
            'Fill what is missing with "stilts run"',
        )
