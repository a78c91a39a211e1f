"""Faults of a cluster's parts while a study fills its store in a bucket: nodes, head, bucket, MLflow, PostgreSQL.

The cluster is ``tests/cluster``'s: Ray with tokens on machines of their own, MLflow with accounts on PostgreSQL. Stages
run on its two workers, one at a time; the driver is typed on the head, which holds none.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from stilts.store import open_store
from stilts.store.store import Store
from tests.cluster.conftest import cluster_parts
from tests.cluster.lab import Lab, lab
from tests.cluster.machines import Running, until
from tests.cluster.ray_nodes import RayNode
from tests.e2e.watching import resumed_steps
from tests.faults.world import INSIDE, STEP_S, STEPS, TRAININGS, study_in

__all__ = ["cluster_parts"]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
LONGEST_S = 420.0
# Longer than botocore and s3fs try by themselves: what is left is our patience.
AWAY_S = 180.0
# The study, the trained row, and the replicate of each of two cells.
RUNS = 4
# Typed on the head: which runs MLflow has of a study.
_RUNS = """
import json, sys
from mlflow import MlflowClient
client = MlflowClient()
found = client.get_experiment_by_name(sys.argv[1])
runs = client.search_runs([found.experiment_id], max_results=1000) if found else []
print(json.dumps(sorted(run.info.run_name for run in runs)))
"""


@dataclass(kw_only=True)
class Study:
    """A study on the cluster, with a store and a name of its own."""

    cluster: Lab
    file: Path
    name: str
    without: str = ""
    steps_before: int = 0
    runs: list[Running] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"{self.cluster.store}-{self.name}"

    def type(self) -> Running:
        """``stilts run`` on the head, begun."""
        self.steps_before = self.steps_before or self.cluster.steps()
        words = ["run", self.file, "--store", self.url, "--address", self.cluster.gcs, "--checkpoint-every", "0.5"]
        run = self.cluster.head.machine.start(
            ["python", "-m", "stilts.cli.main", *words, "--root", f"encoders={self.file.parent}"],
            **{"RAY_AUTH_MODE": "token", **self.cluster.bucket.variables, "MLFLOW_TRACKING_URI": self.cluster.tracking},
            PYTHONPATH=self.cluster.with_code(),
            WITHOUT=self.without,
        )
        self.runs.append(run)
        return run

    def ended(self) -> int:
        """The exit status of the last command."""
        run = self.runs[-1]
        until(lambda: not run.alive(), within_s=LONGEST_S, told=run.log.read_text)
        return int(run.started.wait(30))

    def steps(self) -> int:
        return self.cluster.steps() - self.steps_before

    def store(self) -> Store:
        return open_store(self.url)

    def done(self) -> dict[str, Any]:
        """Every published result but for how it was executed, times among it."""
        store, apart = self.store(), ("started", "ended", "seconds", "execution", "peak_memory_gib")
        return {key: {k: v for k, v in store.result(key).items() if k not in apart} for key in store.done()}

    def trained(self) -> int:
        try:
            return sum("/" not in key for key in self.store().done())
        except Exception:
            return 0

    def in_the_middle(self) -> int:
        """Waits until the second training is under way; the steps taken in all."""

        def half_way() -> bool:
            over = self.steps() - STEPS * self.trained()
            return self.steps() > STEPS and STEPS // 4 <= over <= STEPS // 2

        until(half_way, within_s=LONGEST_S, told=self.runs[-1].log.read_text)
        return self.steps()

    def node_at_work(self) -> RayNode:
        holders = {state.owner.host for state in self.store().lease_states() if state.live}
        (found,) = [node for node in self.cluster.workers if node.machine.name in holders]
        return found


@pytest.fixture(scope="module")
def cluster(cluster_parts: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    path = os.pathsep.join(part for part in (os.environ.get("PYTHONPATH", ""), str(INSIDE)) if part)
    with (
        mock.patch.dict(os.environ, PYTHONPATH=path, STEP_S=str(STEP_S)),
        lab(tmp_path_factory.mktemp("cluster"), head_words=("--num-cpus=0",), worker_words=("--num-cpus=1",)) as made,
    ):
        if not made.lan.apart:
            pytest.skip("cables are pulled, so machines need networks of their own")
        address = f"http://{made.bucket.machine.address}:{made.bucket.machine.port(9000)}"
        with mock.patch.dict(os.environ, {**made.bucket.variables, "AWS_ENDPOINT_URL": address}):
            yield made


@contextmanager
def study(cluster: Lab, folder: Path, name: str, without: str = "") -> Iterator[Study]:
    file = study_in(folder, name=name, resources={"cpus": 1, "max_concurrent": 1})
    made = Study(cluster=cluster, file=file, name=name, without=without)
    try:
        yield made
    finally:
        for run in made.runs:
            run.end(9)


@pytest.fixture(scope="module")
def undisturbed(cluster: Lab, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    with study(cluster, tmp_path_factory.mktemp("study"), "undisturbed") as made:
        made.type()
        assert made.ended() == 0, made.runs[-1].log.read_text()
        assert made.steps() == STEPS * TRAININGS
        return made.done()


def kill_raylet(made: Study) -> None:
    made.node_at_work().kill_raylet()


def lose_node(made: Study) -> None:
    made.node_at_work().kill()


def cut_bucket(made: Study) -> None:
    cable = made.cluster.bucket.machine
    made.cluster.lan.unplug(cable)
    time.sleep(AWAY_S)  # the fault's own length
    made.cluster.lan.unplug(cable, again=True)


def slow_bucket(made: Study) -> None:
    """For half a minute the bucket answers one half of a second in every two."""
    for _ in range(15):
        made.cluster.bucket.running.pause()
        time.sleep(1.5)
        made.cluster.bucket.running.resume()
        time.sleep(0.5)


def restart_mlflow(made: Study) -> None:
    made.cluster.mlflow.stop()
    made.cluster.mlflow.start()


def restart_database(made: Study) -> None:
    made.cluster.database.stop()
    time.sleep(10.0)
    made.cluster.database.start()


def mend_workers(cluster: Lab) -> None:
    for node in cluster.workers:
        if not node.raylets():
            node.kill()
            node.start()


@pytest.mark.parametrize(
    ("fault", "most_again"),
    [
        (cut_bucket, 0),
        (slow_bucket, 0),
        (kill_raylet, STEPS),
        (lose_node, STEPS),
        (restart_mlflow, 0),
        (restart_database, 0),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_the_run_goes_on_by_itself(
    fault: Callable[[Study], None], most_again: int, cluster: Lab, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    with study(cluster, tmp_path, fault.__name__.replace("_", "-")) as made:
        run = made.type()
        steps, before = made.in_the_middle(), made.done()
        assert before and steps - STEPS * made.trained() < STEPS, "it struck between two stages"
        begun = time.monotonic()
        fault(made)
        until(lambda: made.steps() > steps, within_s=LONGEST_S, told=run.log.read_text)
        lost_s = time.monotonic() - begun
        assert made.ended() == 0, run.log.read_text()
        assert ("retried" in run.log.read_text()) == bool(most_again), run.log.read_text()
        assert made.done() == undisturbed and before.items() <= made.done().items()
        again = made.steps() - STEPS * TRAININGS
        assert 0 <= again <= most_again, f"{again} steps were taken twice"
        assert len(shown(made)) == RUNS, "MLflow lacks something"
        told = {"fault": fault.__name__, "steps again": again, "lost_s": round(lost_s, 1)}
        print(told, [step for node in cluster.watch.iterdir() for step in resumed_steps(node) if step > 0])
        if out := os.environ.get("STILTS_FAULTS_OUT"):
            with open(out, "a") as stream:
                stream.write(json.dumps(told) + "\n")
    mend_workers(cluster)


def test_without_patience_a_bucket_that_is_away_fails_stages(cluster: Lab, tmp_path: Path) -> None:
    """Stages' processes are what asks a bucket while they train, so their nodes are told to have no patience."""
    for node in cluster.workers:
        node.kill()
        node.start(WITHOUT="patience")
    try:
        with study(cluster, tmp_path, "impatient", without="patience") as made:
            run = made.type()
            made.in_the_middle()
            cut_bucket(made)
            status, said = made.ended(), run.log.read_text()
            assert status == 1 or "retried" in said, said
            assert "in the store" in said
    finally:
        for node in cluster.workers:
            node.kill()
            node.start()


