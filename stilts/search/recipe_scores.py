"""RecipeScores: selection scores of replicates, from the store, averaged over seeds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean

from stilts.ledger.evaluations import Evaluations
from stilts.metrics.objectives import TargetScores
from stilts.store.artifact_store import ArtifactStore
from stilts.study.record import Replicate
from stilts.study.stage import Use


@dataclass(kw_only=True)
class RecipeScores:
    """Reads each published score once: what is published never changes."""

    store: ArtifactStore

    @cached_property
    def _evaluations(self) -> Evaluations:
        return Evaluations(store=self.store)

    def over_seeds(self, replicates: Sequence[Replicate]) -> dict[str, float]:
        """Language -> mean selection score (0 to 100) over replicates that are done, one at least."""
        by_seed = [self._of(replicate) for replicate in replicates]
        return {language: fmean(scores[language] for scores in by_seed) for language in by_seed[0]}

    def best(self, candidates: Iterable[Sequence[Replicate]]) -> dict[str, float]:
        """The scores of the recipe with the highest mean over languages; the earlier one among equals."""
        return max((self.over_seeds(replicates) for replicates in candidates), key=lambda by: fmean(by.values()))

    def _of(self, replicate: Replicate) -> dict[str, float]:
        return self._evaluations.scores(replicate.outputs[Use.SELECT.value])


@dataclass(frozen=True, slots=True, kw_only=True)
class RowReplicates:
    """The replicates of one row by column, then by proposal (None where the row is not searched).

    Those that confirm a chosen proposal are left out: they bear on no choice.
    """

    by_column: Mapping[str, Mapping[int | None, Sequence[Replicate]]]

    def of(self, proposal: int | None, column: str) -> Sequence[Replicate]:
        """The replicates, one per pair of seeds, of a proposal on a column."""
        return self.by_column.get(column, {}).get(proposal, ())

    def on(self, columns: Iterable[str]) -> list[Replicate]:
        """All replicates on these columns."""
        groups = (group for column in columns for group in self.by_column.get(column, {}).values())
        return [replicate for group in groups for replicate in group]

    @property
    def all(self) -> list[Replicate]:
        """All replicates of the row."""
        return self.on(self.by_column)


def replicates_of(row: str, replicates: Iterable[Replicate]) -> RowReplicates:
    """Those of a row that a choice may look at."""
    by_column: dict[str, dict[int | None, list[Replicate]]] = {}
    for replicate in replicates:
        if replicate.row == row and replicate.bears_on_choice:
            by_column.setdefault(replicate.column, {}).setdefault(replicate.proposal, []).append(replicate)
    return RowReplicates(by_column=by_column)


def is_scored(replicate: Replicate, done: Set[str]) -> bool:
    """Whether every output of the replicate is published."""
    return all(key in done for by_language in replicate.outputs.values() for key in by_language.values())


def baseline_scores(none: RowReplicates, targets: Iterable[str], done: Set[str], scores: RecipeScores) -> TargetScores:
    """``none``'s own selection scores on those of the targets that have them; of its best proposal if searched."""
    found = {}
    for target in targets:
        scored = [[r for r in group if is_scored(r, done)] for group in none.by_column.get(target, {}).values()]
        if any(scored):
            found[target] = scores.best(group for group in scored if group)
    return found
