"""Racing over seeds: which proposals of a searched row are worth another seed. Pure policies over finished scores.

One seed of a recipe is a draw from a wide distribution, and training every recipe under every seed costs as many
times the row. A race (F-Race: Birattari et al. 2002; irace: Lopez-Ibanez et al. 2016) starts every proposal with one
seed and grants another only while the proposal is not shown to be worse than the leader. ``row_race.py`` reads the
scores from a store and keeps the grants.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Protocol

import numpy as np

from stilts.ledger.decision import Grant
from stilts.metrics.comparison import holm
from stilts.metrics.item_scores import ByLanguage, mean_over, paired
from stilts.metrics.levels import FALSE_CLAIM
from stilts.metrics.metric import FloatArray
from stilts.metrics.paired_test import PairedTest, wilcoxon_worse


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """A proposal that is scored on every choosing target under its first seed at least.

    ``granted`` is how many seeds it has; ``scores`` maps each finished seed to the selection score (0 to 100) by
    target, ``items`` to the single examples' scores by target, where they are known.
    """

    proposal: int
    granted: int
    scores: Mapping[int, Mapping[str, float]]
    items: Mapping[int, Mapping[str, ByLanguage]]

    @property
    def by_seed(self) -> dict[int, float]:
        """The mean over targets of each finished seed."""
        return {seed: fmean(scores.values()) for seed, scores in self.scores.items()}

    @property
    def mean(self) -> float:
        """The mean over targets and finished seeds: targets count alike, as seeds do."""
        return fmean(self.by_seed.values())

    @property
    def is_finished(self) -> bool:
        """Whether all seeds that it was granted are scored."""
        return len(self.scores) >= self.granted


class RacingPolicy(Protocol):
    """Decides on seeds; pure, so equal scores give equal decisions."""

    @property
    def label(self) -> str:
        """The policy's name with its settings, as records keep it."""

    def first(self, most: int) -> int:
        """The seeds that every proposal starts with, of ``most`` that it may have."""

    def grants(self, contenders: Sequence[Contender], *, most: int) -> list[Grant]:
        """The seeds that each contender has now, and why; at most one of them has a seed more than it had."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoRacing:
    """Every proposal has all its seeds from the start."""

    @property
    def label(self) -> str:
        """``none``."""
        return "none"

    def first(self, most: int) -> int:
        """All."""
        return most

    def grants(self, contenders: Sequence[Contender], *, most: int) -> list[Grant]:
        """Nothing is decided."""
        return []


@dataclass(frozen=True, slots=True, kw_only=True)
class WilcoxonRacing:
    """Another seed for whoever is not shown, at ``alpha``, to be worse than the leader, and for the leader first.

    The leader is the proposal with the highest mean. The next seed goes to

    1. the leader, while any other has more seeds: who leads by one lucky seed must prove it;
    2. the best proposal that is not shown to be worse and has fewer seeds than the leader;
    3. the leader, up to ``most``: its score is the one that is reported.

    Shown to be worse is who loses ``wilcoxon_worse`` over the select examples of all targets, each example's score the
    mean over the seeds that both have. p is doubled, because of two equals either may happen to lead, and is then
    Holm's (1979) over all proposals compared. The level is one look's, as in irace, and speaks of the models that were
    trained: a good recipe with a bad first seed can be dropped. A further t test
    against the spread between seeds was tried and left out: in simulated rows it spent more and its winners
    were no better (docs/decisions.md).
    """

    alpha: float = FALSE_CLAIM

    @property
    def label(self) -> str:
        """The policy with its settings."""
        return f"wilcoxon(alpha={self.alpha:g})"

    def first(self, most: int) -> int:
        """One."""
        return 1

    def grants(self, contenders: Sequence[Contender], *, most: int) -> list[Grant]:
        """The seeds of each contender, the leader first, then by mean."""
        if not contenders:
            return []
        leader, *others = sorted(contenders, key=lambda one: (-one.mean, one.proposal))
        found = [_compare(leader, other) for other in others]
        adjusted = dict(
            zip((one.proposal for one in others), holm([min(1.0, 2.0 * one.test.p) for one in found]), strict=True)
        )
        chosen = self._next(leader, others, adjusted, most)
        grants = [self._grant(leader, _leading(leader, others, most, chosen), chosen, most)]
        for other, comparison in zip(others, found, strict=True):
            p = adjusted[other.proposal]
            why = _why(other, leader, comparison, p, len(others))
            fate = self._fate(other, leader, p, most, gets=chosen == other.proposal)
            grants.append(self._grant(other, f"{why}, {fate}.", chosen, most, p))
        return grants

    def _grant(self, one: Contender, reason: str, chosen: int | None, most: int, p: float | None = None) -> Grant:
        seeds = one.granted + (chosen == one.proposal)
        return Grant(proposal=one.proposal, seeds=seeds, most=most, p=p, policy=self.label, reason=reason)

    def _next(self, leader: Contender, others: Sequence[Contender], p: Mapping[int, float], most: int) -> int | None:
        """Who gets the next seed."""
        can_grow = leader.is_finished and leader.granted < most
        if can_grow and any(other.granted > leader.granted for other in others):
            return leader.proposal
        for other in others:
            if p[other.proposal] > self.alpha and other.is_finished and other.granted < min(most, leader.granted):
                return other.proposal
        return leader.proposal if can_grow else None

    def _fate(self, other: Contender, leader: Contender, p: float, most: int, *, gets: bool) -> str:
        if p <= self.alpha:
            return f"at most {self.alpha:g}: it is shown to be worse and gets no further seed"
        start = f"above {self.alpha:g}: it is not shown to be worse"
        if gets:
            return f"{start} and gets seed {other.granted + 1} of {most}"
        return f"{start} and keeps its {_seeds(other.granted)} beside the leader's {leader.granted}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Comparison:
    """One proposal against the leader on ``shared`` seeds, ``gap`` points behind in the mean over targets."""

    shared: int
    gap: float
    test: PairedTest


def _compare(leader: Contender, other: Contender) -> _Comparison:
    seeds = sorted(leader.scores.keys() & other.scores.keys())
    gap = fmean(leader.by_seed[seed] for seed in seeds) - fmean(other.by_seed[seed] for seed in seeds)
    ours, theirs = _items(other, leader, seeds)
    return _Comparison(shared=len(seeds), gap=gap, test=wilcoxon_worse(ours, theirs))


def _items(ours: Contender, theirs: Contender, seeds: Sequence[int]) -> tuple[FloatArray, FloatArray]:
    """Paired scores of the examples of all targets, each the mean over the seeds."""
    pairs = [
        paired(*(mean_over([side.items[seed].get(target, {}) for seed in seeds]) for side in (ours, theirs)))
        for target in sorted(ours.scores[seeds[0]])
    ]
    return np.concatenate([left for left, _ in pairs]), np.concatenate([right for _, right in pairs])


def _leading(leader: Contender, others: Sequence[Contender], most: int, chosen: int | None) -> str:
    start = f"Its mean selection score over {_seeds(len(leader.scores))} is {leader.mean:.2f}, "
    start += f"the highest of {len(others) + 1} proposals"
    gets = chosen == leader.proposal
    end = f"so it gets seed {leader.granted + 1} of {most}" if gets else f"and it has {leader.granted} of {most} seeds"
    return f"{start}, {end}."


def _why(other: Contender, leader: Contender, found: _Comparison, p: float, compared: int) -> str:
    test = found.test
    by_items = f"Wilcoxon p {test.p:.2g} over {test.pairs} examples" if test.pairs else "no examples to compare"
    return (
        f"Its mean selection score over {_seeds(len(other.scores))} is {other.mean:.2f}, that of the leader, proposal "
        f"{leader.proposal}, {leader.mean:.2f}. On {_seeds(found.shared)} that both have it is {found.gap:.2f} points "
        f"behind: {by_items}, doubled and Holm's over {compared} compared {p:.2g}"
    )


def _seeds(count: int) -> str:
    return "1 seed" if count == 1 else f"{count} seeds"
