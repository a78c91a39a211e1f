"""Stages of 0.5, 1 and 2 CPUs, trained on GPUs and evaluated without, end on a cluster whose workers stay warm."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cluster.lab import Lab
from tests.e2e.studies import tiny_study

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500), pytest.mark.usefixtures("apart")]
TRAINED = {"steps": 6, "learning_rate": 1e-3, "limit": 16}
_RESULTS = """
import json
from stilts.store import open_store
store = open_store("s3://stilts/mixed")
print(json.dumps({key: store.result(key) for key in store.done()}))
"""


def test_every_stage_is_done_under_what_it_asked_for_in_few_processes(open_cluster: Lab, tmp_path: Path) -> None:
    cluster = open_cluster
    study = tiny_study(
        tmp_path,
        name="mixed",
        defaults={
            "intermediate": {**TRAINED, "steps": 5},  # else a row that learns a target's task is that target over none
            "target": TRAINED,
            "encoding": {"max_length": 96, "batch_size": 4, "layer": 1},
            "limits": {"select": 8, "report": 8},
        },
        intermediates={"none": None, "mnli": {"resources": {"cpus": 2}}},
        replicates={"default": {"count": 4}},
        resources={"cpus": 1, "gpus": 1, "evaluate": {"cpus": 0.5, "gpus": 0}},
    )
    before = trainers(cluster)
    with_gpus = cluster.add_worker("--num-cpus=2", "--num-gpus=2")  # simulated: stages train on the CPU
    try:
        places = ["--address=http://HEAD:8265", "--store=s3://stilts/mixed", f"--root=encoders={tmp_path}"]
        words = ["submit", study, *places, f"--tracking-uri={cluster.tracking}", "--follow", "--", "--device", "cpu"]
        ran = cluster.type(*words, on=cluster.user)
    finally:
        with_gpus.machine.lose_power()
        cluster.workers.remove(with_gpus)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    print(ran.stdout)
    read = cluster.user.run(["python", "-c", _RESULTS], PYTHONPATH=cluster.with_code(), **cluster.bucket.variables)
    results = json.loads(read.stdout)
    trained = {key: one for key, one in results.items() if "/" not in key}
    assert len(trained) == 20 and len(results) - len(trained) >= 16
    held = {key: (one["execution"]["held"]["cpus"], one["execution"]["held"]["gpus"]) for key, one in results.items()}
    assert {held[key] for key in trained} == {(1.0, 1.0), (2.0, 1.0)}
    assert {held[key] for key in results.keys() - trained.keys()} == {(0.5, 0.0)}
    # Two GPUs and two CPUs: at most two stages of one CPU, or one of two, train at a time.
    assert len(trainers(cluster) - before) <= 3, "workers are not kept warm"
    assert {path.parent.name for path in trainers(cluster) - before} == {with_gpus.machine.name}


def trainers(cluster: Lab) -> set[Path]:
    """A file for each process that took an optimizer step."""
    return set(cluster.watch.glob("*/*.steps"))
