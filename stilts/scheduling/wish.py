"""Wish: a placement group that asks a cluster for room, as one stage that waits for it would."""

from __future__ import annotations

from ray.util.placement_group import PlacementGroup, placement_group, remove_placement_group

from stilts.study.slots import Resources


class Wish:
    """At most one open wish; it ends with the driver, whatever becomes of it, so no node stays for it."""

    def __init__(self) -> None:
        self._held: Resources | None = None
        self._group: PlacementGroup | None = None

    def tell(self, held: Resources | None) -> bool:
        """Wishes for room for a stage that holds so much, or for none; whether the last wish came true, and is over."""
        came_true = self._group is not None and self._group.wait(0)
        if came_true or held != self._held:
            self._end()
            if held is not None and not came_true:
                self._begin(held)
        return came_true

    def _begin(self, held: Resources) -> None:
        amounts = {"CPU": held.cpus if held.cpus or held.gpus else 1.0, "GPU": held.gpus}
        self._held = held
        self._group = placement_group([{name: amount for name, amount in amounts.items() if amount}])

    def _end(self) -> None:
        if self._group is not None:
            remove_placement_group(self._group)
        self._held = self._group = None
