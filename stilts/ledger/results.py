"""What stages publish, typed: the results of trainings, evaluations and estimates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, TypeAlias

from pydantic import Field, with_config

from stilts.errors import StoreError, UnreadableError
from stilts.fingerprint import Json
from stilts.ledger.typed import from_fields
from stilts.store.artifact_store import ArtifactStore
from stilts.store.layout import done_path
from stilts.study.strict import LENIENT, Count, Finite, Kept, KeptValue, Seconds


@with_config(LENIENT)
@dataclass(frozen=True, slots=True, kw_only=True)
class TrainResult:
    """A training: its compute and wall-clock (Unix) seconds, steps, the step whose weights were kept, its curve.

    ``curve`` has a (step, loss, learning rate) for each point, ``select`` a (step, score by task); ``examples`` were
    seen of each task; ``data`` says what the views are, by digest, that the payload names.
    """

    seconds: Seconds = 0.0
    started: Seconds | None = None
    ended: Seconds | None = None
    steps: Count = 0
    kept_step: Count = 0
    tokens: Count = 0
    peak_memory_gib: Seconds = 0.0
    curve: KeptValue = None
    select: KeptValue = None
    examples: Mapping[str, Finite] = field(default_factory=dict)
    data: Kept = field(default_factory=dict)
    execution: Kept = field(default_factory=dict)

    @property
    def took(self) -> float:
        """Seconds from reading to publishing; of one that was resumed at least those of all its steps."""
        around = self.ended - self.started if self.ended is not None and self.started is not None else 0.0
        return max(self.seconds, around)


@with_config(LENIENT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """The threshold that an evaluation mined by, and on what it was chosen."""

    threshold: Finite | None
    on: Kept


@with_config(LENIENT)
@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateResult:
    """One language of one use: score 0 to 100 (a correlation from -100), further figures, level of guessing.

    ``score`` is None where the data have none: nothing to find in them, or (and then there are no ``parts``) no labels.
    """

    score: Finite | None
    num_items: Annotated[int, Field(ge=0, le=10**8)]
    seconds: Seconds = 0.0
    started: Seconds | None = None
    ended: Seconds | None = None
    parts: Mapping[str, Finite] = field(default_factory=dict)
    chance: Finite | None = None
    no_answer_threshold: Finite | None = None
    calibration: Calibration | None = None
    execution: Kept = field(default_factory=dict)

    @property
    def took(self) -> float:
        """Seconds that it took."""
        return self.seconds


@with_config(LENIENT)
@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateResult:
    """A cheap estimate: a figure, a mean vector, or None where nothing can be said."""

    value: Finite | list[Finite] | None
    seconds: Seconds = 0.0
    started: Seconds | None = None
    ended: Seconds | None = None
    execution: Kept = field(default_factory=dict)

    @property
    def took(self) -> float:
        """Seconds that it took."""
        return self.seconds


Result: TypeAlias = TrainResult | EvaluateResult | EstimateResult
_TYPES: Mapping[str, type[TrainResult] | type[EvaluateResult] | type[EstimateResult]] = {
    "train": TrainResult,
    "evaluate": EvaluateResult,
    "estimate": EstimateResult,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """Results by key; ``faults`` are publications that cannot be read."""

    values: Mapping[str, Result]
    faults: Mapping[str, UnreadableError]


def typed_result(key: str, fields: Mapping[str, Json]) -> Result:
    """The result of a key from its fields; DamagedError where they are not those of its kind."""
    kind = _TYPES.get(key.partition("-")[0])
    if kind is None:
        raise StoreError(f"result of {key}", "a stage's id begins with train-, evaluate- or estimate-")
    return from_fields(kind, done_path(key), fields)


def results_of(store: ArtifactStore, keys: Sequence[str]) -> Results:
    """The results of those keys that are published; one round of parallel reads in a bucket."""
    found = store.publications(keys)
    values: dict[str, Result] = {}
    faults: dict[str, UnreadableError] = dict(found.damaged)
    for key, published in found.good.items():
        try:
            values[key] = typed_result(key, published.result)
        except UnreadableError as fault:
            faults[key] = fault
    return Results(values=values, faults=faults)


def payload_of(store: ArtifactStore, key: str) -> Mapping[str, Json] | None:
    """The identity payload of a key; None where it is not published, or cannot be read."""
    published = store.publications([key]).good.get(key)
    return None if published is None else published.payload


def result_of(store: ArtifactStore, key: str) -> Result:
    """The result of a published key; StoreError where it is not published, DamagedError where it cannot be read."""
    return typed_result(key, store.result(key))


def evaluation_of(store: ArtifactStore, key: str) -> EvaluateResult:
    """The result of an evaluation; errors as of ``result_of``."""
    found = result_of(store, key)
    if not isinstance(found, EvaluateResult):
        raise StoreError(f"result of {key}", "it is no evaluation", "", "Name the key of an evaluation")
    return found
