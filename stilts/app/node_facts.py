"""What a node of a cluster says of itself: this runs on every node. What of it is right, ``node_checks.py`` says."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version

from stilts.errors import InputError, StiltsError
from stilts.scheduling.asking import AskedNode
from stilts.scheduling.token import MODE, check_token_file
from stilts.store.opening import place_of

# What stilts imports, by the names of their distributions: pyproject.toml's dependencies.
PACKAGES = (
    "datasets fsspec huggingface_hub langcodes mlflow numpy optuna pandas peft pyarrow pydantic pyyaml ray resvg_py "
    "rich safetensors scipy seqeval sqlalchemy tokenizers torch transformers typer typing_extensions"
).split()
_REACHED_WITHIN_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeQuestion:
    """What every node is asked: for folders, files and an object of the store, each by what it is.

    ``rival`` is an object that only one node may create, ``own`` those that each creates, by node id. ``thorough`` asks
    for these, for ``tracking``, the other nodes' ports and GPUs, too.
    """

    roots: Mapping[str, str] = field(default_factory=dict)
    marks: Mapping[str, str] = field(default_factory=dict)
    store: str | None = None
    mark: str = ""
    rival: str = ""
    own: Mapping[str, str] = field(default_factory=dict)
    doors: Mapping[str, Sequence[tuple[str, int]]] = field(default_factory=dict)
    tracking: str = "none"
    thorough: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFacts:
    """A node's answer. ``clock`` is in unix seconds, ``disk`` the fullest one's folder, free and total bytes.

    ``no_roots``, ``no_marks`` and ``shut`` name what it lacks or does not reach; ``store``, ``token`` and ``tracking``
    say what is wrong there, None if nothing. ``gpus`` is how many torch sees, None where it was not asked.
    """

    clock: float
    versions: Mapping[str, str]
    no_roots: Sequence[str]
    no_marks: Sequence[str]
    disk: tuple[str, int, int]
    token: StiltsError | None
    store: StiltsError | None
    sees_mark: bool
    created: bool
    wrote: bool
    tracking: StiltsError | None
    shut: Sequence[str]
    gpus: int | None


def facts_here(node: AskedNode, question: NodeQuestion) -> NodeFacts:
    """What this machine, a node of a cluster, answers."""
    sees_mark, created, wrote, store = _of_store(node, question)
    asked = question.thorough
    return NodeFacts(
        clock=time.time(),
        versions=versions_here(),
        no_roots=[name for name, folder in question.roots.items() if not os.path.isdir(folder)],
        no_marks=[what for what, mark in question.marks.items() if mark and not os.path.exists(mark)],
        disk=_fullest_disk(),
        token=_wrong(_check_token),
        store=store,
        sees_mark=sees_mark,
        created=created,
        wrote=wrote,
        tracking=_wrong(lambda: _check_tracking(question.tracking)) if asked else None,
        shut=[name for name, doors in question.doors.items() if asked and not all(map(_opens, doors))],
        gpus=_num_gpus() if asked else None,
    )


def versions_here() -> dict[str, str]:
    """The versions of Python and of what stilts imports, without how they were built; "none" for what is missing."""
    return {"python": platform.python_version(), **{name: _version(name).partition("+")[0] for name in PACKAGES}}


def unread_here(node: AskedNode, store: str, own: Mapping[str, str]) -> list[str]:
    """The nodes whose object in the store this one cannot read, by their ids."""
    place = place_of(store)
    return [node_id for node_id, path in own.items() if place.read(path) != node_id.encode()]


def _of_store(node: AskedNode, question: NodeQuestion) -> tuple[bool, bool, bool, StiltsError | None]:
    """Whether the mark is seen, the rival object was created, the own one written, and what the store refused."""
    if question.store is None:
        return True, False, False, None
    created = wrote = False
    try:
        place = place_of(question.store)
        sees_mark = place.exists(question.mark)
        own = question.own.get(node.node_id)  # a node that has just come has none
        if sees_mark and own is not None:
            created = place.create(question.rival, node.node_id.encode())
            wrote = place.create(own, node.node_id.encode())
    except StiltsError as error:
        return True, created, False, error
    return sees_mark, created, wrote, None


def _check_token() -> None:
    if os.environ.get(MODE) != "token":
        raise InputError(
            "Ray",
            f"it asks nobody for a token: {MODE} is not token where ray start was typed",
            "Whoever reaches the cluster can run code on it",
            "Start it as deploy/README.md says",
        )
    check_token_file()


def _check_tracking(uri: str) -> None:
    if uri.startswith(("http://", "https://")):
        from stilts.tracking.pages import run_pages

        try:
            run_pages(uri)
        except StiltsError as error:
            step = "Look at the server, its allowed hosts, and the node's account: ~/.mlflow/credentials, of mode 600"
            raise StiltsError(error.asked, error.found, error.why, step) from error


def _wrong(check: Callable[[], None]) -> StiltsError | None:
    try:
        check()
    except StiltsError as error:
        return error
    return None


def _opens(door: tuple[str, int]) -> bool:
    try:
        socket.create_connection(door, timeout=_REACHED_WITHIN_S).close()
    except OSError:
        return False
    return True


def _num_gpus() -> int:
    import torch

    return torch.cuda.device_count()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"


def _fullest_disk() -> tuple[str, int, int]:
    """Of the folder in which Ray has this process run and the one for temporary files, that with less left."""
    found = [(folder, shutil.disk_usage(folder)) for folder in (os.getcwd(), tempfile.gettempdir())]
    folder, usage = min(found, key=lambda one: one[1].free / one[1].total)
    return folder, usage.free, usage.total
