"""Faults: what in a store is not as stilts wrote it, found by reading all of it. Nothing is changed here.

Seals and shapes are asked of every file. What a study rests on is looked at to the last byte: files against their
checksums, examples against results, summaries against both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from stilts.errors import DamagedError, InputError, NewerError, StoreError, UnknownNameError
from stilts.ledger.examples import read_statistics
from stilts.ledger.records import (
    CONFIRMATIONS,
    DECISIONS,
    DISJOINT,
    FAILURES,
    FERTILITY,
    GRANTS,
    JUDGED,
    PROPOSALS,
    PRUNED,
    ROW_ENDS,
    ROWS_AT_ONCE,
    SPENDING,
    STOPPED,
    TEMPOS,
    RecordKind,
)
from stilts.ledger.results import EvaluateResult, evaluation_of, typed_result
from stilts.ledger.study_record import STUDIES, check_study
from stilts.ledger.summary import SUMMARIES, Summary, output_summary, summarise
from stilts.store.layout import (
    FILES,
    PROGRESS,
    RECORDS,
    STAGES,
    done_path,
    gone_path,
    is_object,
    parse_state,
    record_path,
)
from stilts.store.published import Published
from stilts.store.store import Store
from stilts.study.record import StudyRecord
from stilts.tasks.kinds import metric_named

KINDS: Sequence[RecordKind[Any]] = (  # the first whose template fits a name
    STUDIES,
    SUMMARIES,
    PROPOSALS,
    DECISIONS,
    PRUNED,
    JUDGED,
    GRANTS,
    CONFIRMATIONS,
    ROW_ENDS,
    SPENDING,
    STOPPED,
    FERTILITY,
    FAILURES,
    DISJOINT,
    ROWS_AT_ONCE,
    TEMPOS,
)
# Figures that are worked out again from the same numbers agree to this.
_TOLERANCE = 1e-9


class FaultKind(StrEnum):
    """What is wrong: not as it was written, no longer there, never finished, or not what another file says."""

    DAMAGED = "damaged"
    GONE = "gone"
    HALF_WRITTEN = "half-written"
    DISAGREES = "disagrees"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault: the paths that are to be set aside, relative to the store, and what was found.

    ``key`` is the artifact concerned, "" for a record. ``marks_gone``: its result stays and its files count as dropped.
    """

    kind: FaultKind
    paths: tuple[str, ...]
    found: str
    key: str = ""
    marks_gone: bool = False


def find_faults(store: Store, study: StudyRecord | None) -> list[Fault]:
    """Everything that is wrong in the store, what bears on the study to the last byte (None: all that there is)."""
    faults = [
        Fault(kind=FaultKind.DAMAGED, paths=(path,), found=found)
        for path, found in store.misplaced().items()
        if not path.startswith(f"{RECORDS}/") or path.endswith(".json") or _is_folder_of_records(path)
    ]
    faults += _in_records(store)
    keys = store.keys()
    deep = {key for stage in study.stages.values() for key in stage["outputs"]} if study else set(keys)
    for key, states in sorted(keys.items()):
        fault = _of_key(store, key, states, deep=key in deep)
        if fault is not None:
            faults.append(fault)
    broken = {fault.key for fault in faults if fault.key and not fault.marks_gone}
    faults += _in_summaries(store, study, broken)
    faults += _in_progress(store)
    live = store.leased()
    faults += [
        Fault(
            kind=FaultKind.HALF_WRITTEN,
            paths=(f"{FILES}/{attempt.key}/{attempt.token}",),
            found="files of an attempt to publish that was never finished",
            key=attempt.key,
        )
        for attempt in store.orphans()
        if not {attempt.key, attempt.key.partition("/")[0]} & live
    ]
    return [fault for fault in faults if fault.paths]


def _in_records(store: Store) -> Iterator[Fault]:
    names = list(store.records(""))
    bodies = store.record_bodies(names)
    for name, error in bodies.damaged.items():
        yield Fault(kind=FaultKind.DAMAGED, paths=(record_path(name),), found=error.found)
    for name, body in bodies.good.items():
        kind = next((kind for kind in KINDS if kind.fits(name)), None)
        try:
            value = kind.parse(name, body) if kind is not None else None
            if isinstance(value, StudyRecord):
                check_study(value, name.split("/")[1])
        except DamagedError as error:
            yield Fault(kind=FaultKind.DAMAGED, paths=(record_path(name),), found=error.found)
        except NewerError:
            continue  # its study's matter: nothing is wrong with it


def _is_folder_of_records(path: str) -> bool:
    name = path.removeprefix(f"{RECORDS}/")
    return any(kind.fits_folder(name) for kind in KINDS)


