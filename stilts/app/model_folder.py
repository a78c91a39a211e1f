"""One trained model of a study as a folder that plain transformers loads, with its card and the study file."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from stilts.analysis.champion import seed_of
from stilts.analysis.results import StudyResults
from stilts.fingerprint import Json
from stilts.models.weight_folders import Weights
from stilts.report.model_card import CardModel, model_card, model_payload
from stilts.report.model_use import PlainBase
from stilts.store.store import Store
from stilts.study.record import Replicate, StudyRecord

CARD_FILE = "README.md"


def write_model(results: StudyResults, model: CardModel, source: Weights, folder: Path) -> None:
    """Writes model, tokenizer, README.md (the card) and the study file; ``source`` holds the weights.

    Where the model has a ``base`` it is the adapter on that, as peft has it. TransferError where the weights are not
    those of the plain class.
    """
    from stilts.kinds.learning import learning_of
    from stilts.models.export import Exported, export_model, plain_class
    from stilts.models.export_adapter import export_adapter

    part, config = _learned(model_payload(results, model))
    kind = results.column(model.replicate.column).task_kind
    labels = part.get("labels")
    what = Exported(
        kind=kind,
        form=learning_of(kind).export,
        learner=str(part["learner"]) if "learner" in part else None,
        labels=tuple(map(str, labels)) if isinstance(labels, list) else (),
        layer=model.layer,
        notes=_notes(results.record, model, config),
    )
    if model.base is None:
        export_model(source, folder, what)
    else:
        export_adapter(source, folder, what, base=model.base.name)
    card = model_card(results, replace(model, plain_class=plain_class(source.base, what)))
    (folder / CARD_FILE).write_text(card, encoding="utf-8")
    if results.record.text:
        (folder / study_file(results.record)).write_text(results.record.text, encoding="utf-8")


def model_of(
    results: StudyResults, replicate: Replicate, stage: str | None, base: PlainBase | None = None
) -> CardModel:
    """The replicate's model, or its adapter on ``base``, with the command line that makes its folder again."""
    rebuild = _rebuild(results.record, replicate) + ("" if base is None else " --adapter")
    bare = CardModel(replicate=replicate, stage=stage, rebuild=rebuild, base=base)
    _, config = _learned(model_payload(results, bare))
    layer = config.get("layer")
    reads_layer = "layer" in results.column(replicate.column).task_kind.settings.training
    found = layer if reads_layer and isinstance(layer, int) else None
    return replace(bare, layer=found)


def model_bytes(store: Store, stage: str) -> int:
    """Bytes of the stage's weights."""
    return sum(size for name, size in store.sizes(stage).items() if name.endswith(".safetensors"))


def study_file(record: StudyRecord) -> str:
    """The name under which the study file lies beside a model."""
    return f"{record.name}.yaml"


def _learned(payload: Mapping[str, Json]) -> tuple[Mapping[str, Json], Mapping[str, Json]]:
    """The task and its settings in a payload: of a train stage on one task, or of an evaluation."""
    mixture = payload.get("mixture")
    parts = mixture if isinstance(mixture, list) else [payload]
    part = parts[0] if len(parts) == 1 and isinstance(parts[0], dict) else {}
    task, config = part.get("task"), part.get("config")
    return task if isinstance(task, dict) else {}, config if isinstance(config, dict) else {}


def _notes(record: StudyRecord, model: CardModel, config: Mapping[str, Json]) -> dict[str, Json]:
    """What the exported configuration says of the model's origin."""
    replicate = model.replicate
    notes: dict[str, Json] = {"study": record.name, "intermediate": replicate.row, "target": replicate.column}
    return notes | {"stage": model.stage, "max_length": config.get("max_length")}


def _rebuild(record: StudyRecord, replicate: Replicate) -> str:
    words = ["stilts", "export", study_file(record), "--target", replicate.column, "--row", replicate.row]
    words += ["--seed", seed_of(replicate)] if seed_of(replicate) else []
    return shlex.join([*words, "--model", "DIR", "--rebuild"])
