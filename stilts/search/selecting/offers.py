"""Offers: what each next trial, or row of trials, is worth per price; kept up to date while a batch is filled."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

import numpy as np

from stilts.search.selecting.basket import Basket, Place
from stilts.search.selecting.knowledge import after, gain, gaps, improvement, together
from stilts.search.selecting.policy import FloatArray, Trial
from stilts.search.selecting.row_model import Posterior
from stilts.search.selecting.tally import IntArray, Tally

# A tie is broken by the rng, on this scale; the worth of trials is never so even once something was observed.
_JITTER = 1e-6
_FREE = 1e-12
# So many spreads below its leader lies what a target without a full score can fall back on.
_UNCHECKED = 3.0
# Numbers of scores of one cell that are weighed together (see ``knowledge.py``).
_SEVERAL = np.array([2, 4])


class Offers:
    """The worth of trials under a posterior; ``weight`` (T,) is what a unit of each target is worth."""

    def __init__(self, tally: Tally, model: Posterior, weight: FloatArray, rng: np.random.Generator) -> None:
        self.tally, self.model, self.weight = tally, model, weight
        self.joint = model.joint.copy()
        self.gap = gaps(model.mean, tally.exists)
        self.jitter = 1.0 + _JITTER * rng.random(tally.cell_price.shape)
        self.highest = highest(tally)
        self.full = tally.counts[:, :, -1] > 0
        self.worth = np.empty(tally.cell_price.shape)
        self.rows: dict[tuple[int, int], list[tuple[float, float, list[Place]]]] = {}
        self.left = tally.free.sum(axis=2)
        for s in range(len(tally.sources)):
            self._renew(s)
        self._raise()

    def foresee(self, pending: Iterable[Trial]) -> None:
        """Counts trials that still run as if their scores were in."""
        rows = {name: index for index, name in enumerate(self.tally.sources)}
        columns = {name: index for index, name in enumerate(self.tally.targets)}
        for trial in pending:
            place = rows[trial.source], columns[trial.target], trial.seed, trial.fidelity
            self.left[place[0], place[1], place[3]] += 1  # It is not free, and is about to be counted again.
            self._learn([place])

    def take_best(self, basket: Basket) -> bool:
        """Adds the affordable offer with the highest worth per price to the basket; whether there was one."""
        ratio, places = self._best_cell(basket)
        if self.tally.question.staged:
            ratio, places = max((ratio, places), self._best_row(basket), key=lambda offer: offer[0])
        if ratio <= 0 or not basket.add(places):
            return False
        self._learn(places)
        return True

    def _best_cell(self, basket: Basket) -> tuple[float, list[Place]]:
        """The best single trial of a stage that is paid for, or that costs nothing."""
        ready = basket.free & (basket.paid | (self.tally.stage_price == 0)[:, None, :])[:, None]
        affordable = ready.any(axis=2) & (self.tally.cell_price <= basket.left)
        ratio = np.where(affordable, self.worth / np.maximum(self.tally.cell_price, _FREE), 0.0) * self.jitter
        s, t, f = (int(i) for i in np.unravel_index(int(np.argmax(ratio)), ratio.shape))
        return float(ratio[s, t, f]), [(s, t, int(np.argmax(ready[s, t, :, f])), f)]

    def _best_row(self, basket: Basket) -> tuple[float, list[Place]]:
        """The best new stage with some of its targets."""
        best: tuple[float, list[Place]] = (0.0, [])
        for s, f in product(range(len(self.tally.sources)), range(self.tally.question.fidelities)):
            if (s, f) not in self.rows:
                self.rows[s, f] = self._row(basket, s, f)
            for ratio, cost, places in self.rows[s, f]:
                if ratio > best[0] and cost <= basket.left:
                    best = ratio, places
        return best

    def _row(self, basket: Basket, s: int, f: int) -> list[tuple[float, float, list[Place]]]:
        """Worth per price, price, trials of a source's next unpaid seed with its best 1, 3, 9, ... or all targets."""
        seeds = (~basket.paid[s, :, f]).nonzero()[0]
        if not len(seeds) or self.tally.stage_price[s, f] == 0:
            return []
        seed, price = int(seeds[0]), self.tally.cell_price[s, :, f]
        worth = np.where(basket.free[s, :, seed, f], self.worth[s, :, f], 0.0)
        order = np.argsort(-worth / np.maximum(price, _FREE), kind="stable")[: int((worth > 0).sum())]
        counts = {len(order), *(3**power for power in range(9) if 3**power < len(order) and price.any())} - {0}
        full = f == self.tally.question.fidelities - 1
        several = [1, *(n for n in _SEVERAL if full and n <= len(seeds))]
        more, freedom = self._unseen(basket, s)
        offers = []
        for count in sorted(counts):
            chosen = order[:count]
            cost = float(self.tally.stage_price[s, f] + price[chosen].sum())
            at = f * len(price) + chosen
            values = [
                together(more * self.joint[s], self.gap[s], at, self.model.noise[chosen] / n, self.weight, freedom) / n
                for n in several
            ]
            ratio = max(values) / cost * float(self.jitter[s, 0, f])
            offers.append((ratio, cost, [(s, int(t), seed, f) for t in chosen]))
        return offers

    def _unseen(self, basket: Basket, s: int) -> tuple[float, float]:
        """Factor of variance and degrees of freedom for a row.

        A source without a score is drawn from a population of which mean and variance are known by the others alone
        (the predictive distribution of a normal sample). What is believed of one with a score rests on that score; and
        a foreign matrix shows all of the population.
        """
        if basket.paid[s].any() or self.tally.priors:
            return 1.0, np.inf
        others = float(self.tally.taken.any(axis=(1, 2, 3)).sum()) + 1.0
        return 1.0 + 1.0 / others, others + 1.0

    def _learn(self, places: list[Place]) -> None:
        for s, t, _, f in places:
            place = f * len(self.tally.targets) + t
            self.joint[s] = after(self.joint[s], place, float(self.model.noise[t]))
            self.left[s, t, f] -= 1
            self.highest[s, t] = max(self.highest[s, t], f)
            self.full[s, t] |= f == self.tally.question.fidelities - 1
        for s in {place[0] for place in places}:
            self._renew(s)
        self._raise()

    def _raise(self) -> None:
        """Where there are fidelities: cells are raised to the full one by expected improvement, never to one between.

        What is believed of a cheap score rests on few and hand-picked pairs. The knowledge gradient takes it at its
        word and leaves a target settled that is not; improvement is counted from the best full score, so that a
        target's leader is checked first. A score that is not in counts as its mean.
        """
        last = self.tally.question.fidelities - 1
        if last == 0:
            return
        none = self.model.mean.max(axis=0) - _UNCHECKED
        best = np.maximum(np.where(self.full, self.model.mean, -np.inf).max(axis=0), none)
        size = len(self.tally.targets)
        variance = np.einsum("stt->st", self.joint[:, -size:, -size:])
        better = improvement(self.model.mean, variance, best, self.model.freedom) * self.weight
        open_ = (self.left[:, :, last] > 0) & self.tally.exists & ~self.full
        self.worth[:, :, last] = np.where(open_, better, self.worth[:, :, last])
        self.worth[:, :, 1:last] = 0.0

    def _renew(self, s: int) -> None:
        """The worth of every next trial of a row, per trial; 0 where there is none."""
        last = self.tally.question.fidelities - 1
        for f in range(last + 1):
            self.rows.pop((s, f), None)
        size, noise = len(self.tally.targets), self.model.noise
        worth = gain(self.joint[s], self.gap[s], np.tile(noise, (1, last + 1)), self.weight).reshape(last + 1, size)
        full = self.joint[s, -size:, -size:]
        several = gain(full, self.gap[s], noise / _SEVERAL[:, None], self.weight) / _SEVERAL[:, None]
        several = np.where(self.left[s, :, last] >= _SEVERAL[:, None], several, 0.0)
        worth[last] = np.maximum(worth[last], several.max(axis=0))
        open_ = (self.left[s] > 0) & self.tally.exists[s, :, None]
        open_[:, :last] &= self.highest[s, :, None] < np.arange(last)
        self.worth[s] = np.where(open_, worth.T, 0.0)


def highest(tally: Tally) -> IntArray:
    """The highest fidelity observed or running per cell, -1 where none is."""
    number = np.arange(tally.question.fidelities)
    out: IntArray = np.where(tally.taken.any(axis=2), number, -1).max(axis=2)
    return out
