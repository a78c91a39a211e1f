"""The values that a selecting policy reads and writes, and the Policy protocol.

A policy settles "which source is best for each target" by asking for trials. It is a pure function of the question and
of what was observed, so that a live study and a replay run the same class, and a restart replays nothing. Live, a
source is an intermediate, a trial a replicate, and a score a selection score.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from stilts.errors import InputError

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Trial:
    """One run: a source, then a target, with the number of its seed (from 0)."""

    source: str
    target: str
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What a trial gave: its score, higher is better; None where it failed."""

    trial: Trial
    score: float | None

    def __post_init__(self) -> None:
        if self.score is not None and not math.isfinite(self.score):
            raise InputError(
                f"the score of {self.trial.source} on {self.trial.target}",
                f"it is {self.score}",
                "A policy cannot rank by it",
                "Give None for a trial that failed",
            )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Question:
    """What is to be settled, and what finding out costs. Arrays are indexed by the order of ``sources``, ``targets``.

    ``cell_price``: (sources, targets), the price of one trial. ``stage_price``: (sources,), what a source pays besides,
    once per seed (its own training); zeros where it was paid for already. ``exists``: (sources, targets), False for a
    cell that is not asked about. ``runs``: (sources, targets, seeds), False for trials that cannot be run; None where
    all can. ``priors``: matrices (sources, targets) of scores of another kind, such as a smaller model's or a cheap
    look's, NaN where unknown; their scale does not matter. ``features``: (sources, targets, k), anything known of a
    cell before it is run; higher of no meaning by itself. The unit of price is free.
    """

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    cell_price: FloatArray
    stage_price: FloatArray
    seeds: int
    exists: NDArray[np.bool_]
    priors: tuple[FloatArray, ...] = ()
    features: FloatArray | None = None
    runs: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        shape = (len(self.sources), len(self.targets))
        if (self.cell_price.shape, self.exists.shape, self.stage_price.shape) != (shape, shape, shape[:1]):
            raise InputError(
                f"a question over {shape[0]} sources and {shape[1]} targets",
                f"prices are {self.cell_price.shape} and {self.stage_price.shape}",
                "Every cell and every source has one price",
            )

    @property
    def staged(self) -> bool:
        """Whether sources pay once for many targets."""
        return bool((self.stage_price > 0).any())


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """Trials to run next, together, and why in a sentence. No trials: the policy stops, and the reason says why."""

    trials: tuple[Trial, ...]
    reason: str

    @property
    def stops(self) -> bool:
        """Whether nothing more is to be run."""
        return not self.trials


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The source that is advised for a target, as far as is known.

    ``probability``: that it is the best (0 to 1), None from policies without a model. ``expected``: its expected score.
    ``regret``: expected points lost against the true best, None without a model.
    """

    target: str
    source: str
    probability: float | None = None
    expected: float | None = None
    regret: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What may still be spent, in the question's unit of price, and the trials that run now (already paid for)."""

    left: float
    pending: tuple[Trial, ...] = field(default=())


class Policy(Protocol):
    """Settles a question by trials. Contract (tests/search/test_selecting_contract.py):

    It never suggests a trial that is observed, failed or pending; what it suggests costs no more than ``budget.left``;
    the same arguments (and the same state of ``rng``) give the same answer, in whatever order sources, targets and
    observations are listed; with nothing affordable, or all settled, it stops.
    """

    def suggest(
        self, question: Question, observations: Sequence[Observation], budget: Budget, rng: np.random.Generator
    ) -> Suggestion:
        """The trials to run next, as one batch."""

    def choose(self, question: Question, observations: Sequence[Observation]) -> tuple[Choice, ...]:
        """The source advised for every target that has one, in the question's order."""
