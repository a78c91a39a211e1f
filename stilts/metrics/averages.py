"""A task's score over languages and a benchmark's over tasks, as XTREME forms them (Hu et al. 2020, evaluate.py)."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from statistics import fmean

from stilts.errors import InputError

RETRIEVAL_GROUP = "retrieval"


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkScore:
    """Plain means over tasks, 0..100: of all, and of those that are not retrieval (None where all are).

    Retrieval carries most of the published gains (Phang et al. 2020), so both are always shown.
    """

    overall: float
    without_retrieval: float | None
    groups: Mapping[str, float]


def task_score(per_language: Mapping[str, float | None]) -> float:
    """The plain mean over languages, English included; InputError names the languages without a score."""
    return _mean("the score of a task", "languages", per_language)


def benchmark_score(per_task: Mapping[str, float | None], groups: Mapping[str, str]) -> BenchmarkScore:
    """The plain means over tasks; ``groups`` maps a task to its XTREME group.

    InputError names the tasks without a score: a mean over what happens to be there compares with nothing.
    """
    overall = _mean("the benchmark's average", "tasks", per_task)
    kinds = {task: groups.get(task, "") for task in per_task}
    named = dict.fromkeys(kind for kind in kinds.values() if kind)
    others = [task for task, kind in kinds.items() if kind != RETRIEVAL_GROUP]
    return BenchmarkScore(
        overall=overall,
        without_retrieval=_over(per_task, others) if others else None,
        groups={group: _over(per_task, [task for task in kinds if kinds[task] == group]) for group in named},
    )


def group_scores(per_task: Mapping[str, float], groups: Mapping[str, Collection[str]]) -> dict[str, float]:
    """The plain mean over the tasks of each group, for the groups whose tasks all have a score.

    A task may be in several groups, as XTREME-R has it; its scorer, too, leaves out a group that is not complete.
    """
    return {group: _over(per_task, tasks) for group, tasks in groups.items() if set(tasks) <= set(per_task)}


def _over(scores: Mapping[str, float | None], names: Collection[str]) -> float:
    return _mean("the benchmark's average", "tasks", {name: scores[name] for name in names})


def _mean(asked: str, over: str, scores: Mapping[str, float | None]) -> float:
    there = [score for score in scores.values() if score is not None and not math.isnan(score)]
    if len(there) < len(scores) or not scores:
        absent = [name for name, score in scores.items() if score is None or math.isnan(score)]
        raise InputError(
            asked,
            f"no score for {', '.join(absent)}" if absent else f"no {over} at all",
            f"It is the plain mean over all {over}; a mean over some of them compares with nothing",
            'Fill what is missing with "stilts run", or ask for fewer',
        )
    return fmean(there)
