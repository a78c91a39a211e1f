"""Basket: trials gathered for one suggestion, each at its price, never beyond the budget."""

from __future__ import annotations

from collections.abc import Sequence

from stilts.search.selecting.policy import Trial
from stilts.search.selecting.tally import Tally

# Prices are sums of floats: a plan that costs its budget exactly must not fail by rounding.
_ROUNDING = 1e-9
Place = tuple[int, int, int]


class Basket:
    """Trials that are affordable together; a stage (source, seed) is paid for once."""

    def __init__(self, tally: Tally, left: float) -> None:
        self.tally = tally
        self.left = left * (1 + _ROUNDING) + _ROUNDING
        self.free = tally.free.copy()
        self.paid = tally.paid.copy()
        self.places: list[Place] = []

    def price(self, places: Sequence[Place]) -> float:
        """What these trials would cost together, given what is paid for."""
        cells = sum(float(self.tally.cell_price[s, t]) for s, t, _ in places)
        stages = {(s, seed) for s, _, seed in places if not self.paid[s, seed]}
        return cells + sum(float(self.tally.stage_price[s]) for s, _ in stages)

    def add(self, places: Sequence[Place]) -> bool:
        """Takes these trials (those still free) if they are affordable together; whether any was taken."""
        wanted = [place for place in places if self.free[place]]
        cost = self.price(wanted)
        if not wanted or cost > self.left:
            return False
        self.left -= cost
        for s, t, seed in wanted:
            self.free[s, t, seed] = False
            self.paid[s, seed] = True
        self.places += wanted
        return True

    def next_seed(self, source: int, target: int) -> int | None:
        """The first seed of a cell that is still free; None where there is none."""
        seeds = self.free[source, target].nonzero()[0]
        return int(seeds[0]) if len(seeds) else None

    def trials(self) -> tuple[Trial, ...]:
        """The trials taken, in the order in which they were."""
        return tuple(self.tally.trial(*place) for place in self.places)
