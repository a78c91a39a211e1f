"""A whole cluster here: Ray with tokens on a head and workers, a bucket, and MLflow with accounts on PostgreSQL.

Started as deploy/README.md types it, each part on a machine of its own (``machines.py``). ``user`` is the laptop from
which studies are submitted.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from tests.cluster import parts
from tests.cluster.machines import Lan, Machine, lan, until
from tests.cluster.parts import BUCKET, Bucket, Database, TrackingServer
from tests.cluster.ray_nodes import RayNode
from tests.deploy.files import DEPLOY
from tests.e2e.ray_head import NEEDED
from tests.e2e.studies import ROOT
from tests.e2e.watching import counted_steps, watched

_OPEN = "import urllib.request as r; r.urlopen('http://localhost:{port}', timeout=5)"


def lacking() -> list[str]:
    """What a cluster needs and this machine lacks; ``make cluster-test`` and ``.ci/run`` install it."""
    return [name for name in NEEDED if find_spec(name) is None] + parts.lacking()


def typed(having: str) -> list[str]:
    """The lines of the block of deploy/README.md that has these words, without their comments."""
    text = (DEPLOY / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    (found,) = (block for block in blocks if having in block)
    return [line.partition(" #")[0].rstrip() for line in found.splitlines()]


@dataclass(kw_only=True)
class Lab:
    """The cluster's parts. ``watch`` has a folder for each node, where its Pythons report (``e2e/watching.py``)."""

    lan: Lan
    folder: Path
    user: Machine
    bucket: Bucket
    database: Database
    mlflow: TrackingServer
    head: RayNode = field(init=False)
    workers: list[RayNode] = field(default_factory=list)

    @property
    def watch(self) -> Path:
        return self.folder / "watch"

    def steps(self) -> int:
        """How many optimizer steps were taken on all nodes together."""
        return sum(map(counted_steps, self.watch.iterdir()))

    @property
    def address(self) -> str:
        """The job server's address, for a shell on the head or one with a tunnel to it."""
        return f"http://localhost:{self.head.machine.port(8265)}"

    @property
    def gcs(self) -> str:
        return self.head.machine.at(6379)

    @property
    def store(self) -> str:
        return f"s3://{BUCKET}/stilts"

    @property
    def tracking(self) -> str:
        return self.mlflow.uri

    def type(self, *words: object, on: Machine | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
        """What ``stilts WORDS...`` printed, with the token shown, on the head's machine if no other is named."""
        shell = {"RAY_AUTH_MODE": "token", **self.bucket.variables, "MLFLOW_TRACKING_URI": self.tracking}
        return (on or self.head.machine).run(
            ["python", "-m", "stilts.cli.main", *words], **{**shell, "PYTHONPATH": self.with_code(on), **variables}
        )

    def open_tunnel(self) -> None:
        """From then on the user's port 8265 is that of the head's own loopback interface."""
        if not self.lan.apart:
            return
        port, file = 8265, self.folder / "tunnel"
        for machine, side in ((self.head.machine, "there"), (self.user, "here")):
            machine.start(["python", ROOT / "tests/cluster/tunnel.py", side, port, file])
        until(lambda: self.user.run(["python", "-c", _OPEN.format(port=port)]).returncode == 0, within_s=30)

    def start_head(self, *words: str) -> None:
        machine = self.member("head")
        lines = typed("ray start --head")
        lines[-1] = lines[-1].replace("--port=6379", f"--port={machine.port(6379)}")
        more = [] if self.lan.apart else [f"--dashboard-port={machine.port(8265)}", f"--temp-dir={machine.own}/ray"]
        self.head = RayNode(machine, lines, self.bucket.variables, *more, *words)
        self.head.start()

    def add_worker(
        self, *words: str, prepared: Callable[[Machine], None] = lambda machine: None, **variables: str
    ) -> RayNode:
        """One more node, on a machine of its own, that has joined; ``prepared`` gets the machine before that."""
        number = sum(name.startswith("worker-") for name in self.lan.machines) + 1  # those that are gone, too
        machine = self.member(f"worker-{number}")
        prepared(machine)
        lines = [line.replace("HEAD:6379", self.gcs) for line in typed("ray start --address")]
        node = RayNode(machine, lines, {**self.bucket.variables, **variables}, *words)
        node.start()
        self.workers.append(node)
        return node

    def member(self, name: str) -> Machine:
        """A machine that is ready to be a node: it has the token and MLflow's account, and its Pythons are watched."""
        watch = watched(self.watch / name)
        machine = self.lan.machine(name, path=[Path(watch["PYTHONPATH"])])
        machine.environment |= {"WATCH": watch["WATCH"], "RAY_worker_niceness": "0"}  # else a busy machine starves them
        self.give(machine)
        return machine

    def give(self, machine: Machine) -> None:
        """Copies token and account to a machine's home, mode 600."""
        for place, secret in ((".ray/auth_token", self.user.home / ".ray/auth_token"), *self._accounts()):
            path = machine.home / place
            path.parent.mkdir(mode=0o700, exist_ok=True)
            if path != secret:
                shutil.copy(secret, path)
            path.chmod(0o600)

    def _accounts(self) -> list[tuple[str, Path]]:
        return [(".mlflow/credentials", self.folder / "secrets/mlflow_credentials")]

    def with_code(self, machine: Machine | None = None) -> str:
        """PYTHONPATH for a shell in which stilts is typed: the repository, and what the machine has."""
        return f"{ROOT}:{(machine or self.head.machine).environment['PYTHONPATH']}"


@contextmanager
def lab(
    folder: Path, *, workers: int = 2, head_words: Sequence[str] = (), worker_words: Sequence[str] = (), **how: bool
) -> Iterator[Lab]:
    """A cluster below a folder that is up, and gone afterwards with all of its processes, however the test ended."""
    with ExitStack() as stack:
        net = stack.enter_context(lan(folder, **how))
        subprocess.run([DEPLOY / "make-secrets.sh", folder / "secrets", "localhost"], check=True, capture_output=True)
        user, services = net.machine("user"), net.machine("mlflow")
        bucket = Bucket(net.machine("bucket"))
        database = Database(services, folder / "secrets/postgres_password")
        stack.callback(database.forget)
        mlflow = TrackingServer(services, folder / "secrets", bucket)
        made = user.run(["sh", "-euc", "\n".join(typed("get-auth-token"))])
        assert made.returncode == 0, made.stderr
        for part in (bucket, database):
            part.start()
        mlflow.launch()  # it takes longer than all else
        whole = Lab(lan=net, folder=folder, user=user, bucket=bucket, database=database, mlflow=mlflow)
        whole.give(user)
        whole.start_head(*head_words)
        for _ in range(workers):
            whole.add_worker(*worker_words)
        mlflow.wait()
        yield whole
