"""What a cluster needs beside Ray, each for real: a bucket (moto's S3), PostgreSQL, and MLflow with accounts on it.

Each is started, stopped, killed, paused and started again by its methods; what PostgreSQL holds outlives that, what
moto's bucket holds is in its memory: pause it or pull its cable.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import tempfile
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from tests.cluster.machines import Machine, Running, until
from tests.deploy.files import DEPLOY

BUCKET = "stilts"
# MLflow takes half a minute on an idle machine, most of it for its tables and its imports.
_UP_WITHIN_S = 400.0


class Part(ABC):
    """Something that runs on a machine; ``running`` is its process while it does."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.running: Running | None = None

    @abstractmethod
    def command(self) -> tuple[Sequence[object], dict[str, str]]:
        """What starts it, and the variables that it needs beside the machine's."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether it does its work."""

    def start(self) -> None:
        """Starts it, and is back when it answers."""
        self.launch()
        self.wait()

    def launch(self) -> None:
        """Starts it."""
        words, variables = self.command()
        self.running = self.machine.start(words, **variables)

    def wait(self) -> None:
        """Is back when it answers; AssertionError with its log where it ends before that."""
        running = self.running
        assert running is not None, "it was not started"
        until(lambda: not running.alive() or self.answers(), within_s=_UP_WITHIN_S, told=running.log.read_text)
        assert running.alive(), running.log.read_text()

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Ends it as a signal does; its data stay where they are on a disk."""
        assert self.running is not None, "it does not run"
        self.running.end(number)

    def kill(self) -> None:
        self.stop(signal.SIGKILL)


class Bucket(Part):
    """An S3-compatible server in memory, and in it the empty bucket ``stilts``."""

    def command(self) -> tuple[Sequence[object], dict[str, str]]:
        return ["python", "-m", "moto.server", "--host=0.0.0.0", f"--port={self.machine.port(9000)}"], {}

    def answers(self) -> bool:
        return status(f"http://{self.machine.address}:{self.machine.port(9000)}/") != 0

    def start(self) -> None:
        super().start()
        made = self.machine.run(["python", DEPLOY / "compose/bucket.py", BUCKET], **self.variables)
        assert made.returncode == 0, made.stdout + made.stderr

    @property
    def variables(self) -> dict[str, str]:
        """What a shell needs to reach it."""
        key = {
            "AWS_ACCESS_KEY_ID": "of-the-lab",
            "AWS_SECRET_ACCESS_KEY": "stilts-secret",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        return {**key, "AWS_ENDPOINT_URL": f"http://{self.machine.at(9000)}"}


class Database(Part):
    """PostgreSQL of this machine's package, for MLflow on the same machine alone."""

    def __init__(self, machine: Machine, password: Path) -> None:
        super().__init__(machine)
        self._password = password
        self._folder = Path(tempfile.mkdtemp(prefix="stilts-postgres-", dir="/tmp"))
        self._user: list[str] = []
        if os.geteuid() == 0:  # PostgreSQL refuses to be root
            user = pwd.getpwnam("postgres")
            os.chown(self._folder, user.pw_uid, user.pw_gid)
            self._user = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]

    def command(self) -> tuple[Sequence[object], dict[str, str]]:
        data = self._folder / "data"
        port = self.machine.port(5432)
        if not data.exists():
            secret = self._folder / "password"
            shutil.copy(self._password, secret)
            shutil.chown(secret, *(("postgres", "postgres") if self._user else (os.getuid(), os.getgid())))
            self._typed("initdb", f"--pgdata={data}", "--username=mlflow", f"--pwfile={secret}", "--auth=scram-sha-256")
        words = [*self._user, _program("postgres"), "-D", data, "-c", "listen_addresses=localhost", "-c"]
        return [*words, f"port={port}", "-c", f"unix_socket_directories={self._folder}"], {}

    def answers(self) -> bool:
        ready = [_program("pg_isready"), f"--port={self.machine.port(5432)}", "--host=localhost"]
        return self.machine.run(ready).returncode == 0

    def start(self) -> None:
        fresh = not (self._folder / "data").exists()
        super().start()
        if fresh:
            self._typed(
                "createdb", "--username=mlflow", "--host=localhost", f"--port={self.machine.port(5432)}", "mlflow"
            )

    def stop(self, number: int = signal.SIGINT) -> None:
        """As Part's; SIGINT is PostgreSQL's fast shutdown, SIGTERM waits until every client has gone."""
        super().stop(number)

    def forget(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def _typed(self, program: str, *words: object) -> None:
        done = self.machine.run(
            [*self._user, _program(program), *words], cwd=self._folder, PGPASSWORD=self._password.read_text()
        )
        assert done.returncode == 0, done.stdout + done.stderr


class TrackingServer(Part):
    """MLflow as deploy's image starts it: accounts, allowed hosts, runs in PostgreSQL, artifacts in the bucket."""

    def __init__(self, machine: Machine, secrets: Path, bucket: Bucket) -> None:
        super().__init__(machine)
        self._secrets, self._bucket = secrets, bucket

    def command(self) -> tuple[Sequence[object], dict[str, str]]:
        port = self.machine.port(5000)
        for name in ("mlflow_database", "mlflow_accounts.ini"):
            text = (self._secrets / name).read_text(encoding="utf-8")
            (self._secrets / name).write_text(text.replace(":5432/", f":{self.machine.port(5432)}/"))
        words = [DEPLOY / "docker/mlflow-server.sh", "--host=0.0.0.0", f"--port={port}", "--workers=1"]
        words += [f"--artifacts-destination=s3://{BUCKET}/mlflow", f"--allowed-hosts={self.machine.at(5000)}"]
        variables = {
            "MLFLOW_BACKEND_STORE_URI_FILE": str(self._secrets / "mlflow_database"),
            "MLFLOW_FLASK_SERVER_SECRET_KEY_FILE": str(self._secrets / "mlflow_session_key"),
            "MLFLOW_AUTH_CONFIG_PATH": str(self._secrets / "mlflow_accounts.ini"),
            "MLFLOW_DISABLE_TELEMETRY": "true",
        }
        return words, variables | self._bucket.variables

    def answers(self) -> bool:
        # Not by its name: it answers health to everybody, all else to its own name only.
        return status(f"http://{self.machine.address}:{self.machine.port(5000)}/health") == 200

    @property
    def uri(self) -> str:
        return f"http://{self.machine.at(5000)}"


def status(url: str) -> int:
    """The status of an answer; 0 where nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def lacking() -> list[str]:
    """What of this is not installed here."""
    modules = {"moto": "moto[server]", "s3fs": "s3fs", "psycopg2": "psycopg2-binary", "flask_wtf": "flask-wtf"}
    found = [package for module, package in modules.items() if find_spec(module) is None]
    return found + (["PostgreSQL"] if _program("initdb") is None else [])


def _program(name: str) -> Path | None:
    """A program of PostgreSQL: Debian keeps those of a server out of PATH."""
    of_debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    elsewhere = shutil.which(name)
    return of_debian[-1] if of_debian else Path(elsewhere) if elsewhere else None
