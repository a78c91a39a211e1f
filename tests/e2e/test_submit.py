"""A study is submitted to a cluster with tokens, stopped in the middle, changed in a comment and submitted again.

Its results are those of a run on this machine, and nothing that was done is done again.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from stilts.app.job_package import packed
from stilts.study.study import Study
from tests.e2e.ray_head import RayHead, lacking, ray_head, ray_node
from tests.e2e.studies import ROOT, opened, scores, stilts, tiny_study
from tests.e2e.watching import counted_steps

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(lacking()), reason=f"the extra cluster is not installed: no {', '.join(lacking())}"),
]
WITHIN_S = 240.0
# Long enough to be stopped in the middle.
STEPS = {"steps": 300, "learning_rate": 1e-3, "limit": 64}


@dataclass(kw_only=True)
class Submitting:
    """A study, and the cluster that it is submitted to."""

    head: RayHead
    folder: Path

    @property
    def places(self) -> list[str]:
        where = {"store": self.folder / "store", "tracking-uri": f"sqlite:///{self.folder}/mlflow.db"}
        options = [f"--{name}={value}" for name, value in where.items()]
        return [f"--address={self.head.address}", *options, f"--root=encoders={self.folder}"]

    def typed(self, *words: object) -> subprocess.CompletedProcess[str]:
        return stilts(*words, cwd=self.folder / "elsewhere", env=self.head.env)

    def submit(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.typed("submit", self.folder / "little.yaml", *self.places, *words)

    def ask(self, *words: object) -> subprocess.CompletedProcess[str]:
        return self.typed(*words, f"--address={self.head.address}")

    def results(self) -> dict[str, Any]:
        """Every result as it is published, times and all."""
        if not (self.folder / "store" / "LAYOUT").exists():
            return {}
        store = opened(self.folder / "store")
        return {key: store.result(key) for key in store.done()}


@pytest.fixture(scope="module")
def submitting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Submitting]:
    folder = tmp_path_factory.mktemp("submit")
    (folder / "elsewhere").mkdir()
    defaults = {
        "intermediate": STEPS,
        "target": STEPS,
        "encoding": {"max_length": 96, "batch_size": 8, "layer": 1},
        "limits": {"select": 24, "report": 24},
    }
    tiny_study(folder, defaults=defaults, replicates={"default": {"count": 2}})
    with ray_head(folder) as head:
        yield Submitting(head=head, folder=folder)


def wait_for(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.3)


def test_a_study_is_submitted_stopped_changed_and_resumed(submitting: Submitting) -> None:
    begun = submitting.submit("--json", "--", "--checkpoint-every", "1")
    assert begun.returncode == 0, begun.stderr
    first = json.loads(begun.stdout)["submission_id"]
    wait_for(lambda: bool(submitting.results()))

    twice = submitting.submit()
    assert twice.returncode == 2 and f"job {first} fills it already" in twice.stderr

    stopped = submitting.ask("stop", "little")
    assert stopped.returncode == 0 and "checkpoint" in stopped.stdout, stopped.stderr
    log = submitting.ask("logs", "little", "--follow")
    assert log.returncode == 143, log.stdout + log.stderr
    print(log.stdout)
    lines = log.stdout.splitlines()
    order = [
        f"study little, Ray job {first}",
        f"store {submitting.folder}/store",
        "MLflow at sqlite",
        "cluster of 1 node",
    ]
    found = [next((at for at, line in enumerate(lines) if line.startswith(words)), None) for words in order]
    assert None not in found and found == sorted(found, key=lambda at: at or 0), log.stdout
    assert "What is done stays done." in log.stdout and "again" in log.stdout
    for noise in ("Traceback", "SIGTERM received", "Stack trace", "@ 0x", "ray::"):
        assert noise not in log.stdout
    before = submitting.results()
    trained = {key for key in before if "/" not in key}
    assert trained, "it was stopped before anything was done"

    study = submitting.folder / "little.yaml"
    study.write_text(study.read_text() + "\n# what we learned yesterday\n")
    (submitting.folder / "elsewhere" / "notes.md").write_text("anything")
    again = submitting.submit("--follow")
    assert again.returncode == 0, again.stdout + again.stderr
    print(again.stdout)
    second = again.stdout.partition("Submitted ")[2].partition(":")[0]
    assert second != first
    after = submitting.results()
    assert len(trained) + 2 <= len({key for key in after if "/" not in key}), "it was not stopped in the middle"
    assert {key: after[key] for key in before} == before, "something was done twice"
    assert scores(opened(submitting.folder / "store")) == scores_of_a_run_here(submitting)
    planned = sum(int(result["steps"]) for key, result in after.items() if "/" not in key)
    assert counted_steps(submitting.folder / "watch") == planned, "a step was taken twice"

    listed = json.loads(submitting.ask("jobs", "--json").stdout)
    assert [(one["study"], one["state"]) for one in listed] == [("little", "SUCCEEDED"), ("little", "STOPPED")]
    assert f"Ray job {first}" in json.loads(submitting.ask("logs", first, "--json").stdout)["log"]
    assert tags(submitting.folder) == {second}
    done = submitting.typed("status", study, f"--store={submitting.folder}/store", "--json")
    assert json.loads(done.stdout)["replicates"] == {"done": 8}


def test_without_the_token_nobody_is_let_in(submitting: Submitting) -> None:
    home = submitting.folder / "elsewhere"
    env = {name: value for name, value in submitting.head.env.items() if not name.startswith("RAY_AUTH")}
    refused = stilts("jobs", f"--address={submitting.head.address}", cwd=home, env={**env, "HOME": str(home)})
    assert refused.returncode == 1 and "it wants a token" in refused.stderr, refused.stderr


def test_a_plain_submission_does_the_same_and_refuses_what_ray_deletes(submitting: Submitting) -> None:
    package = packed(Study.load(submitting.folder / "little.yaml"), submitting.folder / "package")
    ray = [sys.executable, "-m", "ray.scripts.scripts", "job", "submit", f"--address={submitting.head.address}"]
    ray += [f"--working-dir={package.folder}", f"--runtime-env={ROOT}/ray_jobs/runtime_env.yaml", "--"]
    run, root = ["python", *package.entry, package.study], f"--root=encoders={submitting.folder}"
    store = f"--store={submitting.folder}/store"

    def submitted(*words: str) -> tuple[int, str]:
        done = subprocess.run(
            [*ray, *run, *words], cwd=submitting.folder, env=submitting.head.env, capture_output=True, text=True
        )
        return done.returncode, done.stdout + done.stderr

    status, told = submitted("--tracking-uri=none", root)
    assert status != 0 and "store stilts_store: it lies in the working directory of the Ray job" in told
    status, told = submitted(store, root)
    assert status != 0 and "sqlite:///mlflow.db: it lies in the working directory of the Ray job" in told
    status, told = submitted(store, "--tracking-uri=none", "--root=encoders=/nowhere")
    assert status != 0 and "the folder /nowhere does not exist" in told
    status, told = submitted(store, "--tracking-uri=none", root)
    assert status == 0 and "Nothing to do: every stage of the study is done." in told, told


def test_a_cluster_of_three_nodes_is_asked_for_its_folders_and_takes_no_database_file(submitting: Submitting) -> None:
    study = tiny_study(submitting.folder, name="three", targets={"xnli": {"languages": ["en", "qaa"]}})
    with ExitStack() as nodes:
        for number in (2, 3):
            nodes.enter_context(ray_node(submitting.head, submitting.folder))
            wait_for(lambda wanted=number: connected(submitting) == wanted)  # type: ignore[misc]
        refused = submitting.typed("submit", study, *submitting.places)
        assert refused.returncode == 2 and "the cluster has 3" in refused.stderr, refused.stderr
        ran = submitting.typed("submit", study, *submitting.places, "--tracking-uri=none", "--follow")
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert "cluster of 3 nodes: 3 CPUs; a stage holds 1 CPU" in ran.stdout
        assert not list((submitting.folder / "store").glob(".stilts-seen-*"))


def connected(submitting: Submitting) -> int:
    """How many nodes the job server counts, asked as ``submit`` asks it."""
    code = f"from stilts.scheduling.jobs import connect; print(connect({submitting.head.address!r}).num_nodes())"
    asked = subprocess.run([sys.executable, "-c", code], env=submitting.head.env, capture_output=True, text=True)
    assert asked.returncode == 0, asked.stderr
    return int(asked.stdout.split()[-1])


_HERE: dict[Path, dict[str, Any]] = {}


def scores_of_a_run_here(submitting: Submitting) -> dict[str, Any]:
    """What a run of the same study on this machine, without Ray, comes to."""
    store = submitting.folder / "here"
    if store not in _HERE:
        ran = submitting.typed(
            "run", submitting.folder / "little.yaml", "--local", f"--store={store}", "--tracking-uri=none"
        )
        assert ran.returncode == 0, ran.stderr
        _HERE[store] = scores(opened(store))
    return _HERE[store]


def tags(folder: Path) -> set[str]:
    """The jobs that MLflow's runs name."""
    from mlflow.tracking import MlflowClient

    client = MlflowClient(f"sqlite:///{folder}/mlflow.db")
    experiment = client.get_experiment_by_name("little")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id])
    return {run.data.tags["ray_job"] for run in runs if "ray_job" in run.data.tags}
