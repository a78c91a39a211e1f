"""Ray's job server: what a cluster was given to run, submitted, listed, followed and stopped over HTTP."""

from __future__ import annotations

import asyncio
import logging
import os
import re
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, cast

from stilts.errors import ClusterError, MissingPackageError, StiltsError
from stilts.scheduling.token import MODE, TOKEN_FILE, check_token_file, has_token
from stilts.scheduling.within_job import OWNER, PRIORITY

# Ray's own words for where a job is; the last three are its ends.
PENDING, RUNNING, STOPPED, SUCCEEDED, FAILED = "PENDING", "RUNNING", "STOPPED", "SUCCEEDED", "FAILED"
LIVE = frozenset({PENDING, RUNNING})
# What stilts writes into a job's metadata, which Ray keeps as text; OWNER and PRIORITY beside.
STUDY, STORE, TRACKING, VERSION = "stilts_study", "stilts_store", "stilts_tracking", "stilts_version"
# Both win in Ray's client over the address that it is given.
_ADDRESSES = ("RAY_API_SERVER_ADDRESS", "RAY_ADDRESS")
_ENTRY_POINT = re.compile(r"ray_jobs/run_study\.py\s+(?:'([^']+)'|(\S+))")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job as the server tells of it; times are Unix seconds, ``exit_code`` that of its entry point."""

    submission_id: str
    state: str
    entrypoint: str = ""
    message: str = ""
    started: float | None = None
    ended: float | None = None
    exit_code: int | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def study(self) -> str | None:
        """The study that it runs: as ``stilts submit`` noted it, else the stem of the file on its command line."""
        if STUDY in self.metadata:
            return self.metadata[STUDY]
        found = _ENTRY_POINT.search(self.entrypoint)
        return Path(found[1] or found[2]).stem if found else None

    @property
    def owner(self) -> str | None:
        """Who submitted it, where that was said."""
        return self.metadata.get(OWNER)

    @property
    def priority(self) -> int:
        """How important it is among the cluster's studies: 0 unless it was said."""
        found = self.metadata.get(PRIORITY, "0")
        return int(found) if found.lstrip("-").isdecimal() else 0

    @property
    def is_live(self) -> bool:
        """Whether it waits or runs."""
        return self.state in LIVE


class JobServer(Protocol):
    """The job server of a cluster. Every method raises ClusterError where the server does not do what is asked."""

    def submit(
        self, submission_id: str, entrypoint: str, *, folder: Path, variables: Mapping[str, str], **metadata: str
    ) -> None:
        """Ships the folder as the working directory, and has the command run there with these variables."""

    def jobs(self) -> list[Job]:
        """All submitted jobs that the cluster remembers, the newest first."""

    def log(self, submission_id: str) -> str:
        """What the job has printed so far."""

    def follow(self, submission_id: str) -> Iterator[str]:
        """What the job prints, from its first line on, in pieces, until it has ended."""

    def stop(self, submission_id: str) -> bool:
        """Asks the job to end by SIGTERM; whether it was running."""

    def num_nodes(self) -> int:
        """How many nodes of the cluster are alive."""


def connect(address: str) -> JobServer:
    """The job server at ``http://HOST:8265``; ClusterError where none answers, or it wants another token.

    A token that lies where Ray looks for one is shown unless RAY_AUTH_MODE says otherwise; InputError where others can
    read its file.
    """
    if os.environ.get(MODE, "token") == "token":
        check_token_file()
    if MODE not in os.environ and has_token():
        os.environ[MODE] = "token"  # before Ray is imported, which reads it once
    try:
        from ray.job_submission import JobSubmissionClient
    except ImportError as error:
        raise _no_client(address, error) from error
    with _told(address), _alone():
        return _RayJobServer(address, JobSubmissionClient(address))


