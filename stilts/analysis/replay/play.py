"""One policy in one recorded world: it asks, the record answers, the price is paid, and its choices are judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stilts.analysis.replay.world import FloatArray, Split, World
from stilts.search.selecting.policy import Budget, Choice, Observation, Policy, Question, Suggestion


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyOutcome:
    """What a policy had come to at a budget.

    ``cost_frac``: what it spent, 1 being a full grid of one seed. ``regret_pct``: 100 x (best - chosen) / best, mean
    over targets. ``points``: best - chosen, mean over targets. ``choices``: the source of each target.
    """

    budget: float
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
        exists=np.isfinite(split.judge) & np.isfinite(split.scores[:, :, :, -1]).any(axis=2),
        priors=tuple(priors),
        features=world.features,
        runs=np.isfinite(split.scores),
    )


def play(
    policy: Policy, question: Question, split: Split, budgets: Sequence[float], rng: np.random.Generator
) -> list[PolicyOutcome]:
    """The policy's outcome at each budget, in rising order; it goes on from one budget to the next."""
    desk = _Desk(question, split)
    outcomes = []
    for budget in sorted(budgets):
        while True:
            left = budget - desk.spent
            suggestion = policy.suggest(question, desk.observations, Budget(left=left), rng)
            if suggestion.stops:
                break
            desk.run(suggestion)
        outcomes.append(judged(policy.choose(question, desk.observations), split, question, budget, desk.spent))
    return outcomes


def judged(choices: tuple[Choice, ...], split: Split, question: Question, budget: float, spent: float) -> PolicyOutcome:
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
    return PolicyOutcome(
        budget=budget,
        cost_frac=spent,
        regret_pct=float(np.mean(lost)),
        points=float(np.mean(points)),
        choices=choices,
    )


class _Desk:
    """The record's side: answers trials and keeps the account."""

    def __init__(self, question: Question, split: Split) -> None:
        self.question = question
        self.scores = split.scores
        self.rows = {name: index for index, name in enumerate(question.sources)}
        self.columns = {name: index for index, name in enumerate(question.targets)}
        self.paid: set[tuple[int, int, int]] = set()
        self.spent = 0.0
        self.observations: list[Observation] = []

    def run(self, suggestion: Suggestion) -> None:
        for trial in suggestion.trials:
            s, t = self.rows[trial.source], self.columns[trial.target]
            self.spent += float(self.question.cell_price[s, t, trial.fidelity])
            if (s, trial.seed, trial.fidelity) not in self.paid:
                self.paid.add((s, trial.seed, trial.fidelity))
                self.spent += float(self.question.stage_price[s, trial.fidelity])
            score = float(self.scores[s, t, trial.seed, trial.fidelity])
            self.observations.append(Observation(trial=trial, score=score))
