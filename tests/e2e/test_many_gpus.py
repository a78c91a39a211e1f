"""A small head in front of 64 GPUs, as Ray simulates them: what is open at once follows the cluster."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.study.toy_study import study_fields

# All of a run but the stages: the desk is asked until it says wait. Few CPUs, since Ray starts a worker for each.
SCRIPT = """
import sys
import ray
from stilts import run
from stilts.app.running import RunOptions
from stilts.scheduling import runner
from stilts.search.work_source import NoStage

def ask(desk, execute, scratch, on_nodes, settings, share):
    while not isinstance(desk.next_stage(), NoStage):
        pass

runner._tune = ask
ray.init(address="local", num_cpus=2, num_gpus=64, include_dashboard=False, object_store_memory=200 * 2**20)
conductors = []
options = RunOptions(store=sys.argv[2], tracking="none", device="cpu")
run(sys.argv[1], options, on_ready=lambda workspace, conductor: conductors.append(conductor))
print("open:", len(conductors[0].searches["mnli"].proposals), conductors[0].max_open)
"""


def said(folder: Path, **resources: object) -> list[str]:
    """What a run of a searched row says on that cluster, its stages holding so much."""
    rate = {"low": 1e-6, "high": 1e-2, "log": True}
    fields = study_fields(
        encoder={"toy": True},
        selection="target_dev",
        intermediates={"mnli": {"search": {"learning_rate": rate, "proposals": 80, "sampler": "random"}}},
        targets={"udpos": {"languages": ["en"]}},
        resources=resources,
    )
    (folder / "study.yaml").write_text(json.dumps(fields))
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder / "study.yaml"), str(folder / "store")],
        capture_output=True,
        text=True,
        timeout=500,
        env=os.environ | {"RAY_USAGE_STATS_ENABLED": "0"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()


def test_as_many_proposals_are_open_as_the_cluster_runs_at_once(tmp_path: Path) -> None:
    assert "open: 64 64" in said(tmp_path, cpus=0.03, gpus=1)


def test_as_many_are_open_as_trainings_run_at_once_though_more_evaluations_would(tmp_path: Path) -> None:
    assert "open: 16 16" in said(tmp_path, cpus=0.03, gpus=1, train={"gpus": 4}, evaluate={"gpus": 0.5})
