"""The records that studies and stages write: a frozen type for each, its name in the store, writing and reading.

Those that say what was decided have their types in ``decision.py``. No other file names a record. A record that cannot
be read is an error of that record alone: ``Shelf.faults`` holds it, and what reads many goes on with the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from pydantic import with_config

from stilts.errors import DamagedError, UnreadableError
from stilts.ledger.decision import (
    CellsDecision,
    Confirmation,
    Grant,
    Judged,
    ProposalRecord,
    Pruned,
    RowEnd,
    Stopped,
)
from stilts.ledger.typed import from_body, study_of, to_fields
from stilts.store.artifact_store import ArtifactStore
from stilts.store.layout import record_path
from stilts.study.strict import STRICT, Count, Finite, Seconds

T = TypeVar("T")


@with_config(STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a stage failed the last time: the error's class and message, how often it failed, when (Unix seconds).

    ``node`` is the machine's name, "" where it is not known.
    """

    stage_id: str
    error: str
    kind: str
    attempts: Count
    time: Seconds
    node: str = ""


@with_config(STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """What one run spent: seconds of stages, times the GPUs held, number of stages, (start, end) of each spell."""

    seconds: Seconds
    gpu_seconds: Seconds
    trials: Count
    busy: tuple[tuple[Finite, Finite], ...]


@with_config(STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageFertility:
    """Tokens and words of a language's texts, what counted as a word; ``reason`` says why there is no ratio."""

    tokens: Count
    words: Count
    source: str = ""
    tokens_per_word: Finite | None = None
    reason: str = ""


@with_config(STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class FertilityRecord:
    """Tokens per word of a study's languages under the tokenizer of this digest."""

    tokenizer: str
    languages: Mapping[str, LanguageFertility]


@with_config(STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Disjoint:
    """The proof that a target's splits share no item, for the data of the record's name."""

    target: str
    languages: tuple[str, ...]


@with_config(STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class RowsAtOnce:
    """How many rows a training was halved to, and of what: the record's name is the digest of all that bears on it."""

    rows: Count
    device: str
    encoder: str
    kind: str
    max_length: Count


@with_config(STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Tempo:
    """Seconds that a stage took, and those of arithmetic: the record's name is the digest of what they go by."""

    seconds: Seconds
    assumed: Seconds
    stage_id: str
    encoder: str
    device: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf(Generic[T]):
    """What was read of one kind of records, by name without its prefix; ``faults`` are those that cannot be read."""

    values: Mapping[str, T]
    faults: Mapping[str, UnreadableError]

    def all_good(self) -> Mapping[str, T]:
        """The values; raises the first fault where there is one: for those who must not act on a part."""
        for fault in self.faults.values():
            raise fault
        return self.values


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordKind(Generic[T]):
    """One kind of records: its type, and its name with ``{}`` for each part that varies, the last one its own.

    ``parts`` gives the parts that a value says too, the study left out; a record that says others is damaged.
    ``named`` are fields that only the name says, by the number of its part.
    """

    type: type[T]
    template: str
    parts: Callable[[T], tuple[str, ...]] | None = None
    named: Mapping[int, str] = field(default_factory=dict)

    def name(self, *parts: str) -> str:
        """The name of one record."""
        return self.template.format(*parts)

    def own_parts(self, value: T) -> tuple[str, ...]:
        """The parts of a value's name, the study left out."""
        return self.parts(value) if self.parts is not None else ()

    def read(self, store: ArtifactStore, *parts: str) -> T | None:
        """The record, or None where there is none; DamagedError or NewerError where it cannot be read."""
        name = self.name(*parts)
        shelf = self._shelf(store, [name])
        return shelf.all_good().get(name)

    def known(self, store: ArtifactStore, *parts: str) -> T | None:
        """The record, None also where it cannot be read: of what is made again, or said elsewhere too."""
        try:
            return self.read(store, *parts)
        except UnreadableError:
            return None

    def write(self, store: ArtifactStore, value: T, *parts: str, create_only: bool = False) -> bool:
        """Writes the record; with ``create_only`` one that is there stays, and False comes back."""
        fields = {key: item for key, item in to_fields(value).items() if key not in self.named.values()}
        return store.write_record(self.name(*parts), fields, create_only=create_only)

    def delete(self, store: ArtifactStore, *parts: str) -> None:
        """Deletes the record, if there is one."""
        store.delete_record(self.name(*parts))

    def exists(self, store: ArtifactStore, *parts: str) -> bool:
        """Whether there is such a record, readable or not."""
        return store.has_record(self.name(*parts))

    def own_names(self, store: ArtifactStore, *parts: str) -> list[str]:
        """The last parts of the names of all records under the given first parts, sorted."""
        prefix = self._prefix(*parts)
        return [name.removeprefix(prefix) for name in store.records(prefix.rstrip("/")) if name.startswith(prefix)]

    def all(self, store: ArtifactStore, *parts: str) -> Shelf[T]:
        """All records under the given first parts, by what is left of their names, sorted."""
        prefix = self._prefix(*parts)
        names = [f"{prefix}{own}" for own in self.own_names(store, *parts)]
        shelf = self._shelf(store, names)
        return Shelf(
            values={name.removeprefix(prefix): value for name, value in sorted(shelf.values.items())},
            faults={name.removeprefix(prefix): fault for name, fault in sorted(shelf.faults.items())},
        )

    def several(self, store: ArtifactStore, owns: Sequence[str]) -> Shelf[T]:
        """Those records of a kind with one varying part that there are, by that part."""
        names = {self.name(own): own for own in owns}
        shelf = self._shelf(store, list(names))
        return Shelf(
            values={names[name]: value for name, value in shelf.values.items()},
            faults={names[name]: fault for name, fault in shelf.faults.items()},
        )

    def fits(self, name: str) -> bool:
        """Whether a record of this name is of this kind."""
        parts, own = name.split("/"), self.template.split("/")
        return len(parts) == len(own) and all(one in ("{}", other) for one, other in zip(own, parts, strict=True))

    def fits_folder(self, name: str) -> bool:
        """Whether records of this kind lie in a folder of this name."""
        parts, own = name.split("/"), self.template.split("/")
        return len(parts) < len(own) and all(one in ("{}", other) for one, other in zip(own, parts, strict=False))

    def parse(self, name: str, body: bytes) -> T:
        """The record of this name from its JSON text; DamagedError or NewerError where it is none."""
        value = from_body(self.type, record_path(name), body)
        if self.named:
            slots = zip(name.split("/"), self.template.split("/"), strict=True)
            given = [part for part, slot in slots if slot == "{}"]
            value = replace(value, **{field: given[place] for place, field in self.named.items()})  # type: ignore[type-var]
        own = "/".join(self.own_parts(value))
        if not f"/{name}".endswith(f"/{own}" if own else ""):
            found = f"it says that it is {own[:80]}, which is not its name"
            raise DamagedError(record_path(name), found, study=study_of(record_path(name)))
        return value

    def _prefix(self, *parts: str) -> str:
        """What the names of all records begin with whose first parts these are."""
        return "{}".join(self.template.split("{}")[: len(parts) + 1]).format(*parts)

    def _shelf(self, store: ArtifactStore, names: Sequence[str]) -> Shelf[T]:
        bodies = store.record_bodies(names)
        values: dict[str, T] = {}
        faults: dict[str, UnreadableError] = {
            name: error.of(study_of(error.file)) for name, error in bodies.damaged.items()
        }
        for name, body in bodies.good.items():
            try:
                values[name] = self.parse(name, body)
            except UnreadableError as fault:
                faults[name] = fault
        return Shelf(values=values, faults=faults)


def number_part(number: int, digits: int = 4) -> str:
    """A number as names of records have it, so that they sort: proposals and races 4 digits, decisions 5, steps 8."""
    return f"{number:0{digits}d}"


FAILURES = RecordKind(type=Failure, template="failures/{}", parts=lambda one: (one.stage_id,))
PROPOSALS = RecordKind(
    type=ProposalRecord,
    template="studies/{}/proposals/{}/{}",
    parts=lambda one: (one.row, number_part(one.number)),
    named={1: "row"},
)
DECISIONS = RecordKind(
    type=CellsDecision, template="studies/{}/decisions/{}", parts=lambda one: (number_part(one.number, 5),)
)
PRUNED = RecordKind(type=Pruned, template="studies/{}/pruned/{}", parts=lambda one: (one.stage_id,))
JUDGED = RecordKind(
    type=Judged,
    template="studies/{}/rungs/{}/{}/{}/{}",
    parts=lambda one: (one.row, one.column, number_part(one.proposal), number_part(one.step, 8)),
)
GRANTS = RecordKind(
    type=Grant,
    template="studies/{}/races/{}/{}",
    parts=lambda one: (one.row, number_part(one.proposal)),
    named={1: "row"},
)
CONFIRMATIONS = RecordKind(type=Confirmation, template="studies/{}/confirmations/{}", parts=lambda one: (one.row,))
ROW_ENDS = RecordKind(type=RowEnd, template="studies/{}/row_ends/{}", parts=lambda one: (one.row,))
SPENDING = RecordKind(type=Spending, template="studies/{}/spending/{}")
STOPPED = RecordKind(type=Stopped, template="studies/{}/stopped", named={0: "study"})
FERTILITY = RecordKind(type=FertilityRecord, template="studies/{}/fertility")
DISJOINT = RecordKind(type=Disjoint, template="disjoint/{}")
ROWS_AT_ONCE = RecordKind(type=RowsAtOnce, template="rows_at_once/{}")
TEMPOS = RecordKind(type=Tempo, template="tempos/{}")
