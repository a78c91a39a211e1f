"""Small questions and made-up truths for tests of selecting policies."""

from __future__ import annotations

import numpy as np

from stilts.search.selecting.policy import Budget, Observation, Policy, Question, Trial


def question(rows: int = 5, columns: int = 4, *, seeds: int = 3, stage: float = 0.0, **more: object) -> Question:
    """A question whose names sort in no particular order; a grid of one seed costs 1, stages come on top."""
    given: dict[str, object] = {
        "sources": tuple(f"s{(7 * i) % rows}" for i in range(rows)) if rows % 7 else tuple(map(str, range(rows))),
        "targets": tuple(f"t{(3 * i) % columns}" for i in range(columns))
        if columns % 3
        else tuple("tuvwxyz"[:columns]),
        "cell_price": np.full((rows, columns), 1 / (rows * columns)),
        "stage_price": np.full(rows, stage),
        "seeds": seeds,
        "exists": np.ones((rows, columns), np.bool_),
    }
    return Question(**{**given, **more})  # type: ignore[arg-type]


def scored(trial: Trial) -> float:
    """A truth that depends on names alone: source s<k> is better the higher k, each target likes some more."""
    s, t = sum(map(ord, trial.source)), sum(map(ord, trial.target))
    noise = np.random.default_rng([s, t, trial.seed]).normal()
    return float(50 + 3 * (s % 11) + 2 * np.sin(s * t) + 0.5 * noise)


def played(policy: Policy, asked: Question, budget: float) -> tuple[list[Observation], list[tuple[Trial, ...]]]:
    """Everything observed until the policy stops, and its batches."""
    seen: list[Observation] = []
    batches: list[tuple[Trial, ...]] = []
    rng = np.random.default_rng(0)
    for _ in range(500):
        suggestion = policy.suggest(asked, seen, Budget(left=budget - spent(asked, seen)), rng)
        assert suggestion.reason
        if suggestion.stops:
            return seen, batches
        batches.append(suggestion.trials)
        seen += [Observation(trial=trial, score=scored(trial)) for trial in suggestion.trials]
    raise AssertionError("the policy did not stop")


def spent(asked: Question, seen: list[Observation]) -> float:
    """The price of what was observed."""
    rows = {name: i for i, name in enumerate(asked.sources)}
    columns = {name: i for i, name in enumerate(asked.targets)}
    trials = [one.trial for one in seen]
    cells = sum(asked.cell_price[rows[t.source], columns[t.target]] for t in trials)
    stages = {(rows[t.source], t.seed) for t in trials}
    return float(cells + sum(asked.stage_price[s] for s, _ in stages))
