"""Studies over toy data and an encoder folder that is only ever hashed, for tests of planning."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from stilts.app.workspace import assemble
from stilts.study.resolved_study import ResolvedStudy
from stilts.study.study import Study

CONFIG = {
    "model_type": "xlm-roberta",
    "hidden_size": 32,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 130,
    "pad_token_id": 1,
}


def write_encoder_folder(folder: Path) -> None:
    """Files that can be pinned, though not loaded."""
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(CONFIG))
    (folder / "tokenizer.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"weights")


def study_fields(**changes: Any) -> dict[str, Any]:
    """A small study: two rows beside none, two columns, one of them untrained."""
    return {
        "name": "small",
        "encoder": {"path": "tiny"},
        "data": {"source": "toy"},
        "defaults": {
            "intermediate": {"steps": 20},
            "target": {"steps": 10},
            "encoding": {"max_length": 96},
        },
        "intermediates": {"none": None, "mnli": None, "hellaswag": None},
        "targets": {"udpos": {"languages": ["en", "qaa"]}, "tatoeba": None},
        **changes,
    }


def parsed(folder: Path, **changes: Any) -> Study:
    """The study as a file ``study.yaml`` in the folder (JSON is YAML)."""
    return Study.parse(json.dumps(study_fields(**changes)), folder / "study.yaml")


def resolved(folder: Path, **changes: Any) -> ResolvedStudy:
    """That study, with its data pinned."""
    return assemble(parsed(folder, **changes)).resolved
