"""A job server in memory: what was submitted, and what a test says became of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from stilts.scheduling.jobs import PENDING, STOPPED, Job


@dataclass
class FakeServer:
    """Keeps jobs in the order in which they came, with a listing of the folder that each shipped."""

    known: list[Job] = field(default_factory=list)
    shipped: dict[str, dict[str, bytes]] = field(default_factory=dict)
    variables: dict[str, dict[str, str]] = field(default_factory=dict)
    logs: dict[str, list[str]] = field(default_factory=dict)
    nodes: int = 1
    ends_as: str = "SUCCEEDED"
    addresses: list[str] = field(default_factory=list)

    def connect(self, address: str) -> FakeServer:
        self.addresses.append(address)
        return self

    def submit(
        self, submission_id: str, entrypoint: str, *, folder: Path, variables: Mapping[str, str], **metadata: str
    ) -> None:
        files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
        self.shipped[submission_id] = {name: path.read_bytes() for name, path in files.items()}
        self.variables[submission_id] = dict(variables)
        self.known.append(job(submission_id, PENDING, entrypoint=entrypoint, metadata=metadata))

    def jobs(self) -> list[Job]:
        return self.known[::-1]

    def log(self, submission_id: str) -> str:
        return "".join(self.logs.get(submission_id, []))

    def follow(self, submission_id: str) -> Iterator[str]:
        yield from self.logs.get(submission_id, [])
        self.become(submission_id, self.ends_as)

    def stop(self, submission_id: str) -> bool:
        self.become(submission_id, STOPPED)
        return True

    def num_nodes(self) -> int:
        return self.nodes

    def become(self, submission_id: str, state: str, **more: Any) -> None:
        self.known = [
            replace(one, state=state, **more) if one.submission_id == submission_id else one for one in self.known
        ]


def job(submission_id: str, state: str, *, study: str | None = None, **more: Any) -> Job:
    metadata = {**more.pop("metadata", {}), **({"stilts_study": study} if study else {})}
    return Job(submission_id=submission_id, state=state, metadata=metadata, **more)
