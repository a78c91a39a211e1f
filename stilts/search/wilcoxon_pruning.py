"""The Wilcoxon rule: a recipe stops where it loses a paired test, example by example, against the best one there."""

from __future__ import annotations

from dataclasses import dataclass

from stilts.errors import InputError
from stilts.metrics.item_scores import paired
from stilts.metrics.levels import FALSE_CLAIM
from stilts.metrics.paired_test import wilcoxon_worse
from stilts.search.pruning import Ruling, check_fractions, fate, not_compared, opening, settings
from stilts.search.rung_history import Rung, RungHistory


@dataclass(frozen=True, slots=True, kw_only=True)
class WilcoxonRule:
    """At each of ``fractions`` a recipe stops if it is shown, at ``alpha``, to be worse than the best recipe there.

    The test is ``wilcoxon_worse`` over the examples of the languages that both were evaluated on, at least
    ``min_items`` of them. The chance that a recipe which is as good as all others is ever stopped stays below
    ``alpha``: p is multiplied by the number of rungs (Holm 1979: a recipe ends with its first rejection, so Holm's
    first step is the only one) and by the number of recipes that the best one is the best of, because the luckiest of
    many equals beats the next one more easily. A recipe that is as good as the best but was unlucky with its seed is
    not protected: one seed is all there is while it trains. Nobody stops before ``min_recipes`` have arrived.
    """

    fractions: tuple[float, ...] = (0.25, 0.5)
    alpha: float = FALSE_CLAIM
    min_items: int = 50
    min_recipes: int = 2

    def __post_init__(self) -> None:
        check_fractions("Wilcoxon pruning", self.fractions)
        if not 0 < self.alpha < 1:
            raise InputError(
                "Wilcoxon pruning",
                f"alpha is {self.alpha}",
                "It is the chance of a false stop, between 0 and 1",
                f"Set, for example, alpha: {FALSE_CLAIM}",
            )

    @property
    def label(self) -> str:
        """The rule with its settings."""
        shared = settings(self.fractions, self.min_recipes)
        return f"wilcoxon(alpha={self.alpha:g}, min_items={self.min_items}, {shared})"

    def rule(self, history: RungHistory, rung: Rung) -> Ruling:
        """Stops a recipe that loses the test; says that nothing was tested where the pairs are too few."""
        early = not_compared(history, rung, self.fractions, max(2, self.min_recipes))
        if early is not None:
            return early
        there = history.peers(rung)
        peers = {recipe: one.score for recipe, one in there.items()}
        best = max(peers, key=lambda recipe: (peers[recipe], recipe))
        start = f"{opening(history, rung)} is {rung.score:.2f}"
        if peers[best] <= rung.score:
            reason = f"{start}, the best of {len(peers) + 1} recipes of {history.space}, so it goes on."
            return Ruling(stop=False, reason=reason, peers=peers)
        start += f", that of the best of {len(peers)} other recipes of {history.space} ({best}) {peers[best]:.2f}"
        ours, theirs = paired(rung.items, there[best].items)
        if len(ours) < self.min_items:
            reason = f"{start}; only {len(ours)} of {self.min_items} needed examples can be paired, so it goes on."
            return Ruling(stop=False, reason=reason, peers=peers)
        test = wilcoxon_worse(ours, theirs)
        p = min(1.0, test.p * len(self.fractions) * len(peers))
        stop = p <= self.alpha
        reason = (
            f"{start}. On {test.pairs} examples, of which {test.differing} differ, it is {test.gap:.2f} points behind: "
            f"Wilcoxon p {test.p:.2g}, times {len(self.fractions)} (rungs) and {len(peers)} (recipes) {p:.2g}, "
            f"{'at most' if stop else 'above'} {self.alpha:g}, so it {fate(stop)}."
        )
        return Ruling(stop=stop, reason=reason, peers=peers)
