"""The best model of every target in MLflow's model registry, under the alias ``champion``.

A version holds the model itself in MLflow's transformers flavour, so that
``mlflow.transformers.load_model("models:/<study>.<target>@champion")`` loads it; one that is too large to copy, or lies
in a bucket, is registered by reference and its tags say so. ``model_flavour.py`` writes the flavour.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlparse

from stilts.tracking.existing import experiment_id
from stilts.tracking.mlflow_settings import apply_settings, one_at_a_time
from stilts.tracking.model_flavour import log_flavour
from stilts.tracking.unreachable import explained

apply_settings()

from mlflow import MlflowClient  # noqa: E402 (the settings must stand before MLflow reads them)
from mlflow.entities.model_registry import ModelVersion  # noqa: E402
from mlflow.exceptions import MlflowException  # noqa: E402

ALIAS = "champion"
# What MLflow 3.17's table of versions holds of a description.
_MAX_DESCRIPTION = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Champion:
    """The model chosen for one target.

    ``write`` puts the model into an empty folder as plain transformers with its card; None for one that is registered
    by reference, for the reason ``by_reference``. ``locate`` says where the store keeps it (URL or folder). Both are
    called only for a version that is new. ``score`` (0 to 100) is on ``report``; ``card`` is Markdown; ``run_id`` is
    the MLflow run of its replicate, where it is known (``SyncReport.run_ids``).
    """

    target: str
    intermediate: str
    stage_id: str
    kind: str
    score: float
    locate: Callable[[], str]
    write: Callable[[Path], None] | None = None
    by_reference: str = ""
    card: str = ""
    run_id: str | None = None

    @property
    def form(self) -> str:
        """How it is registered: ``transformers`` can be loaded from MLflow, ``reference`` says where it lies."""
        return "reference" if self.write is None else "transformers"


def register_champions(study: str, champions: Iterable[Champion], tracking_uri: str) -> dict[str, int]:
    """The version that carries the alias now, by target. A champion that carries it already gets no new version.

    Raises StiltsError when MLflow cannot be reached or refuses.
    """
    with explained(tracking_uri), one_at_a_time(tracking_uri):
        client = MlflowClient(tracking_uri=tracking_uri, registry_uri=tracking_uri)
        return {each.target: _register(client, study, each, tracking_uri) for each in champions}


def model_name(study: str, target: str) -> str:
    """The name in the registry: ``<study>.<target>``."""
    return f"{study}.{target}".replace("/", "_").replace(":", "_")


def _register(client: MlflowClient, study: str, champion: Champion, tracking_uri: str) -> int:
    name = model_name(study, champion.target)
    version = _current(client, name)
    if version is None or not _holds(version, champion):
        version = _version_of(client, name, champion) or _create(client, study, champion, tracking_uri)
        client.set_registered_model_alias(name, ALIAS, str(version.version))
    _describe(client, version, champion)
    return int(version.version)


def _create(client: MlflowClient, study: str, champion: Champion, tracking_uri: str) -> ModelVersion:
    name, tags = model_name(study, champion.target), _tags(study, champion)
    if champion.write is None:
        source, model_id = _source(champion.locate(), champion.stage_id, tracking_uri), None
    else:
        experiment = experiment_id(client, study, tracking_uri)
        logged = log_flavour(
            client,
            experiment,
            name=name,
            kind=champion.kind,
            write=champion.write,
            run_id=champion.run_id,
        )
        # Neither models:/<id> nor an id without its run: MLflow looks both up at its global tracking address.
        source, model_id = logged.artifact_location, logged.model_id if champion.run_id else None
    return client.create_model_version(
        name, source, run_id=champion.run_id, tags=tags, await_creation_for=0, model_id=model_id
    )


def _tags(study: str, champion: Champion) -> dict[str, str]:
    tags = {
        "stage_id": champion.stage_id,
        "study": study,
        "target": champion.target,
        "intermediate": champion.intermediate,
        "kind": champion.kind,
        "score": str(champion.score),
        "location": _shown_location(champion),
        "form": champion.form,
    }
    reason = {"by_reference": f"{champion.by_reference}: make a folder of it with stilts export"}
    return tags | (reason if champion.by_reference else {})


def _holds(version: ModelVersion, champion: Champion) -> bool:
    """Whether a version is this champion in this form; versions without the tag are of before there were forms."""
    form = version.tags.get("form", "reference")
    return version.tags.get("stage_id") == champion.stage_id and form == champion.form


def _describe(client: MlflowClient, version: ModelVersion, champion: Champion) -> None:
    """Keeps the description at the card, whose figures change as replicates are added; without the front matter.

    The location too: versions of before have a path of a machine there.
    """
    text = champion.card.split("\n---\n", 1)[-1].strip()
    if len(text) > _MAX_DESCRIPTION:
        text = text[: _MAX_DESCRIPTION - 40].rsplit("\n", 1)[0] + "\n\n(cut: the model's README.md has all)"
    if text and version.description != text:
        client.update_model_version(version.name, str(version.version), description=text)
    if _is_path(version.tags.get("location", "")):
        client.set_model_version_tag(version.name, str(version.version), "location", _in_store(champion.stage_id))


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
    return min((v for v in versions if _holds(v, champion)), key=lambda each: int(each.version), default=None)


def _source(location: str, stage_id: str, tracking_uri: str) -> str:
    """The store's location; a server refuses paths of another machine, so it is given a name instead."""
    if _is_path(location) and urlparse(tracking_uri).scheme in ("http", "https"):
        return _in_store(stage_id)
    return location


def _shown_location(champion: Champion) -> str:
    """Where the store keeps it, for a tag: a name where that is a path of this machine."""
    location = champion.locate()
    return _in_store(champion.stage_id) if _is_path(location) else location


def _is_path(location: str) -> bool:
    return urlparse(location).scheme in ("", "file")


def _in_store(stage_id: str) -> str:
    return f"stilts-store:/{stage_id}"
