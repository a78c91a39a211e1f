"""What the studies that run on one cluster tell one another, so that the more important ones go first.

Each driver writes what its stages hold and wait for under its own key of the cluster's key-value store, and reads what
the others wrote. There is no process that could die: a driver that has changed nothing for a while, by the reader's
own clock, counts no more.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from stilts.scheduling.claimant import Claimant
from stilts.scheduling.cluster import RaySettings
from stilts.scheduling.events import Fact, OnEvent
from stilts.scheduling.floor import Floor
from stilts.study.slots import Resources

_EVERY_S = 1.0
# A driver that waits for a slow store is not dead.
_SILENT_S = 30.0
_FORGOTTEN_S = 600.0
# What one driver may tell: thousands of stages. More is not read.
_MOST_BYTES = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a driver says: whose it is, what its stages hold by node, and on which nodes it waits for room."""

    claimant: Claimant
    held: tuple[tuple[str, Resources], ...]
    wanted: frozenset[str]

    def to_text(self, beat: int) -> str:
        """As it is kept; ``beat`` makes each time another."""
        who, held = self.claimant, [[node, one.cpus, one.gpus] for node, one in self.held]
        fields = {"study": who.study, "owner": who.owner, "priority": who.priority, "held": held}
        return json.dumps({**fields, "wanted": sorted(self.wanted), "beat": beat})

    @classmethod
    def of_text(cls, text: bytes) -> Claims | None:
        """What somebody wrote; None where it cannot be read: another version's."""
        try:
            found: Mapping[str, Any] = json.loads(text[:_MOST_BYTES])
            owner = found["owner"] if found["owner"] is None else str(found["owner"])
            return cls(
                claimant=Claimant(study=str(found["study"]), owner=owner, priority=int(found["priority"])),
                held=tuple((str(n), Resources(cpus=float(c), gpus=float(g))) for n, c, g in found["held"]),
                wanted=frozenset(map(str, found["wanted"])),
            )
        except (ValueError, LookupError, TypeError):
            return None


class Notebook(Protocol):
    """Where studies of one cluster write for one another."""

    def write(self, key: str, text: str) -> None:
        """Puts a text in place of what is under the key."""

    def read(self) -> Mapping[str, bytes]:
        """All texts by their keys."""

    def drop(self, key: str) -> None:
        """Removes what is under the key."""


class ClusterNotebook:
    """The key-value store of the cluster that this process is connected to: Ray's own, in its control store."""

    _SPACE = "stilts-studies"

    def __init__(self) -> None:
        from ray.experimental import internal_kv

        self._kv: Any = internal_kv  # untyped in Ray

    def write(self, key: str, text: str) -> None:
        """As of a Notebook."""
        self._kv._internal_kv_put(key, text, overwrite=True, namespace=self._SPACE)

    def read(self) -> Mapping[str, bytes]:
        """As of a Notebook."""
        keys = self._kv._internal_kv_list("", namespace=self._SPACE)
        found = {key.decode(): self._kv._internal_kv_get(key, namespace=self._SPACE) for key in keys}
        return {key: text for key, text in found.items() if text is not None}

    def drop(self, key: str) -> None:
        """As of a Notebook."""
        self._kv._internal_kv_del(key, namespace=self._SPACE)


@dataclass(kw_only=True)
class SharedCluster:
    """Keeps a floor told of the other studies on its cluster, and those of it; ``look`` is called all the time.

    ``key`` is this driver's own, ``say`` hears of each study that goes first.
    """

    claimant: Claimant
    floor: Floor
    key: str
    notebook: Notebook
    say: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    _seen: dict[str, tuple[bytes, float]] = field(default_factory=dict, init=False)
    _looked: float = field(default=float("-inf"), init=False)
    _beat: int = field(default=0, init=False)
    _first: frozenset[str] = field(default=frozenset(), init=False)

    def look(self) -> None:
        """Tells and hears, once a second."""
        now = self.clock()
        if now - self._looked < _EVERY_S:
            return
        self._looked, self._beat = now, self._beat + 1
        mine = Claims(claimant=self.claimant, held=self.floor.held, wanted=self.floor.wanted)
        self.notebook.write(self.key, mine.to_text(self._beat))
        others = self._others(now)
        before = [one for one in others if one.claimant.priority > self.claimant.priority and one.wanted]
        self.floor.others = tuple(place for one in others for place in one.held)
        self.floor.yielded = frozenset().union(*(one.wanted for one in before))
        first = frozenset(str(one.claimant) for one in before)
        for name in sorted(first - self._first):
            self.say(f"study {name} goes first where its stages wait for room")
        self._first = first

    def leave(self) -> None:
        """Takes back what was told: this study holds nothing any more."""
        self.notebook.drop(self.key)

    def _others(self, now: float) -> list[Claims]:
        """What the other drivers tell that gave a sign lately; what the dead left behind is cleared away in time."""
        found = {key: text for key, text in self.notebook.read().items() if key != self.key}
        unknown = None, now
        seen = {
            key: (text, self._seen[key][1] if self._seen.get(key, unknown)[0] == text else now)
            for key, text in found.items()
        }
        for key in [key for key, (_, since) in seen.items() if now - since > _FORGOTTEN_S]:
            self.notebook.drop(key)
            seen.pop(key)
        self._seen = seen
        alive = [text for text, since in seen.values() if now - since <= _SILENT_S]
        return [told for text in alive if (told := Claims.of_text(text)) is not None]


@contextmanager
def shared(floor: Floor, settings: RaySettings, on_event: OnEvent) -> Iterator[Callable[[], None]]:
    """What is to be called all the time while a study runs on the connected cluster; it does nothing on a private one.

    While the cluster does not answer, what was heard last holds.
    """
    if settings.claimant is None or settings.joined is None:
        yield lambda: None
        return
    import ray
    from ray.exceptions import RayError

    sharing = SharedCluster(
        claimant=settings.claimant,
        floor=floor,
        key=ray.get_runtime_context().get_job_id(),
        notebook=ClusterNotebook(),
        say=lambda line: on_event(Fact(line=line)),
    )

    def look() -> None:
        with suppress(RayError):
            sharing.look()

    try:
        yield look
    except (Exception, KeyboardInterrupt):  # not where Ray died: there is nobody to tell
        with suppress(RayError):
            sharing.leave()
        raise
    with suppress(RayError):
        sharing.leave()
