"""Which artifacts a stage's weights come from, told by the payloads in the store: they stay when weights go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stilts.fingerprint import Json
from stilts.store.artifact_store import ArtifactStore
from stilts.study.stage import Stage, TrainStage
from stilts.tasks.adapter import ParentAdapter


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The stage whose artifact holds all weights (None: the pretrained encoder), and the adapters on it, lowest first.

    Adapters, too, are named by their stages.
    """

    base: str | None = None
    adapters: tuple[str, ...] = ()

    @property
    def stages(self) -> tuple[str, ...]:
        """All of them, nearest first."""
        return (*reversed(self.adapters), *(() if self.base is None else (self.base,)))


def start_of(stage: Stage, store: ArtifactStore) -> Origin:
    """What a stage starts from; StoreError where its parent is not published."""
    treated = stage.parent_adapter if isinstance(stage, TrainStage) else None
    return _start(stage.parent, treated, store)


def weights_of(stage_id: str, store: ArtifactStore) -> Origin:
    """What a published train stage's weights consist of; StoreError where it is not published."""
    payload = store.payload(stage_id)
    config = payload["config"]
    if not isinstance(config, Mapping) or "adapter" not in config:
        return Origin(base=stage_id)
    below = _start(payload["parent"], payload.get("parent_adapter"), store)
    return Origin(base=below.base, adapters=(*below.adapters, stage_id))


def are_there(stage_id: str, store: ArtifactStore) -> bool:
    """Whether the stage is done and all that its weights consist of is in the store."""
    return store.is_done(stage_id) and not any(map(store.gone, weights_of(stage_id, store).stages))


def _start(parent: Json, treated: Json, store: ArtifactStore) -> Origin:
    if parent is None:
        return Origin()
    found = weights_of(str(parent), store)
    return Origin(base=found.base, adapters=found.adapters[:-1]) if treated == ParentAdapter.DROP.value else found
