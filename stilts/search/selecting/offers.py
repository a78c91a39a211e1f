"""Offers: what each next trial, or row of trials, is worth per price; kept up to date while a batch is filled."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from stilts.search.selecting.basket import Basket, Place
from stilts.search.selecting.knowledge import after, gain, gaps, improvement, together
from stilts.search.selecting.policy import FloatArray, Trial
from stilts.search.selecting.row_model import Posterior
from stilts.search.selecting.tally import Tally

# A tie is broken by the rng, on this scale; the worth of trials is never so even once something was observed.
_JITTER = 1e-6
# Sources of which nothing is known are drawn among those that cost about the same: that one costs 1 % less than another
# says nothing of it, and to take it every time would stake all on the price list.
_DRAW = 0.1
_FREE = 1e-12
# So many spreads below its leader lies what a target without a score can fall back on.
_UNCHECKED = 3.0
# Degrees of freedom that a target's variance rests on before it has scores.
_FREEDOM = 4.0
# Numbers of scores of one cell that are weighed together (see ``knowledge.py``).
_SEVERAL = np.array([2, 4])


class Offers:
    """The worth of trials under a posterior; ``weight`` (T,) is what a unit of each target is worth."""

    def __init__(self, tally: Tally, model: Posterior, weight: FloatArray, rng: np.random.Generator) -> None:
        self.tally, self.model, self.weight = tally, model, weight
        self.joint = model.joint.copy()
        self.known = tally.counts > 0
        self.gap = gaps(model.mean, tally.exists)
        self.lead = self._lead()
        self.jitter = 1.0 + _JITTER * rng.random(tally.cell_price.shape)
        told = bool(tally.priors) or tally.features is not None
        self.draw = 1.0 + (0.0 if told else _DRAW) * rng.random(len(tally.sources))
        self.worth = np.empty(tally.cell_price.shape)
        self.rows: dict[int, list[tuple[float, float, list[Place]]]] = {}
        self.stale: set[int] = set()
        self.left = tally.free.sum(axis=2)
        self.seen = np.asarray(np.isfinite(tally.scores).any(axis=(1, 2)), np.bool_)
        self.regression = model.regression
        self.doubt = self._doubt()
        for s in range(len(tally.sources)):
            self._renew(s)
        self._check_leaders()

    def foresee(self, pending: Iterable[Trial]) -> None:
        """Counts trials that still run as if their scores were in."""
        rows = {name: index for index, name in enumerate(self.tally.sources)}
        columns = {name: index for index, name in enumerate(self.tally.targets)}
        for trial in pending:
            place = rows[trial.source], columns[trial.target], trial.seed
            self.left[place[:2]] += 1  # It is not free, and is about to be counted again.
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
        ready = basket.free & (basket.paid | (self.tally.stage_price == 0)[:, None])[:, None]
        affordable = ready.any(axis=2) & (self.tally.cell_price <= basket.left)
        ratio = np.where(affordable, self.worth / np.maximum(self.tally.cell_price, _FREE), 0.0) * self.jitter
        s, t = (int(i) for i in np.unravel_index(int(np.argmax(ratio)), ratio.shape))
        return float(ratio[s, t]), [(s, t, int(np.argmax(ready[s, t])))]

    def _best_row(self, basket: Basket) -> tuple[float, list[Place]]:
        """The best new stage with some of its targets."""
        for s in range(len(self.tally.sources)):
            if s not in self.rows:
                self.rows[s] = self._row(basket, s)
        while True:
            ratio, s, places = max(
                (
                    (ratio, s, places)
                    for s, row in self.rows.items()
                    for ratio, cost, places in row
                    if cost <= basket.left
                ),
                key=lambda offer: offer[0],
                default=(0.0, -1, []),
            )
            # What was learned of other rows only lowers a row's worth: one that is still the best is the best.
            if s not in self.stale:
                return ratio, places
            self.rows[s] = self._row(basket, s)

    def _row(self, basket: Basket, s: int) -> list[tuple[float, float, list[Place]]]:
        """Worth per price, price, trials of a source's next unpaid seed with its best 1, 3, 9, ... or all targets."""
        self.stale.discard(s)
        seeds = (~basket.paid[s]).nonzero()[0]
        if not len(seeds) or self.tally.stage_price[s] == 0:
            return []
        seed, price = int(seeds[0]), self.tally.cell_price[s]
        worth = np.where(basket.free[s, :, seed], self.worth[s], 0.0)
        order = np.argsort(-worth / np.maximum(price, _FREE), kind="stable")[: int((worth > 0).sum())]
        counts = {len(order), *(3**power for power in range(9) if 3**power < len(order) and price.any())} - {0}
        several = [1, *(n for n in _SEVERAL if n <= len(seeds))]
        joint, gap, freedom = self._row_view(s)
        offers = []
        for count in sorted(counts):
            at = order[:count]
            cost = float(self.tally.stage_price[s] + price[at].sum())
            # What a row that was never seen has to beat was run; it beats that where it is run itself.
            weight = self.weight if self.seen[s] else np.where(np.isin(np.arange(len(gap)), at), self.weight, 0.0)
            values = [together(joint, gap, at, self.model.noise[at] / n, weight, freedom) / n for n in several]
            ratio = max(values) / cost * float(self.jitter[s, 0] if self.seen[s] else self.draw[s] * self.jitter[s, 0])
            offers.append((ratio, cost, [(s, int(t), seed) for t in at]))
        return offers

    def _row_view(self, s: int) -> tuple[FloatArray, FloatArray, float]:
        """A row's covariance, how far it is from what it has to beat, and the degrees of freedom of that covariance.

        A source without a score is drawn from a population that is known by the others alone (the predictive
        distribution of a normal sample; a prior shows all of it): the less it is like those seen, the less is known of
        it. What is believed of one with a score rests on that score.
        """
        if self.seen[s]:
            return self.joint[s], self.gap[s], np.inf
        root = np.sqrt(self.doubt[s])
        freedom = np.inf if self.tally.priors else float(self.seen.sum()) + 2.0
        return root[:, None] * self.joint[s] * root, self.lead - self.model.mean[s], freedom

    def _learn(self, places: list[Place]) -> None:
        for s, t, _ in places:
            self.joint[s] = after(self.joint[s], t, float(self.model.noise[t]))
            self.left[s, t] -= 1
            self.known[s, t] = True
        for s in {place[0] for place in places}:
            if not self.seen[s]:
                self.seen[s] = True
                self.regression = self.regression.seeing(s)
                self.doubt = self._doubt()
                self.stale |= {row for row in self.rows if not self.seen[row]}
            self._renew(s)
        self.lead = self._lead()
        self._check_leaders()

    def _check_leaders(self) -> None:
        """Where a prior says who leads: cells never run are worth what they may have over the best that was run.

        The knowledge gradient takes the prior at its word, and leaves a leader unchecked. What is believed of a target
        rests on few and hand-picked cells: on as many degrees of freedom as it has scores, and some.
        """
        if not self.tally.priors:
            return
        variance = np.einsum("stt->st", self.joint)
        freedom = self.tally.counts.sum(axis=0) + _FREEDOM
        better = improvement(self.model.mean, variance, self.lead, freedom) * self.weight
        open_ = (self.left > 0) & self.tally.exists
        self.worth = np.where(self.known, self.worth, np.where(open_, better, 0.0))

    def _doubt(self) -> FloatArray:
        """Variance of unseen sources (S, T), relative to a target's between sources that are known to be alike."""
        out: FloatArray = self.regression.doubt() + self.model.kinship.novelty(self.seen)[:, None]
        return out

    def _lead(self) -> FloatArray:
        """What a source that was never run has to beat (T,): the best that was run, a score that is not in as its mean.

        Against the best that is only believed in, sources would be bought that are sure to change nothing: of a leader
        that nobody ran, too much is believed.
        """
        mean, exists = self.model.mean, self.tally.exists
        none = np.where(exists, mean, -np.inf).max(axis=0) - _UNCHECKED
        out: FloatArray = np.maximum(np.where(self.known & exists, mean, -np.inf).max(axis=0), none)
        return out

    def _renew(self, s: int) -> None:
        """The worth of every next trial of a row, per trial; 0 where there is none."""
        self.rows.pop(s, None)
        noise, counts = self.model.noise, np.concatenate([[1], _SEVERAL])[:, None]
        worth = gain(self.joint[s], self.gap[s], noise / counts, self.weight) / counts
        worth = np.where(self.left[s] >= counts, worth, 0.0).max(axis=0)
        self.worth[s] = np.where(self.tally.exists[s], worth, 0.0)
