"""The sbatch script, run with Slurm's and Ray's commands replaced: what it starts, and how it ends by each signal."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy import known
from tests.deploy.files import DEPLOY

SCRIPT = DEPLOY / "slurm" / "study.sbatch"
TEXT = SCRIPT.read_text(encoding="utf-8")
# From sbatch's and srun's manuals.
SBATCH = frozenset(
    "job-name nodes ntasks-per-node cpus-per-task mem time output open-mode no-kill requeue signal".split()
)
SRUN = frozenset("overlap kill-on-bad-exit cpus-per-task nodes ntasks ntasks-per-node nodelist exclude".split())

FAKES = {
    # What it deletes on the nodes would be this machine's.
    "srun": 'while [ "${1#--}" != "$1" ]; do shift; done; [ "$1" = rm ] || exec "$@"',
    "hostname": "echo 10.0.0.1 192.168.0.1",
    "scontrol": "",
    # A node blocks until it is stopped.
    "ray": '[ "$1" = health-check ] && exit 0; trap "exit 0" TERM; while :; do sleep 0.05; done',
    # A driver works until it is stopped, and makes its checkpoint then; "short" ends when all nodes were started.
    "python": 'case "$*" in *grpc*) exit 0 ;; *broken*) exit 1 ;; *short*)\n'
    'until [ "$(grep -c "^ray start" "$HOME/calls")" -ge "$STARTS" ]; do sleep 0.05; done; exit 0 ;; esac\n'
    'trap "sleep 0.2; exit 143" TERM; echo >"$HOME/works"; while :; do sleep 0.05; done',
}


class Slurm:
    """A job of the script, on nodes that are this machine."""

    def __init__(self, home: Path, study: str, nodes: int = 1, job: int = 4711) -> None:
        self.home, self._calls = home, home / "calls"
        for name, body in FAKES.items():
            path = home / "bin" / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(f'#!/bin/sh\necho "{name} $*" >>"$HOME/calls"\n{body}\n')
            path.chmod(0o755)
        environment = {
            "HOME": str(home),
            "PATH": f"{home / 'bin'}:{os.environ['PATH']}",
            "SLURM_JOB_ID": str(job),
            "SLURM_JOB_NUM_NODES": str(nodes),
            "SLURM_CPUS_PER_TASK": "2",
            "SLURMD_NODENAME": "node1",
            "STARTS": str(min(nodes, 2)),
        }
        command = [SCRIPT, study, "--keep-weights"]
        self.process = subprocess.Popen(command, env=environment, cwd=home, stdout=subprocess.PIPE, text=True)

    def send(self, number: int) -> int:
        """The exit status after a signal that came while the driver worked."""
        deadline = time.monotonic() + 30
        while not (self.home / "works").exists():
            assert time.monotonic() < deadline and self.process.poll() is None
            time.sleep(0.02)
        self.process.send_signal(number)
        return self.process.wait(30)

    def calls(self, name: str) -> list[list[str]]:
        """What a command was called with."""
        lines = self._calls.read_text(encoding="utf-8").splitlines()
        return [words for line in lines if (words := shlex.split(line))[0] == name]


@pytest.fixture(autouse=True)
def _ended(tmp_path: Path) -> Iterator[None]:
    yield
    running = subprocess.run(
        ["pgrep", "-f", f"{tmp_path}/"], capture_output=True, text=True, check=False
    ).stdout.split()
    for each in running:
        os.kill(int(each), signal.SIGKILL)
    assert not running, "processes of the job outlived it"


@pytest.mark.parametrize(("study", "status"), [("short.yaml", 0), ("broken.yaml", 1)])
def test_a_job_ends_as_its_study_does_and_leaves_no_token(tmp_path: Path, study: str, status: int) -> None:
    job = Slurm(tmp_path, study, nodes=3)
    assert job.process.wait(30) == status
    assert job.calls("scontrol") == []
    assert list((tmp_path / ".cache/stilts").iterdir()) == []


def test_before_the_time_is_over_the_driver_is_stopped_and_the_job_queued_again(tmp_path: Path) -> None:
    job = Slurm(tmp_path, "long.yaml")
    assert job.send(signal.SIGUSR1) == 143
    assert job.calls("scontrol") == [["scontrol", "requeue", "4711"]]


def test_a_job_that_is_cancelled_makes_its_checkpoint_and_is_not_queued_again(tmp_path: Path) -> None:
    job = Slurm(tmp_path, "long.yaml")
    assert job.send(signal.SIGTERM) == 143
    assert job.calls("scontrol") == []


def test_the_token_is_in_a_file_of_its_owner_while_the_job_runs(tmp_path: Path) -> None:
    job = Slurm(tmp_path, "long.yaml")
    job_file = tmp_path / ".cache/stilts/slurm-4711.token"
    while not (tmp_path / "works").exists():
        time.sleep(0.02)
    assert job_file.stat().st_mode & 0o777 == 0o600 and len(job_file.read_text()) == 64
    job.send(signal.SIGTERM)


def test_what_it_starts_are_commands_of_ray_and_of_stilts(tmp_path: Path) -> None:
    job = Slurm(tmp_path, "short.yaml", nodes=3)
    job.process.wait(30)
    started = [*job.calls("ray"), *(words for words in job.calls("python") if words[1] != "-c")]
    assert {words[1] for words in started} == {"start", "health-check", "ray_jobs/run_study.py"}
    assert [known.command_error(words) for words in started] == [None] * len(started)
    (driver,) = [words for words in started if words[0] == "python"]
    (port,) = {found for words in started for found in re.findall(r"10\.0\.0\.1:(\d+)", " ".join(words))}
    head = next(words for words in started if "--head" in words)
    tail = ["--address", f"10.0.0.1:{port}", "--tracking-uri", "none", "--keep-weights"]
    assert f"--port={port}" in head and driver[3:] == tail


def test_head_and_workers_are_on_nodes_of_their_own(tmp_path: Path) -> None:
    job = Slurm(tmp_path, "short.yaml", nodes=3)
    job.process.wait(30)
    head, workers, _ = (" ".join(words) for words in job.calls("srun"))
    assert "--nodelist=node1" in head and "--nodes=1 " in head and "ray start --head" in head
    assert "--exclude=node1" in workers and "--nodes=2 " in workers and "ray start --block" in workers


def test_a_job_on_one_node_starts_no_workers(tmp_path: Path) -> None:
    job = Slurm(tmp_path, "short.yaml")
    job.process.wait(30)
    assert len(job.calls("ray")) == 2


def test_jobs_that_share_a_node_share_no_port(tmp_path: Path) -> None:
    ports = []
    for number in (2499, 2500, 4711):
        (tmp_path / str(number)).mkdir()
        job = Slurm(tmp_path / str(number), "short.yaml", job=number)
        job.process.wait(30)
        head = next(words for words in job.calls("ray") if "--head" in words)
        ports += [int(each) for each in re.findall(r"-port=(\d+)", " ".join(head))]
    assert len(ports) == len(set(ports)) == 15
    assert all(20000 <= each < 32768 for each in ports)


def test_options_are_those_of_the_manuals() -> None:
    said = re.findall(r"^#SBATCH --([\w-]+)", TEXT, flags=re.MULTILINE)
    assert said and set(said) <= SBATCH
    steps = re.findall(r"(?:srun|\$\{step\[@\]\}\")((?: --[\w-]+(?:=\S+)?)+)", TEXT)
    assert steps and {option for step in steps for option in re.findall(r"--([\w-]+)", step)} <= SRUN


def test_variables_that_it_sets_are_read_by_someone() -> None:
    said = set(re.findall(r"\b((?:RAY|MLFLOW|STILTS)_[A-Z_]+)=", TEXT))
    assert said and [name for name in said if not known.is_variable(name)] == []


def test_the_signal_before_the_end_is_the_one_that_queues_again() -> None:
    asked = re.search(r"^#SBATCH --signal=B:(\w+)@(\d+)$", TEXT, flags=re.MULTILINE)
    assert asked and re.search(rf"^trap 'again=yes; stop' {asked[1]}$", TEXT, flags=re.MULTILINE)
    assert int(asked[2]) >= 120
