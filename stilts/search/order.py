"""Which ready stage runs first: the one that most of the plan waits for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set

from stilts.study.stage import StageKind


def priority_order(
    ready: Iterable[str],
    *,
    num_descendants: Mapping[str, int],
    seconds: Mapping[str, float],
    first: Set[str] = frozenset(),
) -> list[str]:
    """The ready stages, first to last: estimates, then more planned descendants, longer expected time, stage id.

    Estimates cost little and say what else is worth running; ``first`` names stages that serve them (probes). Stages
    that many others wait for go first so that no worker runs dry; long ones before short ones so that none is left
    alone at the end. A stage missing from a mapping counts as 0.
    """

    def rank(stage_id: str) -> tuple[bool, int, float, str]:
        later = stage_id not in first and not stage_id.startswith(f"{StageKind.ESTIMATE.value}-")
        return later, -num_descendants.get(stage_id, 0), -seconds.get(stage_id, 0.0), stage_id

    return sorted(ready, key=rank)
