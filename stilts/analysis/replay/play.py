"""One policy in one recorded world: it asks, the record answers, the price is paid, and its choices are judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stilts.analysis.replay.clock import Clock
from stilts.analysis.replay.world import FloatArray, Split, World
from stilts.search.selecting.policy import Budget, Choice, Policy, Question


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyOutcome:
    """What a policy had come to when its budget was spent.

    ``cost_frac``: what it spent, 1 being a full grid of one seed. ``regret_pct``: 100 x (best - chosen) / best, mean
    over targets. ``points``: best - chosen, mean over targets. ``choices``: the source of each target.
    """

    cost_frac: float
    regret_pct: float
    points: float
    choices: tuple[Choice, ...]


def question_of(world: World, split: Split, price: str, priors: Sequence[FloatArray] = ()) -> Question:
    """The question that a world asks, at a price rule."""
    cells, stages = world.prices(price)
    return Question(
        sources=world.sources,
        targets=world.targets,
        cell_price=cells,
        stage_price=stages,
        seeds=split.scores.shape[2],
        exists=np.isfinite(split.judge) & np.isfinite(split.scores).any(axis=2),
        priors=tuple(priors),
        features=world.features,
        runs=np.isfinite(split.scores),
    )


def play(
    policy: Policy, question: Question, split: Split, budget: float, rng: np.random.Generator, workers: int = 1
) -> PolicyOutcome:
    """The policy's outcome at a budget, asked as a live study asks it: when a worker would find nothing to do.

    It knows the scores of trials that have ended, and which others were asked for. One worker: it knows all of a batch
    before it is asked for the next.
    """
    clock = Clock(question, split, workers)
    while True:
        if clock.hungry:
            left = Budget(left=budget - clock.spent, pending=tuple(clock.pending))
            suggestion = policy.suggest(question, clock.observations, left, rng)
            if not suggestion.stops:
                clock.ask(suggestion.trials)
                continue
        if not clock.wait():
            return judged(policy.choose(question, clock.observations), split, question, clock.spent)


def judged(choices: tuple[Choice, ...], split: Split, question: Question, spent: float) -> PolicyOutcome:
    """Choices against the truth; targets without a choice lose all."""
    source = {choice.target: choice.source for choice in choices}
    rows = {name: index for index, name in enumerate(question.sources)}
    lost, points = [], []
    for t, target in enumerate(question.targets):
        column = np.where(question.exists[:, t], split.judge[:, t], np.nan)
        if np.isfinite(column).any():
            best = float(np.nanmax(column))
            chosen = float(column[rows[source[target]]]) if target in source else 0.0
            points.append(best - chosen)
            lost.append(100 * (best - chosen) / best if best > 0 else 0.0)
    regret, behind = float(np.mean(lost)), float(np.mean(points))
    return PolicyOutcome(cost_frac=spent, regret_pct=regret, points=behind, choices=choices)
