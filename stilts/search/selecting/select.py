"""Select, the default policy: spend where the expected regret falls most per price.

Each call fits the model of the matrix to all that was observed (``row_model.py``), then fills a batch greedily by
knowledge gradient per price (``knowledge.py``). Within a batch, and for trials that still run, variances fall as if the
score were in and means stay: so the batch spreads over what is not yet known. It stops when little regret is expected
and every cell that it would advise was run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from stilts.metrics.levels import LEVEL
from stilts.search.selecting.basket import Basket
from stilts.search.selecting.beliefs import Beliefs
from stilts.search.selecting.best_source import standing
from stilts.search.selecting.observed import in_order
from stilts.search.selecting.offers import Offers
from stilts.search.selecting.policy import Budget, Choice, FloatArray, Observation, Question, Suggestion
from stilts.search.selecting.row_model import Posterior, posterior
from stilts.search.selecting.scaling import Scaled, scaled
from stilts.search.selecting.tally import BoolArray, Tally, tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Select:
    """Knowledge gradient on a Bayesian model of the matrix.

    ``settled_pct``: it stops when the mean expected regret falls below this per cent. ``batch``: a suggestion's price
    as a share of the whole budget; ``first_batch``: of a grid of one seed, before anything was observed, without a
    prior. ``beliefs``: the model's priors.
    """

    settled_pct: float = 0.02
    batch: float = 0.04
    first_batch: float = 0.15
    beliefs: Beliefs = field(default_factory=Beliefs)

    def suggest(
        self, question: Question, observations: Sequence[Observation], budget: Budget, rng: np.random.Generator
    ) -> Suggestion:
        """The batch with the largest expected fall of regret per price, at the present state of knowledge."""
        view = self._view(tally(question, observations, budget.pending))
        found = view.tally
        basket = Basket(found, budget.left)
        if not basket.free.any():
            return Suggestion(trials=(), reason="Every trial has been run.")
        regret = view.regret_pct
        if found.taken.any() and regret < self.settled_pct:
            if confirming := _confirming(view, basket):
                return confirming
            return Suggestion(trials=(), reason=f"Settled: {regret:.3f} % regret is expected, {_doubt(view)}.")
        offers = Offers(found, view.model, view.weight, rng)
        offers.foresee(budget.pending)
        limit = self._limit(found, budget.left)
        before = basket.left
        while before - basket.left < limit and offers.take_best(basket):
            pass
        trials = basket.trials()
        if not trials:
            return Suggestion(trials=(), reason=f"The budget is spent; {regret:.2f} % regret is expected.")
        return Suggestion(trials=trials, reason=_why(view, basket))

    def choose(self, question: Question, observations: Sequence[Observation]) -> tuple[Choice, ...]:
        """The highest posterior mean per target, with its probability of being the best."""
        view = self._view(tally(question, observations))
        found = view.tally
        points = view.data.points(view.model.mean)
        chosen = {}
        for t, target in enumerate(found.targets):
            if view.open[:, t].any():
                s = int(np.argmax(np.where(view.open[:, t], view.model.mean[:, t], -np.inf)))
                chosen[target] = Choice(
                    target=target,
                    source=found.sources[s],
                    probability=float(view.probability[s, t]),
                    expected=float(points[s, t]),
                    regret=float(view.regret[t] * view.data.spread[t]),
                )
        return in_order(found, chosen)

    def _view(self, found: Tally) -> _View:
        data = scaled(found)
        return _View.of(found, data, posterior(data, self.beliefs))

    def _limit(self, found: Tally, left: float) -> float:
        grid = float((found.cell_price * found.exists).sum() + found.stage_price.sum())
        spent = found.spent()
        if not found.taken.any() and not found.priors:
            return min(self.first_batch * grid, 0.5 * left)
        return self.batch * min(spent + left, grid)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _View:
    """What is known at one moment. ``weight``: per cent of regret, mean over targets, of one unit of each target."""

    tally: Tally
    data: Scaled
    model: Posterior
    open: BoolArray
    probability: FloatArray
    regret: FloatArray
    weight: FloatArray

    @classmethod
    def of(cls, found: Tally, data: Scaled, model: Posterior) -> _View:
        alive = found.exists & ~_hopeless(found)
        stand = standing(model.mean, model.variance, alive)
        top = data.points(np.where(alive, model.mean, -1.0).max(axis=0))
        scale = np.maximum(np.abs(top), data.spread)
        weight = 100 * data.spread / scale / max(int(alive.any(axis=0).sum()), 1)
        return cls(
            tally=found,
            data=data,
            model=model,
            open=alive,
            probability=stand.probability,
            regret=stand.regret,
            weight=np.where(alive.any(axis=0), weight, 0.0),
        )

    @property
    def regret_pct(self) -> float:
        """Expected regret in per cent, mean over targets."""
        return float(self.regret @ self.weight)


def _confirming(view: _View, basket: Basket) -> Suggestion | None:
    """One run of every advised cell that was never run: a foreign matrix may guide a choice, and not make it."""
    found = view.tally
    for t in range(len(found.targets)):
        s = int(np.argmax(np.where(view.open[:, t], view.model.mean[:, t], -np.inf)))
        seed = basket.next_seed(s, t)
        if view.open[s, t] and not found.taken[s, t].any() and seed is not None:
            basket.add([(s, t, seed)])
    trials = basket.trials()
    return Suggestion(trials=trials, reason=f"{len(trials)} cells would win, and were never run.") if trials else None


def _hopeless(found: Tally) -> BoolArray:
    """Cells of which every trial failed: they are never advised."""
    return np.asarray(~found.free.any(axis=2) & ~np.isfinite(found.scores).any(axis=2), np.bool_)


def _doubt(view: _View) -> str:
    best = view.probability.max(axis=0)[view.open.any(axis=0)]
    sure = int((best >= LEVEL).sum())
    return f"{sure} of {len(best)} targets have a winner with a probability of at least {100 * LEVEL:g} %"


def _why(view: _View, basket: Basket) -> str:
    cells = {(s, t) for s, t, _ in basket.places}
    s, t, _ = basket.places[0]
    new = sum(not view.tally.taken[cell].any() for cell in cells)
    what = f"{_some(len(basket.places), 'trial')} in {_some(len(cells), 'cell')}, {new} of them new"
    first = f"First {view.tally.sources[s]} for {view.tally.targets[t]}"
    if not np.isfinite(view.tally.scores).any():
        return f"{what}, to begin with: nothing was observed yet. {first}."
    now = f"It is {view.regret_pct:.2f} % now; {_doubt(view)}"
    sure = f"which is the best with probability {view.probability[s, t]:.0%}"
    return f"{what}: these lower the expected regret most per price. {now}. {first}, {sure}."


def _some(count: int, name: str) -> str:
    return f"{count} {name}" if count == 1 else f"{count} {name}s"
