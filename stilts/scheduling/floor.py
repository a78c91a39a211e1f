"""Floor: on which node the next stage runs, by what the nodes have and what the stages there hold. No Ray.

Stages of one study hold different amounts. Were they handed to Ray as they come, one that needs four GPUs would wait
at the head of the queue while others idle, or for ever behind small ones that take each GPU as it comes free. So it is
decided here, stage by stage in their order of importance: one that fits nowhere now claims the node that is nearest to
holding it, and the less important ones leave that node alone until it fits.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from stilts.study.slots import ROUNDING, Node, Resources, allowed, num_slots

# A stage that was placed and has not begun for so long: others hold what was counted free, so nothing more goes there.
BEGUN_WITHIN_S = 30.0
# Two studies may have taken the same room at once: by then one of them has begun there, and the other looks elsewhere.
TAKEN_WITHIN_S = 10.0


@dataclass(slots=True, kw_only=True)
class _Room:
    """One node: the cores and the part of each GPU that nobody holds, by the stages that were placed there."""

    node: Node
    cpus: float
    gpus: list[float]

    @classmethod
    def of(cls, node: Node) -> _Room:
        return cls(node=node, cpus=node.cpus, gpus=[1.0] * int(node.gpus + ROUNDING))

    @property
    def is_overdrawn(self) -> bool:
        """Whether more is held than the node has."""
        return self.cpus < -ROUNDING or sum(self.gpus) < -ROUNDING

    def which(self, held: Resources) -> list[int] | None:
        """The GPUs that a stage would get, the fullest that holds its part as Ray does; None where it does not fit."""
        if held.cpus > self.cpus + ROUNDING and held.cpus > 0:
            return None
        if held.gpus >= 1:
            free = [index for index, left in enumerate(self.gpus) if left > 1 - ROUNDING]
            return free[: int(held.gpus)] if len(free) >= held.gpus - ROUNDING else None
        parts = [(left, index) for index, left in enumerate(self.gpus) if left >= held.gpus - ROUNDING]
        return [] if held.gpus == 0 else [min(parts)[1]] if parts else None

    def take(self, held: Resources, which: Sequence[int], sign: int = 1) -> None:
        """Takes what a stage holds (or gives it back, with ``sign`` -1)."""
        self.cpus -= sign * held.cpus
        for index in which:
            self.gpus[index] -= sign * min(held.gpus, 1.0)

    def freest(self, held: Resources) -> list[int]:
        """The GPUs on which least is held, as many as a stage holds parts of."""
        order = sorted(range(len(self.gpus)), key=lambda index: -self.gpus[index])
        return order[: max(1, int(held.gpus))] if held.gpus else []

    def lacks(self, held: Resources) -> tuple[float, float]:
        """How many GPUs and cores are missing until a stage fits."""
        whole = sum(left > 1 - ROUNDING for left in self.gpus)
        there = whole if held.gpus >= 1 else max(self.gpus, default=0.0)
        return max(0.0, held.gpus - there), max(0.0, held.cpus - self.cpus)


@dataclass(slots=True, kw_only=True)
class _Placed:
    node_id: str
    held: Resources
    which: list[int]
    since: float
    begun: bool = False


@dataclass(kw_only=True)
class Floor:
    """The nodes and what was placed on them. Without nodes everything fits, and nobody is told where.

    ``max_gpus`` bounds what all stages hold together; ``beside_gpus``: some stages of the study hold GPUs, so those
    that hold none are kept off nodes with GPUs. ``idle`` are warm processes that wait for work, by node and class;
    ``claims`` the nodes that are kept for classes until they fit. ``others`` are stages of other studies, by node, and
    ``yielded`` nodes on which more important studies wait for room.
    """

    max_gpus: float | None = None
    beside_gpus: bool = False
    clock: Callable[[], float] = time.monotonic
    idle: dict[tuple[str, Resources], int] = field(default_factory=dict, init=False)
    claims: dict[Resources, str] = field(default_factory=dict, init=False)
    nodes: tuple[Node, ...] = field(default=(), init=False)
    others: tuple[tuple[str, Resources], ...] = field(default=(), init=False)
    yielded: frozenset[str] = field(default=frozenset(), init=False)
    _placed: dict[str, _Placed] = field(default_factory=dict, init=False)
    _asked: Asked | None = field(default=None, init=False)

    def see(self, nodes: Sequence[Node]) -> None:
        """Takes the nodes that there are now."""
        self.nodes = tuple(nodes)

    def ask(self) -> Asked:
        """Begins to ask for the next stage: call it with what each waiting stage holds, the most important first."""
        self._asked = Asked(floor=self)
        return self._asked

    def place(self, stage_id: str, held: Resources) -> str:
        """Notes that a stage runs, on the node that the last asking found for its like; "" where no node is known."""
        found = self._asked.found.get(held) if self._asked is not None else None
        room, which = found if found is not None else (None, list[int]())
        where = room.node.node_id if room is not None else ""
        self._placed[stage_id] = _Placed(node_id=where, held=held, which=which, since=self.clock())
        self.claims.pop(held, None)
        self._asked = None
        return where

    def begun(self, stage_id: str) -> None:
        """Notes that the stage's process has it."""
        if stage_id in self._placed:
            self._placed[stage_id].begun = True

    def leave(self, stage_id: str) -> None:
        """Gives back what a stage held."""
        self._placed.pop(stage_id, None)

    @property
    def waits_for(self) -> Resources | None:
        """The first that was asked for in vain when it was last asked, None where there was none."""
        return next(iter(self._asked.refused), None) if self._asked is not None else None

    @property
    def stranded(self) -> list[str]:
        """Stages that have not begun on a node that is gone, or where other studies have the room."""
        there = {room.node.node_id: room.is_overdrawn for room in self.rooms() if room.node.node_id not in self.yielded}
        late = self.clock() - TAKEN_WITHIN_S
        waiting = [(stage_id, one) for stage_id, one in self._placed.items() if one.node_id and not one.begun]
        return [i for i, one in waiting if one.node_id not in there or (there[one.node_id] and one.since < late)]

    @property
    def held(self) -> tuple[tuple[str, Resources], ...]:
        """What was placed, by node."""
        return tuple((one.node_id, one.held) for one in self._placed.values() if one.node_id)

    @property
    def wanted(self) -> frozenset[str]:
        """The nodes on which some stage waits for room that it may have there."""
        waiting = [held for held in self._asked.refused if self.has_leave(held)] if self._asked is not None else []
        return frozenset(
            node.node_id
            for held in waiting
            for node in allowed(self.nodes, held, beside_gpus=self.beside_gpus)
            if num_slots([node], held)
        )

    def has_leave(self, held: Resources) -> bool:
        """Whether one stage more stays within ``max_gpus``."""
        return self.max_gpus is None or not held.gpus or self.gpus_held + held.gpus <= self.max_gpus + ROUNDING

    @property
    def gpus_held(self) -> float:
        """GPUs that all stages hold together."""
        return sum(one.held.gpus for one in self._placed.values())

    def is_crowded(self, node_id: str, held: Resources) -> bool:
        """Whether an idle process of that class is in the way of the stages on its node.

        What is held besides must fit with it; parts of GPUs lie where Ray put them, so there it gives way to others.
        """
        room = next((room for room in self.rooms() if room.node.node_id == node_id), None)
        if room is None or room.is_overdrawn:
            return True
        waiting = [one for one in self._placed.values() if one.node_id == node_id and not one.begun]
        if held.gpus and any(one.held.gpus and {one.held.gpus % 1, held.gpus % 1} != {0.0} for one in waiting):
            return True
        idle = [(one, count) for (where, one), count in self.idle.items() if where == node_id]
        cpus = sum(one.cpus * count for one, count in idle)
        gpus = sum(one.gpus * count for one, count in idle)
        return cpus > room.cpus + ROUNDING or (held.gpus > 0 and gpus > sum(room.gpus) + ROUNDING)

    def rooms(self) -> list[_Room]:
        """What every node has left beside what was placed there, and what other studies hold."""
        rooms = {node.node_id: _Room.of(node) for node in self.nodes}
        for one in self._placed.values():
            if one.node_id in rooms:
                rooms[one.node_id].take(one.held, one.which)
        for node_id, held in self.others:
            if node_id in rooms:
                room = rooms[node_id]
                room.take(held, room.which(held) or room.freest(held))
        return list(rooms.values())

    @property
    def blocked(self) -> set[str]:
        """Nodes on which a stage was placed a while ago and has not begun."""
        late = self.clock() - BEGUN_WITHIN_S
        return {one.node_id for one in self._placed.values() if not one.begun and one.since < late}

    def claimed(self, held: Resources, rooms: Sequence[_Room]) -> _Room | None:
        """The node that is kept for a stage until it fits: the same as before, else the one that lacks the least."""
        possible = [room for room in rooms if num_slots([room.node], held)]
        kept = [room for room in possible if room.node.node_id == self.claims.get(held)]
        return next(iter(kept), None) or min(possible, key=lambda room: room.lacks(held), default=None)


