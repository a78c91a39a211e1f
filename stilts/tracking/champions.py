"""The best model of every target in MLflow's model registry, under the alias ``champion``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlparse

from stilts.tracking.mlflow_settings import apply_settings, one_at_a_time
from stilts.tracking.unreachable import explained

apply_settings()

from mlflow import MlflowClient  # noqa: E402 (the settings must stand before MLflow reads them)
from mlflow.entities.model_registry import ModelVersion  # noqa: E402
from mlflow.exceptions import MlflowException  # noqa: E402

ALIAS = "champion"


@dataclass(frozen=True, slots=True, kw_only=True)
class Champion:
    """The model chosen for one target.

    ``source`` is where the store keeps the train artifact (URL or folder); ``score`` (0 to 100) is on ``report``;
    ``run_id`` is the MLflow run of its replicate, where it is known (``SyncReport.run_ids``).
    """

    target: str
    intermediate: str
    stage_id: str
    source: str
    score: float
    run_id: str | None = None


def register_champions(study: str, champions: Iterable[Champion], tracking_uri: str) -> dict[str, int]:
    """The version that carries the alias now, by target. A champion that carries it already gets no new version."""
    with explained(tracking_uri), one_at_a_time(tracking_uri):
        client = MlflowClient(tracking_uri=tracking_uri, registry_uri=tracking_uri)
        return {each.target: _register(client, study, each, tracking_uri) for each in champions}


def _register(client: MlflowClient, study: str, champion: Champion, tracking_uri: str) -> int:
    name = f"{study}.{champion.target}".replace("/", "_").replace(":", "_")
    current = _current(client, name)
    if current is not None and current.tags.get("stage_id") == champion.stage_id:
        return int(current.version)
    version = _version_of(client, name, champion) or client.create_model_version(
        name,
        _source(champion, tracking_uri),
        run_id=champion.run_id,
        tags={
            "stage_id": champion.stage_id,
            "study": study,
            "target": champion.target,
            "intermediate": champion.intermediate,
            "score": str(champion.score),
            "location": champion.source,
        },
        await_creation_for=0,
    )
    client.set_registered_model_alias(name, ALIAS, str(version.version))
    return int(version.version)


def _current(client: MlflowClient, name: str) -> ModelVersion | None:
    """The version with the alias; None for a model that is new (and is made) or that has no champion."""
    try:
        model = client.get_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        client.create_registered_model(name)
        return None
    version = model.aliases.get(ALIAS)
    return None if version is None else client.get_model_version(name, str(version))


def _version_of(client: MlflowClient, name: str, champion: Champion) -> ModelVersion | None:
    """An earlier version of the same stage: a champion that lost its alias and wins it back."""
    versions = client.search_model_versions(f"name='{name}'")
    same = [each for each in versions if each.tags.get("stage_id") == champion.stage_id]
    return min(same, key=lambda each: int(each.version), default=None)


def _source(champion: Champion, tracking_uri: str) -> str:
    """The store's location; a server refuses paths of another machine, so it is given a name instead."""
    is_local = urlparse(champion.source).scheme in ("", "file")
    if is_local and urlparse(tracking_uri).scheme in ("http", "https"):
        return f"stilts-store:/{champion.stage_id}"
    return champion.source
