"""cluster.yaml: what a cluster's users would type at every ``submit``: where it is, and where things are on it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationError

from stilts.app.places import STORE_VARIABLE, TRACKING_VARIABLE
from stilts.app.roots import ROOT_VARIABLES, checked_root, named_roots
from stilts.errors import InputError
from stilts.study.schema_part import PathText, SchemaPart
from stilts.study.study import invalid
from stilts.tasks.bounded_yaml import parsed_yaml, yaml_text

FILE = "cluster.yaml"
FILE_VARIABLE = "STILTS_CLUSTER"
ADDRESS_VARIABLE = "RAY_API_SERVER_ADDRESS"
_STEP = "See docs/running.md, On a cluster, for what it may be"

Address = Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=r"^[^\x00-\x20]+$")]
Owner = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
MOST_IMPORTANT = 1000


class ClusterFile(SchemaPart):
    """A whole ``cluster.yaml``; every field may be left out.

    ``address`` is the job server's (``http://HOST:8265``), ``store`` and ``tracking`` are seen by every node, ``roots``
    are folders that every node has, by the name of a root. ``owner`` and ``priority`` are those of the jobs,
    ``cache_gib`` bounds what a node keeps of a bucket and of tokenized data.
    """

    address: Address | None = None
    store: Address | None = None
    tracking: Address | None = None
    roots: Mapping[Literal["data", "text", "encoders", "tasks"], PathText] = Field(default_factory=dict)
    owner: Owner | None = None
    priority: Annotated[int, Field(ge=-MOST_IMPORTANT, le=MOST_IMPORTANT)] = 0
    cache_gib: Annotated[float, Field(ge=0, le=1e9)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterPlaces:
    """A cluster as the verbs use it: options over the environment over the file; None where nobody says."""

    address: str | None
    store: str | None
    tracking: str | None
    roots: Mapping[str, str]
    owner: str | None = None
    priority: int = 0
    cache_gib: float | None = None

    def need_address(self) -> str:
        """The job server's address; InputError where none is known, or it is none of a job server."""
        if self.address is None:
            raise InputError(
                "the cluster",
                "no address is given",
                "Jobs go to the job server of a Ray cluster",
                f"Give --address http://HOST:8265, set {ADDRESS_VARIABLE}, or write address: into {FILE}",
            )
        if not self.address.startswith(("http://", "https://")):
            raise InputError(
                f"--address {self.address}",
                "it is no address of a job server",
                "Jobs are submitted over HTTP, through the dashboard of the cluster's head",
                "Write it like http://HOST:8265",
            )
        return self.address.rstrip("/")


def cluster_file() -> ClusterFile:
    """What STILTS_CLUSTER names, else ``cluster.yaml`` in the working folder, else nothing.

    StudyError for a file that cannot be meant, or that is named and not there.
    """
    named = os.environ.get(FILE_VARIABLE)
    path = Path(named or FILE)
    if not named and not path.exists():
        return ClusterFile()
    try:
        return ClusterFile.model_validate(parsed_yaml(yaml_text(path), path, begins="address: http://HOST:8265"))
    except ValidationError as error:
        raise invalid(lambda field: f"{path}: {field}", error, _STEP) from error


def cluster_places(
    *,
    address: str | None = None,
    store: str | None = None,
    tracking: str | None = None,
    roots: tuple[str, ...] = (),
    owner: str | None = None,
    priority: int | None = None,
) -> ClusterPlaces:
    """The cluster that options, environment and ``cluster.yaml`` name together; InputError for a root that is none."""
    file, of_environment = cluster_file(), os.environ
    given = {
        name: of_environment[variable] for name, variable in ROOT_VARIABLES.items() if of_environment.get(variable)
    }
    named = {str(name): folder for name, folder in file.roots.items()} | given | named_roots(roots)
    return ClusterPlaces(
        address=address or of_environment.get(ADDRESS_VARIABLE) or file.address,
        store=store or of_environment.get(STORE_VARIABLE) or file.store,
        tracking=tracking or of_environment.get(TRACKING_VARIABLE) or file.tracking,
        roots={name: checked_root(f"root {name} of the cluster", name, folder) for name, folder in named.items()},
        owner=owner or file.owner,
        priority=file.priority if priority is None else priority,
        cache_gib=file.cache_gib,
    )
