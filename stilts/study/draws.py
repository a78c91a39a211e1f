"""The replicates of a cell: which recipe each trains, under which seeds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from stilts.study.record import NONE_ROW
from stilts.study.resolved_study import ResolvedStudy
from stilts.study.schema import Seeds
from stilts.study.search_space import FRESH_SEED, Proposal


class ReplicateDraw(NamedTuple):
    """What one replicate of a cell trains; ``is_fresh``: to confirm a chosen proposal."""

    proposal: Proposal | None
    intermediate_seed: int | None
    target_seed: int | None
    is_fresh: bool


def draws(resolved: ResolvedStudy, row: str, column: str, proposals: Sequence[Proposal]) -> Iterator[ReplicateDraw]:
    """What each replicate of a cell trains, each once: of a proposal its search's seeds, then those that confirm.

    Where nothing is seeded (row ``none`` on a target that does not train) a proposal is its own confirmation.
    """
    study = resolved.study
    is_trained = resolved.target(column).task.is_trained
    cell_pairs = _seed_pairs(study.seeds(row, column))
    searched = study.rows[row].search is not None
    drawn: Sequence[Proposal | None] = proposals if searched else (None,)
    for proposal in drawn:
        confirms = proposal is not None and column in proposal.confirms
        pairs = [(k, k) for k in range(proposal.seeds)] if proposal else cell_pairs
        fresh = [(i + FRESH_SEED, t + FRESH_SEED) for i, t in cell_pairs] if confirms else []
        seeds = {
            _seeded(row, is_trained, pair): is_fresh
            for is_fresh, some in ((False, pairs), (True, fresh))
            for pair in some
        }
        for (intermediate_seed, target_seed), is_fresh in seeds.items():
            yield ReplicateDraw(proposal, intermediate_seed, target_seed, is_fresh)


def num_confirming(resolved: ResolvedStudy, row: str, column: str) -> int:
    """How many replicates confirm a recipe of a searched row on a column: as many as a fixed row has there."""
    is_trained = resolved.target(column).task.is_trained
    pairs = _seed_pairs(resolved.study.seeds(row, column))
    return len({_seeded(row, is_trained, pair) for pair in pairs} - {(None, None)})


def _seeded(row: str, is_trained: bool, pair: tuple[int, int]) -> tuple[int | None, int | None]:
    """The seeds that a replicate of a cell has: ``none`` has no intermediate's, an untrained target none of its own."""
    intermediate_seed, target_seed = pair
    return None if row == NONE_ROW else intermediate_seed, target_seed if is_trained else None


def _seed_pairs(seeds: Seeds) -> list[tuple[int, int]]:
    """(intermediate seed, target seed): (0, 0), (1, 1), ... for a count, else every pair."""
    if seeds.count is not None:
        return [(number, number) for number in range(seeds.count)]
    return [(i, t) for i in range(seeds.intermediate_seeds or 1) for t in range(seeds.target_seeds or 1)]
