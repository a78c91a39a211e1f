"""Small studies over toy data and a tiny encoder, and the command line as users start it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stilts.store import Store, make_store
from tests.training.tiny import write_tiny_encoder

ROOT = Path(__file__).parents[2]
DEADLINE_S = 500.0


def tiny_study(folder: Path, **changes: Any) -> Path:
    """A study file (JSON is YAML) beside a tiny random encoder; two rows, two columns, a few dozen steps."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "tiny").exists():
        (folder / "tiny").mkdir()
        write_tiny_encoder(folder / "tiny")
    path = folder / f"{changes.get('name', 'little')}.yaml"
    path.write_text(json.dumps({**study_fields(), **changes}))
    return path


def study_fields() -> dict[str, Any]:
    return {
        "name": "little",
        "encoder": {"path": "tiny"},
        "data": {"source": "toy"},
        "defaults": {
            "intermediate": {"steps": 30, "learning_rate": 1e-3, "limit": 64},
            "target": {"steps": 20, "learning_rate": 1e-3, "limit": 64},
            "encoding": {"max_length": 96, "batch_size": 8, "layer": 1},
            "limits": {"select": 24, "report": 24},
        },
        "intermediates": {"none": None, "mnli": None},
        "targets": {"xnli": {"languages": ["en", "qaa"]}, "udpos": {"languages": ["en", "qaa"]}},
        "resources": {"cpus": 1},
    }


def environment(**more: str) -> dict[str, str]:
    """This process's environment without what the user of this machine may have set for stilts."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("STILTS_", "MLFLOW_", "RAY_"))}
    before = ours.get("PYTHONPATH", "")
    path = os.pathsep.join(part for part in (more.pop("PYTHONPATH", ""), str(ROOT), before) if part)
    return {**ours, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "PYTHONPATH": path, **more}


def command(*words: object) -> list[str]:
    return [sys.executable, "-m", "stilts.cli.main", *map(str, words)]


def stilts(*words: object, cwd: Path, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """What ``stilts WORDS...`` printed, run in a folder of its own."""
    return subprocess.run(
        command(*words), cwd=cwd, env=dict(env or environment()), capture_output=True, text=True, timeout=DEADLINE_S
    )


def scores(store: Store) -> dict[str, Any]:
    """What of every evaluation must be equal in two runs of a study: by key, the result without times."""
    keys = sorted(key for key in store.done() if "/" in key)
    times = ("started", "ended", "seconds")
    return {key: {k: v for k, v in store.result(key).items() if k not in times} for key in keys}


def opened(folder: Path) -> Store:
    return make_store(str(folder))