def _of_key(store: Store, key: str, states: Sequence[str], *, deep: bool) -> Fault | None:
    """What is wrong with one artifact; None where nothing is."""
    generations = sorted(number for word, number in filter(None, map(parse_state, states)) if word == "done")
    if not generations or generations[0] != 0:
        return _whole_key(key, FaultKind.GONE, "its first publication is gone")
    try:
        first = _read(store, key, 0)
        result = typed_result(key, first.result)
    except StoreError as error:
        return _whole_key(key, FaultKind.DAMAGED, error.found)
    last = generations[-1]
    try:
        published = first if last == 0 else _read(store, key, last)
    except StoreError as error:
        return _of_its_files(key, (done_path(key, last), gone_path(key, last)), error.found)
    return _of_files(store, key, last, published, result if isinstance(result, EvaluateResult) else None, deep=deep)


def _of_files(
    store: Store, key: str, generation: int, published: Published, evaluated: EvaluateResult | None, *, deep: bool
) -> Fault | None:
    gone, is_train = store.gone(key), key.startswith("train-")
    if gone:
        try:
            store.documents.value(gone_path(key, generation))
        except DamagedError as error:
            return _of_its_files(key, (gone_path(key, generation),), error.found)
        if is_train or not deep:
            return None
        return _whole_key(key, FaultKind.GONE, "its files were dropped, and its answers rest on them")
    if not deep:
        return None
    try:
        store.fetch(key)
    except StoreError as error:
        if is_train:
            return _of_its_files(key, (f"{FILES}/{key}/{published.attempt}",), error.found)
        return _whole_key(key, FaultKind.DAMAGED, error.found)
    return None if evaluated is None else _of_examples(store, key, published, evaluated)


def _of_examples(store: Store, key: str, published: Published, evaluated: EvaluateResult) -> Fault | None:
    """What of an evaluation's examples is not what its result says."""
    name = published.result.get("metric")
    if not isinstance(name, str):
        return None  # a result from before metrics were named in it
    try:
        measure = metric_named(name)
        _, rows = read_statistics(store, key, measure.columns)
        sums = dict(zip(measure.columns, map(float, rows.sum(axis=0)), strict=True))
        again = float(measure.score(sums)) if measure.is_defined(sums) else None
    except UnknownNameError:
        return None  # the package that brings the metric is not installed: nothing can be said of its score
    except (StoreError, InputError) as error:
        return _whole_key(key, FaultKind.DAMAGED, error.found)
    if not _is_same(again, evaluated.score):
        found = f"its examples score {_said(again)}, its result says {_said(evaluated.score)}"
        return _whole_key(key, FaultKind.DISAGREES, found)
    return None


def _is_same(one: float | None, other: float | None) -> bool:
    return one is other is None or (one is not None and other is not None and abs(one - other) <= _TOLERANCE)


def _said(score: float | None) -> str:
    return "nothing" if score is None else f"{score:.6g}"


def _in_summaries(store: Store, study: StudyRecord | None, broken: set[str]) -> Iterator[Fault]:
    stages = [name for name, facts in study.stages.items() if facts["kind"] == "evaluate"] if study else None
    names = SUMMARIES.own_names(store) if stages is None else stages
    for stage_id, summary in SUMMARIES.several(store, names).values.items():
        wrong = next((key for key in summary.outputs if key in broken or not _agrees(store, key, summary)), None)
        if wrong is not None:
            yield Fault(
                kind=FaultKind.DISAGREES,
                paths=(record_path(SUMMARIES.name(stage_id)),),
                found=f"what it says of {wrong} is not what was published",
            )


def _agrees(store: Store, key: str, summary: Summary) -> bool:
    """Whether a summary says of an output what its artifact does."""
    said = summary.outputs[key]
    try:
        if said.items is None:  # too many examples to be in it
            return said.result == summarise(evaluation_of(store, key), [], {}).result
        return output_summary(store, key, tuple(said.rows)) == said
    except StoreError:
        return False


def _in_progress(store: Store) -> Iterator[Fault]:
    names = [f"{PROGRESS}/{name}" for name in store.backend.names(PROGRESS)]
    for path, error in store.documents.bodies([path for path in names if is_object(path)]).damaged.items():
        yield Fault(kind=FaultKind.DAMAGED, paths=(path,), found=error.found)


def _read(store: Store, key: str, generation: int) -> Published:
    path = done_path(key, generation)
    body = store.documents.body(path)
    if body is None:
        raise DamagedError(path, "it is gone")
    return Published.parse(path, body)


def _of_its_files(key: str, paths: tuple[str, ...], found: str) -> Fault:
    """The fault of an artifact whose result is good: its files are made anew where something needs them."""
    return Fault(kind=FaultKind.DAMAGED, paths=paths, found=found, key=key, marks_gone=True)


def _whole_key(key: str, kind: FaultKind, found: str) -> Fault:
    """The fault of an artifact that is to be made anew: all that it published is set aside."""
    return Fault(kind=kind, paths=(f"{STAGES}/{key}", f"{FILES}/{key}"), found=found, key=key)
