"""What ``stilts doctor --address`` finds: of the machine that asks, and of every node of a cluster.

Nodes are asked by a driver on the cluster. Over HTTP that is a job which runs this same verb there and prints what it
found as JSON.
"""

from __future__ import annotations

import json
import shlex
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from stilts.app.asking_nodes import NodePlaces, node_findings
from stilts.app.cluster_file import ClusterPlaces
from stilts.app.job_package import packed
from stilts.app.jobs import JOB_VARIABLES, checked_store, checked_tracking
from stilts.app.node_facts import versions_here
from stilts.errors import ClusterError, StiltsError
from stilts.execute.finding import CheckState, Finding
from stilts.scheduling.cluster import RaySettings, ray_cluster
from stilts.scheduling.jobs import JobServer
from stilts.scheduling.jobs import connect as connect_to

# What a machine must share with the cluster to which it submits.
_SHARED = ("python", "ray")


def cluster_findings(
    places: ClusterPlaces, *, connect: Callable[[str], JobServer] = connect_to
) -> tuple[list[Finding], dict[str, str]]:
    """The findings, and the versions of the machine that asked the nodes."""
    address = places.address or "auto"
    if address.startswith(("http://", "https://")):
        return _by_a_job(places, connect)
    with ray_cluster(RaySettings(address=address)):
        found = node_findings(NodePlaces(roots=places.roots, store=places.store, tracking=places.tracking or "none"))
    return found, versions_here()


def _by_a_job(places: ClusterPlaces, connect: Callable[[str], JobServer]) -> tuple[list[Finding], dict[str, str]]:
    try:
        server = connect(places.need_address())
    except StiltsError as error:
        return [_failed("job server", error)], versions_here()
    command = _command(places)
    name = f"doctor-{time.strftime('%Y%m%d-%H%M%S')}"
    with tempfile.TemporaryDirectory(prefix="stilts-doctor-") as folder:
        package = packed(None, Path(folder))
        server.submit(name, command, folder=package.folder, variables=JOB_VARIABLES)
        log = "".join(server.follow(name))
    told = _told(name, log)
    here = versions_here()
    other = [
        f"{part} {here[part]} here, {told['versions'][part]} there"
        for part in _SHARED
        if here[part] != told["versions"][part]
    ]
    ours = Finding(
        check="job server", verdict=CheckState.OK, found="it takes jobs, with a token that only you can read"
    )
    if other:
        advice = "Install the same versions here as on the cluster"
        ours = replace(ours, verdict=CheckState.FAILED, found=", ".join(other), advice=advice)
    return [ours, *(Finding(**{**one, "verdict": CheckState(one["verdict"])}) for one in told["findings"])], here


def _command(places: ClusterPlaces) -> str:
    words = ["python", "-m", "stilts.cli.main", "doctor", "--address", "auto", "--json"]
    words += ["--store", checked_store(places.store)] if places.store else []
    words += ["--tracking-uri", checked_tracking(places.tracking)] if places.tracking else []
    return shlex.join([*words, *(word for root in sorted(places.roots.items()) for word in ("--root", "=".join(root)))])


def _told(job: str, log: str) -> Any:
    """The JSON object in a job's log that begins a line."""
    try:
        return json.JSONDecoder().raw_decode(log[f"\n{log}".index("\n{") :])[0]
    except ValueError as error:
        last = next((line for line in reversed(log.splitlines()) if line.strip()), "it printed nothing")
        raise ClusterError(
            f"job {job}",
            f"it did not come to an answer ({last.strip()})",
            "The nodes are asked from there",
            f"See its whole log: stilts logs {job}",
        ) from error


def _failed(check: str, error: StiltsError) -> Finding:
    found = f"{error.asked}: {error.found}"
    return Finding(check=check, verdict=CheckState.FAILED, found=found, advice=error.next_step)
