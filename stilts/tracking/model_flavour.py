"""A plain transformers folder as a logged model of MLflow's transformers flavour. Start at ``log_flavour``.

The flavour is written here, in the layout that ``mlflow.transformers.load_model`` reads: MLflow 3.17's own writer fails
on a folder under transformers 5 (it takes a pipeline's class where there is now a name), asks the hub about the model,
and would load the weights.

On loading MLflow builds a transformers pipeline. transformers 5 has none for span QA and multiple choice, and its
feature extraction pools nothing: models of these kinds are to be loaded with ``return_type="components"``, and their
metadata say so.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from stilts.tasks.kinds import kind_named
from stilts.tracking.mlflow_settings import apply_settings

apply_settings()

from mlflow import MlflowClient  # noqa: E402 (the settings must stand before MLflow reads them)
from mlflow.entities import LoggedModel, LoggedModelStatus  # noqa: E402
from mlflow.models import Model  # noqa: E402

_NO_PIPELINE = ("feature-extraction", "FeatureExtractionPipeline")
_NEEDED = ("mlflow", "torch", "transformers")


def log_flavour(
    client: MlflowClient, experiment: str, *, name: str, kind: str, write: Callable[[Path], None], run_id: str | None
) -> LoggedModel:
    """A new logged model that holds what ``write`` puts into a folder; it is READY once all is uploaded."""
    allowed = re.sub(r"[/:.%\"']", "_", name)
    logged = client.create_logged_model(experiment, name=allowed, source_run_id=run_id, model_type="transformers")
    status = LoggedModelStatus.FAILED
    try:
        with tempfile.TemporaryDirectory(prefix="stilts-model-") as folder:
            write_flavour(Path(folder), logged, name=name, kind=kind, write=write)
            client.log_model_artifacts(logged.model_id, folder)
        status = LoggedModelStatus.READY
    finally:
        client.finalize_logged_model(logged.model_id, status)
    return logged


def write_flavour(folder: Path, logged: LoggedModel, *, name: str, kind: str, write: Callable[[Path], None]) -> None:
    """Writes the model below ``folder`` in MLflow's layout; ``write`` puts plain transformers into ``folder/model``."""
    model, tokenizer = folder / "model", folder / "components" / "tokenizer"
    model.mkdir()
    tokenizer.mkdir(parents=True)
    write(model)
    for file in model.glob("tokenizer*.json"):
        shutil.copy(file, tokenizer)
    plain = kind_named(kind).plain
    task, pipeline = (plain.pipeline, plain.pipeline_class) if plain.pipeline_class else _NO_PIPELINE
    described = Model(
        artifact_path=logged.artifact_location,
        model_uuid=logged.model_id,
        run_id=logged.source_run_id,
        model_id=logged.model_id,
        metadata=_metadata(kind),
    )
    described.add_flavor(
        "transformers",
        transformers_version=version("transformers"),
        code=None,
        task=task,
        instance_type=pipeline,
        pipeline_model_type=json.loads((model / "config.json").read_bytes())["architectures"][0],
        source_model_name=name,
        model_binary="model",
        components=["tokenizer"],
        tokenizer_type="PreTrainedTokenizerFast",
    )
    described.model_size_bytes = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    described.save(str(folder / "MLmodel"))
    (folder / "requirements.txt").write_text("".join(f"{package}=={_release(package)}\n" for package in _NEEDED))


def _metadata(kind: str) -> dict[str, str]:
    has_pipeline = bool(kind_named(kind).plain.pipeline_class)
    how = {} if has_pipeline else {"load_with": 'mlflow.transformers.load_model(uri, return_type="components")'}
    return {"kind": kind, **how}


def _release(package: str) -> str:
    """The installed version without its local part: ``2.13.0+cpu`` is 2.13.0 on the index."""
    return version(package).partition("+")[0]
