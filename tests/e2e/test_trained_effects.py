"""Effects that are built into toy data, in studies that are trained: three seeds each, and the claims go their way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.studies import stilts, tiny_study

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

TRAINED = {"steps": 60, "learning_rate": 1e-3, "limit": 400}
STUDY: dict[str, Any] = {
    "name": "effects",
    "defaults": {
        "intermediate": {**TRAINED, "steps": 240},
        "target": TRAINED,
        "encoding": {"max_length": 96, "batch_size": 16, "layer": 1},
        "limits": {"select": 60, "report": 120},
    },
    "intermediates": {
        "none": None,
        "near": {"task": "udpos"},  # more of the target itself
        "near_shuffled": {"task": "udpos", "control": "shuffled_labels"},
        "harm": {"task": "mnli", "train": {"learning_rate": 1.0, "steps": 60, "clip_norm": 1e6}},  # ruins the encoder
    },
    "targets": {"udpos": {"languages": ["en", "qaa"]}},
    "robustness": [{"perturb": "swap", "strength": 0.6}],
    "replicates": {"default": {"count": 3}},
    "claims": [
        {"name": "near_helps", "gain": {"row": "near"}, "above": 0},
        {"name": "more_than_shuffled", "gain": {"row": "near", "over": "near_shuffled"}, "above": 0},
        {"name": "harm_harms", "gain": {"row": "harm"}, "below": 0},
        {"name": "swaps_cost", "drop": {"row": "near", "under": "swap"}, "above": 0},
    ],
}


def test_claims_about_built_in_effects_go_their_way(tmp_path: Path) -> None:
    study = tiny_study(tmp_path, **STUDY)
    ran = stilts("run", study, "--store", tmp_path / "store", "--local", cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr

    told = stilts("best", study, "--store", tmp_path / "store", "--json", cwd=tmp_path)
    claims = {one["name"]: one for one in json.loads(told.stdout)["claims"]}
    print({name: (one["effect"], one["low"], one["high"], one["standing"]) for name, one in claims.items()})
    assert claims["near_helps"]["effect"] > 0 and claims["more_than_shuffled"]["effect"] > 0
    assert claims["harm_harms"]["effect"] < 0 and claims["swaps_cost"]["effect"] > 0
    assert all(one["standing"] != "not supported" for one in claims.values())
    assert [one["standing"] for one in claims.values()].count("supported") >= 2