def test_a_head_that_is_killed_is_one_sentence_and_submitting_again_goes_on(
    cluster: Lab, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    with study(cluster, tmp_path, "headless") as made:
        run = made.type()
        steps, before = made.in_the_middle(), made.done()
        (gcs,) = cluster.head.machine.processes("gcs_server")
        gcs.kill()
        assert made.ended() == 1
        said = run.log.read_text()
        assert said.count("has not answered for 30 s") == 1 and "Start the cluster again" in said, said
        assert "Failed to connect to GCS" not in said and "Traceback" not in said
        for node in (cluster.head, *cluster.workers):
            node.kill()
            node.start()
        made.type()
        assert made.ended() == 0, made.runs[-1].log.read_text()
        assert made.done() == undisturbed and before.items() <= made.done().items()
        assert made.steps() - STEPS * TRAININGS <= steps - STEPS


def shown(made: Study) -> list[str]:
    """The names of the study's runs in MLflow."""
    done = made.cluster.head.machine.run(
        ["python", "-c", _RUNS, made.name],
        MLFLOW_TRACKING_URI=made.cluster.tracking,
        PYTHONPATH=made.cluster.with_code(),
    )
    assert done.returncode == 0, done.stderr
    found: list[str] = json.loads(done.stdout.splitlines()[-1])
    return found
