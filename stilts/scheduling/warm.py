"""Warm processes: which of Tune's actors stay when their stage is over, and the scheduler that sees to it.

Tune keeps an actor only where a trial of the same resources is waiting, or one of all while none waits. With stages of
several classes that would end most of them, and each new one loads torch anew. Here an idle actor stays until a stage
on its node needs what it holds, or until nobody has needed it for a while.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from ray.tune.schedulers import FIFOScheduler

from stilts.scheduling.floor import Floor
from stilts.study.slots import Resources

# Ray's own label of every node.
NODE_LABEL = "ray.io/node-id"
# A cluster that grows lets nodes go that hold nothing.
_IDLE_S = 30.0
_ASK_AGAIN_S = 0.1


class WarmActors:
    """Stands where Tune has its cache of actors (``ray.tune.utils.object_cache``): the same methods, another rule."""

    def __init__(self, floor: Floor, clock: Callable[[], float] = time.monotonic) -> None:
        self._floor, self._clock = floor, clock
        self._idle: dict[Any, list[tuple[float, Any]]] = {}
        self.total_max_objects = 0

    @property
    def num_cached_objects(self) -> int:
        """How many actors are idle."""
        return sum(map(len, self._idle.values()))

    def increase_max(self, key: Any, by: int = 1) -> None:
        """Nothing: how many trials wait is no rule here."""

    def decrease_max(self, key: Any, by: int = 1) -> None:
        """Nothing."""

    def has_cached_object(self, key: Any) -> bool:
        """Whether an idle actor of the class is on the node."""
        return bool(self._idle.get(key))

    def cache_object(self, key: Any, obj: Any) -> bool:
        """Keeps an actor whose stage is over."""
        self._idle.setdefault(key, []).append((self._clock(), obj))
        self._tell()
        return True

    def pop_cached_object(self, key: Any) -> Any:
        """An idle actor for a trial, the one that worked last; None where there is none."""
        found = self._idle.get(key)
        actor = found.pop()[1] if found else None
        self._tell()
        return actor

    def flush_cached_objects(self, force_all: bool = False) -> Iterator[Any]:
        """The actors that end now: those in the way of a stage, those that nobody needed for a while, or all."""
        for since, key in sorted(((since, key) for key, idle in self._idle.items() for since, _ in idle), key=_first):
            if force_all or self._clock() - since > _IDLE_S or self._floor.is_crowded(*place_of(key)):
                actor = self._idle[key].pop(0)[1]
                self._tell()
                yield actor

    def _tell(self) -> None:
        self._floor.idle = {place_of(key): len(idle) for key, idle in self._idle.items() if idle}


class StageScheduler(FIFOScheduler):
    """Tune's first come, first served, with warm actors of ours; trials that would wait in vain are taken back."""

    def __init__(self, floor: Floor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._floor = floor

    def choose_trial_to_run(self, tune_controller: Any) -> Any:
        """The next trial, as Tune chooses it; Tune asks before it starts the first one."""
        controller = getattr(tune_controller, "_tune_controller", tune_controller)
        cache = getattr(controller, "_actor_cache", None)
        if cache is not None and not isinstance(cache, WarmActors):
            controller._actor_cache = WarmActors(self._floor)
            controller._update_trial_queue = _InTurn(controller._update_trial_queue)
        if gone := set(self._floor.stranded):
            for trial in [one for one in controller.get_live_trials() if one.config["stage_id"] in gone]:
                if trial.status == trial.PENDING:
                    controller.stop_trial(trial)
        return super().choose_trial_to_run(controller)

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: Tune pickles what it is given for a restore that never comes."""
        return {}


class _InTurn:
    """Tune's asking for the next trial, without its waiting: where none runs, Tune waits ten minutes there for one.

    Meanwhile it would end no idle actor, which holds what another study waits for, and hear nothing of the cluster.
    """

    def __init__(self, ask: Callable[..., bool]) -> None:
        self._ask = ask

    def __call__(self, blocking: bool = False, timeout: int = 0) -> bool:
        came = self._ask(blocking=False)
        if blocking and not came:
            time.sleep(_ASK_AGAIN_S)
        return came

    def __getstate__(self) -> dict[str, Any]:
        """Nothing, for the scheduler's reason: what it asks is Tune's own controller, which holds it."""
        return {}


def place_of(key: Any) -> tuple[str, Resources]:
    """Node and class of a placement group's factory, as ``placement`` makes it."""
    [bundle] = key.bundles
    labels = key._kwargs.get("bundle_label_selector") or [{}]
    held = Resources(cpus=bundle.get("CPU", 0.0), gpus=bundle.get("GPU", 0.0))
    return labels[0].get(NODE_LABEL, ""), held


def placement(config: dict[str, Any]) -> Any:
    """The stage's placement group: one bundle, on the node that was chosen for it."""
    from ray.tune import PlacementGroupFactory

    cpus, gpus = config["cpus"], config["gpus"]
    bundle = {"CPU": cpus if cpus or gpus else 1.0, **({"GPU": gpus} if gpus else {})}
    pinned: dict[str, Any] = {"bundle_label_selector": [{NODE_LABEL: config["node_id"]}]} if config["node_id"] else {}
    return PlacementGroupFactory([bundle], **pinned)


def _first(pair: tuple[float, Any]) -> float:
    return pair[0]