class _RayJobServer:
    """The job server behind Ray's own client."""

    def __init__(self, address: str, client: Any) -> None:
        self._address, self._client = address, client

    def submit(
        self, submission_id: str, entrypoint: str, *, folder: Path, variables: Mapping[str, str], **metadata: str
    ) -> None:
        with _told(self._address):
            self._client.submit_job(
                entrypoint=entrypoint,
                submission_id=submission_id,
                runtime_env={"working_dir": str(folder), "env_vars": dict(variables)},
                metadata=metadata,
            )

    def jobs(self) -> list[Job]:
        with _told(self._address):
            found = [_job(one) for one in self._client.list_jobs() if one.submission_id]
        return sorted(found, key=lambda job: job.started or 0.0, reverse=True)

    def log(self, submission_id: str) -> str:
        with _told(self._address):
            return str(self._client.get_job_logs(submission_id))

    def follow(self, submission_id: str) -> Iterator[str]:
        loop = asyncio.new_event_loop()
        pieces = cast("AsyncGenerator[str, None]", self._client.tail_job_logs(submission_id))
        try:
            while True:
                try:
                    with _told(self._address):
                        piece = loop.run_until_complete(anext(pieces))
                except StopAsyncIteration:
                    return
                yield piece
        finally:
            loop.run_until_complete(pieces.aclose())
            loop.close()

    def stop(self, submission_id: str) -> bool:
        with _told(self._address):
            return bool(self._client.stop_job(submission_id))

    def num_nodes(self) -> int:
        from ray.util.state import list_nodes

        with _told(self._address), _alone():
            return len(list_nodes(address=self._address, filters=[("state", "=", "ALIVE")]))


def _job(told: Any) -> Job:
    return Job(
        submission_id=str(told.submission_id),
        state=str(getattr(told.status, "value", told.status)),
        entrypoint=told.entrypoint or "",
        message=told.message or "",
        started=None if told.start_time is None else told.start_time / 1000,
        ended=None if told.end_time is None else told.end_time / 1000,
        exit_code=told.driver_exit_code,
        metadata=told.metadata or {},
    )


@contextmanager
def _alone() -> Iterator[None]:
    """Without the variables that would send Ray's client elsewhere than it is told, and without its remarks."""
    kept = {name: os.environ.pop(name) for name in _ADDRESSES if name in os.environ}
    logger = logging.getLogger("ray")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        os.environ.update(kept)
        logger.setLevel(before)


@contextmanager
def _told(address: str) -> Iterator[None]:
    """Turns what Ray's client raises into ClusterErrors; signals and errors of ours go on."""
    try:
        yield
    except (StiltsError, StopAsyncIteration):
        raise
    except Exception as error:
        raise _explained(address, error) from error


def _explained(address: str, error: Exception) -> StiltsError:
    said = (str(error).strip().splitlines() or [type(error).__name__])[0]
    if "ray[default]" in str(error):
        return _no_client(address, error)
    if type(error).__name__ == "AuthenticationError" or "status code 401" in said or "status code 403" in said:
        return ClusterError(
            f"job server at {address}",
            "it wants a token, and was shown none or another",
            "Whoever reaches a Ray cluster can run code on it",
            f"Set {MODE}=token, and put the cluster's token into ~/.ray/auth_token or a file that {TOKEN_FILE} names",
        )
    if isinstance(error, OSError):  # requests' errors are, and ConnectionError
        return ClusterError(
            f"job server at {address}",
            "nobody answers there",
            "Jobs go through the dashboard of the cluster's head, on port 8265 unless it was told otherwise",
            'Correct --address, or start the head with the extra "cluster" installed, or open a tunnel to it',
        )
    return ClusterError(f"job server at {address}", said, "", "Look at the log of the cluster's dashboard")


def _no_client(address: str, error: Exception) -> MissingPackageError:
    return MissingPackageError(
        f"job server at {address}",
        f"a part of Ray is missing here ({(str(error).splitlines() or [''])[0]})",
        "Jobs are submitted by what ray[default] brings",
        "Install the extra: pip install -c constraints.txt -e '.[cluster]'",
    )
