"""Which ready stage runs first: the one with the longest way to the end of the plan behind it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set

from stilts.study.stage import StageKind


def priority_order(
    ready: Iterable[str],
    *,
    to_end: Mapping[str, float],
    num_descendants: Mapping[str, int],
    first: Set[str] = frozenset(),
) -> list[str]:
    """The ready stages, first to last: estimates, then the longest way to the end, more planned descendants, stage id.

    Estimates cost little and say what else is worth running; ``first`` names stages that serve them (probes). What has
    the longest way behind it goes first, so that no chain is left alone at the end (Graham 1969, critical path);
    parents of many stages have it, too. A stage missing from a mapping counts as 0.
    """

    def rank(stage_id: str) -> tuple[bool, float, int, str]:
        later = stage_id not in first and not stage_id.startswith(f"{StageKind.ESTIMATE.value}-")
        return later, -to_end.get(stage_id, 0.0), -num_descendants.get(stage_id, 0), stage_id

    return sorted(ready, key=rank)