@dataclass(kw_only=True)
class Asked:
    """One asking for the next stage: what fits, what does not and keeps a node for itself.

    ``found`` maps a class to where its next stage would run; ``refused`` are those that do not fit now.
    """

    floor: Floor
    found: dict[Resources, tuple[_Room, list[int]] | None] = field(default_factory=dict)
    refused: dict[Resources, str] = field(default_factory=dict)
    _rooms: list[_Room] = field(init=False)
    _blocked: set[str] = field(init=False)
    _gpus: float = field(init=False)

    def __post_init__(self) -> None:
        self._rooms, self._blocked, self._gpus = self.floor.rooms(), self.floor.blocked, self.floor.gpus_held

    def __call__(self, held: Resources) -> bool:
        """Whether a stage that holds so much can begin now."""
        if held not in self.found and held not in self.refused:
            self._look(held)
        return held in self.found

    def _look(self, held: Resources) -> None:
        floor = self.floor
        within = floor.max_gpus is None or not held.gpus or self._gpus + held.gpus <= floor.max_gpus + ROUNDING
        if not floor.nodes and within:
            self.found[held] = None
            return
        wanted = held if held.cpus or held.gpus else Resources()  # what holds nothing takes a CPU
        names = {node.node_id for node in allowed(floor.nodes, wanted, beside_gpus=floor.beside_gpus)}
        rooms = [room for room in self._rooms if room.node.node_id in names - self._blocked - floor.yielded]
        fitting = [(room, which) for room in rooms if (which := room.which(wanted)) is not None]
        if within and fitting:
            self.found[held] = min(fitting, key=lambda pair: self._rank(pair[0], held))
            return
        self._gpus += held.gpus  # so that smaller ones leave it what it waits for
        claimed = floor.claimed(wanted, rooms) if within else None
        self.refused[held] = claimed.node.node_id if claimed is not None else ""
        if claimed is not None:
            claimed.cpus -= wanted.cpus
            claimed.take(Resources(cpus=0.0, gpus=held.gpus), claimed.freest(held))
        floor.claims = {one: where for one, where in self.refused.items() if where}

    def _rank(self, room: _Room, held: Resources) -> tuple[bool, float, float, str]:
        """A warm process of the class first, then the node that is left with the least."""
        warm = self.floor.idle.get((room.node.node_id, held), 0)
        return not warm, sum(room.gpus), room.cpus, room.node.node_id
