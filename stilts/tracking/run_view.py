"""RunView: one MLflow run as plain values, before MLflow is involved.

Two views of the same study and store are equal, wherever and whenever they are made; their digests
say whether a run that exists already shows the same.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum

from stilts.fingerprint import digest

# MLflow allows letters, digits, "/ . - _ :" and space; "/" groups charts and ":" is kept for nothing.
_UNWANTED = re.compile(r"[^A-Za-z0-9_.\- ]")


class RunStatus(StrEnum):
    """How far a run's stages are.

    ``PARTIAL``: some results are there, others are still to come. ``STOPPED``: others are missing, and no process works
    on the study.
    """

    DONE = "done"
    PARTIAL = "partial"
    FAILED = "failed"
    PRUNED = "pruned"
    STOPPED = "stopped"

    @property
    def is_settled(self) -> bool:
        """Whether nothing more is to come, not even when the study is run again."""
        return self not in (RunStatus.PARTIAL, RunStatus.STOPPED)


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricPoint:
    """One value of a metric, with its step and its time in milliseconds since 1970."""

    name: str
    value: float
    step: int
    time_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DataInput:
    """A view of a dataset that a run read; ``context`` is ``training`` or ``evaluation``."""

    name: str
    digest: str
    source: str
    context: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """What one MLflow run shows.

    ``identity`` is the tag (key, value) that finds the run again; it stands in ``tags`` too. ``ended_ms`` is None while
    results are still to come. ``points`` are sorted and hold no point twice. ``config`` is the resolved configuration
    of its stages as YAML. ``note`` is one line; ``cell_note`` follows on it and is no part of the digest,
    for it rests on resampling, which not every round does.
    """

    identity: tuple[str, str]
    name: str
    status: RunStatus
    started_ms: int
    ended_ms: int | None
    params: Mapping[str, str]
    tags: Mapping[str, str]
    points: tuple[MetricPoint, ...]
    inputs: tuple[DataInput, ...] = field(default=())
    config: str = ""
    note: str = ""
    cell_note: str = ""

    @property
    def is_parent(self) -> bool:
        """Whether this is the study's own run."""
        return self.identity == STUDY_IDENTITY

    @property
    def digest(self) -> str:
        """12 hex digits over everything that the run shows, but for what its note says of its cell."""
        return digest({name: value for name, value in asdict(self).items() if name != "cell_note"})

    def latest(self) -> dict[str, float]:
        """The value of every metric at its last step."""
        return {point.name: point.value for point in self.points}


STUDY_IDENTITY = ("stilts.kind", "study")


def metric_name(*parts: str) -> str:
    """The parts joined by dots, every character that MLflow refuses or reads as a path replaced by ``_``."""
    return ".".join(_UNWANTED.sub("_", part) for part in parts)


def sorted_points(points: Iterable[MetricPoint]) -> tuple[MetricPoint, ...]:
    """Each finite point once, by name, step and time."""
    finite = {point for point in points if math.isfinite(point.value)}
    return tuple(sorted(finite, key=lambda point: (point.name, point.step, point.time_ms, point.value)))


def milliseconds(seconds: float | None) -> int:
    """Seconds since 1970 as whole milliseconds; 0 for a moment that was not kept."""
    return round((seconds or 0.0) * 1000)
