"""Census: the stages that the studies of a store ask for, and the weights that lie in it, as values.

Gathered for ``gc.py``; decided upon in ``retention.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from stilts.fingerprint import Json
from stilts.store.retention import PlannedStage, Retention, StoredWeights, WeightsUse
from stilts.store.store import Store
from stilts.study.record import NONE_ROW, StudyRecord, is_pretraining_possible, stages_between
from stilts.study.stage import Estimate

Stages: TypeAlias = Mapping[str, Mapping[str, Json]]


def take_census(store: Store, given: Sequence[StudyRecord], pinned: frozenset[str]) -> Retention:
    """What the given studies, and all others recorded in the store, ask for and have."""
    planned: dict[str, PlannedStage] = {}
    uses: dict[str, set[WeightsUse]] = {}
    trains: set[str] = set()
    for stages, replicates, pretrains in _studies(store, given):
        for stage_id, fields in stages.items():
            planned[stage_id] = _merged(planned.get(stage_id), stage_id, fields)
            if fields.get("kind") == "train":
                trains.add(stage_id)
        for intermediate, target in replicates:
            uses.setdefault(str(intermediate), set()).add(WeightsUse.INTERMEDIATE)
            uses.setdefault(str(target), set()).add(WeightsUse.TARGET)
            for between in stages_between(intermediate, target, stages, pretrains=pretrains):
                uses.setdefault(between, set()).add(WeightsUse.INTERMEDIATE)
    done = store.done()
    weights = _weights(store, sorted(trains & done), uses)
    return Retention(planned=planned, weights=weights, done=done, pruned=_pruned(store), pinned=pinned)


def seconds_of(result: Mapping[str, Json]) -> float:
    """Seconds of work that a published result reports; 0 where it does not say."""
    value = result.get("seconds")
    return float(value) if isinstance(value, int | float) else 0.0


def _studies(store: Store, given: Sequence[StudyRecord]) -> Iterator[tuple[Stages, list[tuple[Json, Json]], bool]]:
    """Stages, (intermediate stage, target stage) of each replicate, whether the study may pretrain; study by study."""
    for record in given:
        pairs: list[tuple[Json, Json]] = [(item.intermediate_stage, item.target_stage) for item in record.replicates]
        pairs += [_estimated(o.row, o.estimate, o.key, record.stages) for o in record.estimates]
        yield record.stages, pairs, is_pretraining_possible(record.training_data)
    names = {f"studies/{record.name}/record" for record in given}
    stored = store.records("studies")
    for name in (name for name in stored if name.endswith("/record") and name not in names):
        fields = _dict(store.read_record(name))
        replicates = fields.get("replicates")
        items = [_dict(item) for item in (replicates if isinstance(replicates, list) else [])]
        stages = {stage_id: _dict(stage) for stage_id, stage in _dict(fields.get("stages")).items()}
        pairs = [(item.get("intermediate_stage"), item.get("target_stage")) for item in items]
        estimates = fields.get("estimates")
        outputs = [_dict(item) for item in (estimates if isinstance(estimates, list) else [])]
        named = [(item.get("row"), item.get("estimate"), str(item.get("key"))) for item in outputs]
        pairs += [_estimated(row, estimate, key, stages) for row, estimate, key in named]
        yield stages, pairs, is_pretraining_possible(_dict(fields.get("training_data")))


def _estimated(row: Json, estimate: Json, key: str, stages: Stages) -> tuple[Json, Json]:
    """(intermediate stage, target stage) that an estimate looks at: its row's recipe, and a probe's fine-tuning."""
    parent = stages.get(key.partition("/")[0], {}).get("parent")
    tuned = parent if estimate == Estimate.PROBE else None
    start = stages.get(str(tuned), {}).get("parent") if tuned else parent
    return (start if row is not None and row != NONE_ROW and estimate != Estimate.EMBEDDING else None), tuned


def _merged(known: PlannedStage | None, stage_id: str, fields: Mapping[str, Json]) -> PlannedStage:
    """The stage with the outputs of every study that asks for it."""
    parent, outputs = fields.get("parent"), fields.get("outputs")
    keys = {str(key) for key in outputs} if isinstance(outputs, list | tuple) else {stage_id}
    keys.update(known.outputs if known else ())
    return PlannedStage(
        stage_id=stage_id, parent=parent if isinstance(parent, str) else None, outputs=tuple(sorted(keys))
    )


def _weights(store: Store, stage_ids: Sequence[str], uses: Mapping[str, set[WeightsUse]]) -> dict[str, StoredWeights]:
    results, gone = store.results(stage_ids), store.gone_keys()
    return {
        stage_id: StoredWeights(
            stage_id=stage_id,
            uses=frozenset(uses.get(stage_id) or {WeightsUse.PRETRAINING}),
            bytes=sum(store.sizes(stage_id).values()),
            gone=stage_id in gone,
            seconds=seconds_of(results[stage_id]),
        )
        for stage_id in stage_ids
    }


def _pruned(store: Store) -> frozenset[str]:
    """Ids of pruned stages: records ``studies/<study>/pruned/<stage id>``."""
    parts = (name.split("/") for name in store.records("studies"))
    return frozenset(part[3] for part in parts if len(part) == 4 and part[2] == "pruned")


def _dict(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}
