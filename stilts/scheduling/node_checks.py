"""What every node of a cluster is asked before the first stage: whether it has the run's folders.

A root that one node lacks fails the stages that happen to be placed there, hours later; a store on the disk of one
node loses what the others publish.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stilts.errors import ClusterError, InputError

# A node starts a process for its answer, and unpacks the job's package first.
_ANSWER_WITHIN_S = 180.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Folders of a run: ``roots`` are read on every node, by their names; ``shared`` must be one folder for all.

    ``shared`` is by what lies there (``store``), and may not exist yet.
    """

    roots: Mapping[str, str] = field(default_factory=dict)
    shared: Mapping[str, str] = field(default_factory=dict)


def check_nodes(places: Places) -> None:
    """Asks every live node of the connected cluster; InputError for a folder that one lacks, with what to write.

    ClusterError for a node that does not answer in time, or cannot run stilts.
    """
    import ray

    nodes = [node for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]
    with ExitStack() as marks:
        marked = {what: marks.enter_context(_mark(Path(folder))) for what, folder in places.shared.items()}
        for name, (roots, shared) in _answers(nodes, dict(places.roots), marked).items():
            for root in roots:
                raise _no_root(root, places.roots[root], name)
            for what in shared:
                raise _not_shared(what, places.shared[what], name)


def missing_here(roots: Mapping[str, str], marks: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """The roots whose folder, and the marks whose file, this machine does not have, by name."""
    return (
        [name for name, folder in roots.items() if not os.path.isdir(folder)],
        [what for what, mark in marks.items() if mark and not os.path.exists(mark)],
    )


def _answers(
    nodes: list[Mapping[str, Any]], roots: dict[str, str], marks: dict[str, str]
) -> dict[str, tuple[list[str], list[str]]]:
    """What each node lacks, by the node's name."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    if not roots and not marks:
        return {}
    look = ray.remote(num_cpus=0, max_retries=1)(missing_here)
    asked = {
        look.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)).remote(
            roots, marks
        ): node_name(node)
        for node in nodes
    }
    _, silent = ray.wait(list(asked), num_returns=len(asked), timeout=_ANSWER_WITHIN_S)
    if silent:
        raise ClusterError(
            f"node {asked[silent[0]]}",
            f"it did not say within {_ANSWER_WITHIN_S:.0f} s what it has",
            "No stage was started; what is done stays done",
            "Look at its log, or take it out of the cluster, and run the same command again",
        )
    found = {}
    for answer, name in asked.items():
        try:
            found[name] = ray.get(answer)
        except Exception as error:
            raise _no_stilts(name, error) from error
    return found


@contextmanager
def _mark(folder: Path) -> Iterator[str]:
    """An empty file in the folder, or in the nearest one above it that is there, while the context is open.

    "" where none can be written: what is wrong then, the store itself says.
    """
    near = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.is_dir())
    mark = near / f".stilts-seen-{uuid.uuid4().hex}"
    try:
        mark.touch(exist_ok=False)
    except OSError:
        yield ""
        return
    try:
        yield str(mark)
    finally:
        mark.unlink(missing_ok=True)


def node_name(node: Mapping[str, Any]) -> str:
    """``worker-1 (10.0.0.2)``."""
    return f"{node.get('NodeManagerHostname', '')} ({node.get('NodeManagerAddress', '')})"


def _no_root(root: str, folder: str, node: str) -> InputError:
    return InputError(
        f'root "{root}" of the study',
        f"the folder {folder} does not exist on node {node}",
        "Stages that are placed there would fail",
        f"Mount it there, or name a folder that every node has: --root {root}=FOLDER",
    )


def _not_shared(what: str, folder: str, node: str) -> InputError:
    option = "--store s3://BUCKET/stilts" if what == "store" else "--tracking-uri http://HOST:5000"
    return InputError(
        f"{what} {folder}",
        f"node {node} does not see it: it lies on the disk of another node",
        "What one node writes there, the others would miss",
        f"Name a bucket, a server, or a folder that every node mounts: {option}",
    )


def _no_stilts(node: str, error: Exception) -> ClusterError:
    said = next((line for line in reversed(str(error).splitlines()) if line.strip()), type(error).__name__)
    return ClusterError(
        f"node {node}",
        f"it cannot run stilts ({said.strip()})",
        "No stage was started; what is done stays done",
        "Install the same Python, Ray and dependencies there as on the other nodes (deploy/README.md)",
    )
