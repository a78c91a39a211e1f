"""StudyRecords in a store: written by a run, read and checked by everything that looks at a study."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from stilts.addresses import has_secret
from stilts.errors import DamagedError, StoreError, UnreadableError
from stilts.ledger.records import RecordKind, Shelf
from stilts.store.artifact_store import ArtifactStore
from stilts.store.layout import is_key, is_stage, record_path
from stilts.study.record import NONE_ROW, StageFacts, StudyRecord, parents_of

STUDIES = RecordKind(type=StudyRecord, template="studies/{}/record")


def write_study(store: ArtifactStore, record: StudyRecord) -> None:
    """Keeps the record under its study's name."""
    STUDIES.write(store, record, record.name)


def study_record_name(study: str) -> str:
    """The name of the record that a study leaves in the store."""
    return STUDIES.name(study)


def study_names(store: ArtifactStore) -> list[str]:
    """The names of all studies that were run on the store."""
    names = (name.split("/") for name in store.records("studies"))
    return sorted({parts[1] for parts in names if len(parts) == 3 and parts[2] == "record"})


def read_study(store: ArtifactStore, name: str) -> StudyRecord | None:
    """The record of a study, None where there is none; DamagedError or NewerError where it cannot be read."""
    record = STUDIES.read(store, name)
    return None if record is None else check_study(record, name)


def all_studies(store: ArtifactStore) -> Shelf[StudyRecord]:
    """The records of all studies of the store by name; one that cannot be read is a fault of that study alone."""
    shelf = STUDIES.several(store, study_names(store))
    values: dict[str, StudyRecord] = {}
    faults: dict[str, UnreadableError] = dict(shelf.faults)
    for name, record in shelf.values.items():
        try:
            values[name] = check_study(record, name)
        except DamagedError as fault:
            faults[name] = fault
    return Shelf(values=values, faults=faults)


def load_study(store: ArtifactStore, name: str, *, typed: str = "") -> StudyRecord:
    """The record of a study; StoreError where the store has none, naming those that it has.

    ``typed`` is what the user called it by: a study file, or its name.
    """
    record = read_study(store, name)
    if record is None:
        raise StoreError(
            f'study "{name}" in the store {store.url}',
            "it was never run there",
            f"Studies in it: {', '.join(study_names(store)) or 'none'}",
            f"Run it first: {_run_command(typed or name, store.url)}",
        )
    return record


def _run_command(study: str, url: str) -> str:
    """What to type; a store's address with secrets in it comes from the environment, not from a command line."""
    if has_secret(url):
        return f"stilts run {study}, with the store's address in STILTS_STORE"
    return f"stilts run {study} --store {url}"


def check_study(record: StudyRecord, name: str) -> StudyRecord:
    """The record, whose parts belong together; DamagedError where they do not."""
    flaw = next(_flaws(record, name), None)
    if flaw is not None:
        raise DamagedError(record_path(STUDIES.name(name)), flaw, study=name)
    return record


def _flaws(record: StudyRecord, name: str) -> Iterator[str]:
    if record.name != name:
        yield f'it is of the study "{record.name}"'
    rows, columns = {row.name for row in record.rows}, {column.name for column in record.columns}
    if len(rows) < len(record.rows) or len(columns) < len(record.columns) or NONE_ROW not in rows:
        yield 'its rows or columns are not distinct, or "none" is missing'
    for stage_id, facts in record.stages.items():
        if not is_stage(stage_id) or not facts["outputs"] or not all(map(is_key, facts["outputs"])):
            yield f"stage {stage_id[:80]} or one of its outputs has no name that stilts gives"
        if not record.stages.keys() >= set(parents_of(facts)):
            yield f"stage {stage_id} starts from one that it does not have"
        if not record.stages.keys() >= set(facts.get("rests_on", ())):
            yield f"stage {stage_id} rests on one that it does not have"
    yield from _flaws_of_parents(record.stages)
    for replicate in record.replicates:
        used = (*replicate.scoring_stages, replicate.target_stage, replicate.intermediate_stage)
        if replicate.row not in rows or replicate.column not in columns:
            yield f"replicate {replicate.replicate_id} is of no row and column of it"
        if any(stage is not None and stage not in record.stages for stage in used):
            yield f"replicate {replicate.replicate_id} names a stage that it does not have"
        uses = (*replicate.outputs.values(), *replicate.stressed.values())
        if not all(is_key(key) for by_language in uses for key in by_language.values()):
            yield f"replicate {replicate.replicate_id} has an output with no name that stilts gives"


def _flaws_of_parents(stages: Mapping[str, StageFacts]) -> Iterator[str]:
    try:
        TopologicalSorter({stage_id: parents_of(facts) for stage_id, facts in stages.items()}).prepare()
    except CycleError as error:
        yield f"the parents of stage {error.args[1][0]} form a circle"
