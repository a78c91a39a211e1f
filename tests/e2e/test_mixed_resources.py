"""A study whose stages hold different amounts, typed at the command line: every cell is filled."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.e2e.studies import opened, stilts, tiny_study

TRAINED = {"steps": 6, "learning_rate": 1e-3, "limit": 16}


def test_every_cell_is_filled_and_each_stage_ran_under_what_it_asked_for(tmp_path: Path) -> None:
    study = tiny_study(
        tmp_path / "study",
        defaults={
            "intermediate": TRAINED,
            "target": TRAINED,
            "encoding": {"max_length": 96, "batch_size": 4, "layer": 1},
            "limits": {"select": 8, "report": 8},
        },
        intermediates={"none": None, "mnli": {"resources": {"cpus": 2}}},
        estimates=["h_score"],
        resources={"cpus": 1, "evaluate": {"cpus": 0.5}, "estimate": {"cpus": 0.25}},
    )
    store = opened(tmp_path / "store")
    where = ("--store", store.url)
    planned = json.loads(stilts("plan", study, *where, "--json", cwd=tmp_path).stdout)
    mnli = [one["cpus"] for one in planned["stages"] if (one["kind"], one["name"]) == ("train", "mnli")]
    assert sorted(mnli) == [1.0, 2.0], "the row's training, and that of the column xnli on the same data"
    assert {tuple(one["stages"]): one["cpus"] for one in planned["classes"]} == {
        ("mnli",): 2.0,
        ("train",): 1.0,
        ("evaluate",): 0.5,
        ("estimate",): 0.25,
    }
    cpus = {stage_id: one["cpus"] for one in planned["stages"] for stage_id in one["ids"]}

    ended = stilts("run", study, *where, "--tracking-uri", "none", "--num-cpus", "3", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    ran = {key: _held(store.result(key)) for key in store.done()}
    assert {key.split("/")[0] for key in ran} == set(cpus), "every stage of the plan is done"
    assert {key: one["cpus"] for key, one in ran.items()} == {key: cpus[key.split("/")[0]] for key in ran}
    assert {one["gpus"] for one in ran.values()} == {0.0}
    shown = json.loads(stilts("status", study, *where, "--json", cwd=tmp_path).stdout)
    assert {cell["state"] for cell in shown["cells"]} == {"done"}


def _held(result: Any) -> dict[str, float]:
    found: dict[str, float] = result["execution"]["held"]
    return found
