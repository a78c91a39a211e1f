"""Census: the stages that the studies of a store ask for, and the weights that lie in it, as values.

Gathered for ``gc.py``; decided upon in ``store/retention.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from stilts.errors import DamagedError
from stilts.ledger.records import PRUNED
from stilts.ledger.results import results_of
from stilts.ledger.study_record import study_names
from stilts.store.retention import PlannedStage, Retention, StoredWeights, WeightsUse
from stilts.store.store import Store
from stilts.study.record import (
    NONE_ROW,
    EstimateOutput,
    StageFacts,
    StudyRecord,
    is_pretraining_possible,
    parent_of,
    stages_between,
)
from stilts.study.stage import Estimate


def take_census(store: Store, records: Iterable[StudyRecord], pinned: frozenset[str]) -> Retention:
    """What these studies ask for and have. Stages that are damaged, or that none of them asks for, are not in it."""
    planned: dict[str, PlannedStage] = {}
    uses: dict[str, set[WeightsUse]] = {}
    trains: set[str] = set()
    records = tuple(records)
    for record in records:
        pretrains = is_pretraining_possible(record.training_data)
        for stage_id, facts in record.stages.items():
            planned[stage_id] = _merged(planned.get(stage_id), stage_id, facts)
            if facts["kind"] == "train":
                trains.add(stage_id)
            for recipe in facts.get("merged", ()):
                uses.setdefault(recipe, set()).add(WeightsUse.INTERMEDIATE)
        for intermediate, target in _pairs(record):
            uses.setdefault(str(intermediate), set()).add(WeightsUse.INTERMEDIATE)
            uses.setdefault(str(target), set()).add(WeightsUse.TARGET)
            for between in stages_between(intermediate, target, record.stages, pretrains=pretrains):
                uses.setdefault(between, set()).add(WeightsUse.INTERMEDIATE)
    done = store.done()
    done -= store.publications(
        sorted({key for stage in planned.values() for key in stage.outputs} & done)
    ).damaged.keys()
    weights = _weights(store, sorted(trains & done), uses)
    kept = pinned.union(*map(_to_merge, records))
    return Retention(planned=planned, weights=weights, done=done, pruned=_pruned(store), pinned=kept)


def _to_merge(record: StudyRecord) -> frozenset[str]:
    """The recipes that merges still to be drawn will add up."""
    drawn = {row.name: {one.proposal for one in record.replicates if one.row == row.name} for row in record.rows}
    wanted = {
        name for row in record.rows for name in row.merges if row.searched and len(drawn[row.name]) < row.num_proposals
    }
    return frozenset(
        one.intermediate_stage for one in record.replicates if one.row in wanted and one.intermediate_stage is not None
    )


def _pairs(record: StudyRecord) -> Iterator[tuple[str | None, str | None]]:
    """(intermediate stage, target stage) of each replicate, and of what estimates look at."""
    for item in record.replicates:
        yield item.intermediate_stage, item.target_stage
    for output in record.estimates:
        yield _estimated(output, record.stages)


def _estimated(output: EstimateOutput, stages: Mapping[str, StageFacts]) -> tuple[str | None, str | None]:
    """(intermediate stage, target stage) that an estimate looks at: its row's recipe, and a probe's fine-tuning."""
    parent = parent_of(output.key.partition("/")[0], stages)
    tuned = parent if output.estimate == Estimate.PROBE else None
    start = parent_of(tuned, stages) if tuned else parent
    has_recipe = output.row is not None and output.row != NONE_ROW and output.estimate != Estimate.EMBEDDING
    return (start if has_recipe else None), tuned


def _merged(known: PlannedStage | None, stage_id: str, facts: StageFacts) -> PlannedStage:
    """The stage with the outputs of every study that asks for it."""
    keys = {*facts["outputs"], *(known.outputs if known else ())}
    return PlannedStage(
        stage_id=stage_id,
        parent=facts["parent"],
        outputs=tuple(sorted(keys)),
        rests_on=tuple(facts.get("rests_on", ())),
        merged=tuple(facts.get("merged", ())),
    )


def _weights(store: Store, stage_ids: Sequence[str], uses: Mapping[str, set[WeightsUse]]) -> dict[str, StoredWeights]:
    results, gone = results_of(store, stage_ids).values, store.gone_keys()
    found: dict[str, StoredWeights] = {}
    for stage_id, result in results.items():
        try:
            size = sum(store.sizes(stage_id).values())
        except DamagedError:
            continue
        found[stage_id] = StoredWeights(
            stage_id=stage_id,
            uses=frozenset(uses.get(stage_id) or {WeightsUse.PRETRAINING}),
            bytes=size,
            gone=stage_id in gone,
            seconds=result.seconds,
        )
    return found


def _pruned(store: Store) -> frozenset[str]:
    """Ids of stages that some study pruned."""
    return frozenset(stage_id for study in study_names(store) for stage_id in PRUNED.own_names(store, study))
