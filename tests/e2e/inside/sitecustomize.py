"""Runs at the start of every Python that has this folder on PYTHONPATH: driver, Ray's processes, workers.

It watches from inside without the program's knowledge, and reports into the folder that WATCH names:

``<pid>.steps``    one byte for each step of any torch optimizer in that process
``<pid>.ray``      the process imported ray
``<pid>.resumed``  a line with the step of each checkpoint that training went on from
``armed-<n>``      written by a test: kill a process (SIGKILL) at the moment described in it; claimed once, by renaming

A moment is ``{"where": "/progress/", "how": "link" | "copy", "after": bool, "pid": null | driver's}``: a file is hard
linked to, or copied to, a path of the store with that part in it. ``pid`` null kills the process itself.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

WATCH = os.environ.get("WATCH", "")


def append(suffix: str, data: bytes) -> None:
    with open(f"{WATCH}/{os.getpid()}.{suffix}", "ab") as stream:
        stream.write(data)


def on_optimizers(module: ModuleType) -> None:
    module.register_optimizer_step_post_hook(lambda optimizer, args, kwargs: append("steps", b"."))


def on_ray(module: ModuleType) -> None:
    append("ray", b".")


def on_checkpoints(module: ModuleType) -> None:
    read = module.read_checkpoint

    def read_and_tell(*args: Any) -> Any:
        state = read(*args)
        append("resumed", b"%d\n" % state.step)
        return state

    module.read_checkpoint = read_and_tell


ON_IMPORT: dict[str, Callable[[ModuleType], None]] = {
    "torch.optim.optimizer": on_optimizers,
    "ray": on_ray,
    "stilts.training.checkpoint": on_checkpoints,
}


class Watcher(importlib.abc.MetaPathFinder):
    """Finds nothing itself; has a function called once a module of ON_IMPORT has been executed."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name not in ON_IMPORT:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is None or spec.loader is None:
            return None
        execute, told = spec.loader.exec_module, ON_IMPORT[name]

        def execute_and_tell(module: ModuleType) -> None:
            execute(module)
            told(module)

        spec.loader.exec_module = execute_and_tell  # type: ignore[method-assign]
        return spec


def watch_files() -> None:
    """Has ``os.link`` and ``shutil.copyfile`` look for an armed moment before and after they act."""
    link, copyfile = os.link, shutil.copyfile

    def watched_link(source: Any, target: Any, **more: Any) -> None:
        kill_if_armed("link", str(target), after=False)
        link(source, target, **more)
        kill_if_armed("link", str(target), after=True)

    def watched_copy(source: Any, target: Any, **more: Any) -> Any:
        if armed("copy", str(target), after=False) is not None:
            data = Path(source).read_bytes()
            Path(target).write_bytes(data[: len(data) // 2])  # killed half-way through the file
            kill_if_armed("copy", str(target), after=False)
        return copyfile(source, target, **more)

    os.link, shutil.copyfile = watched_link, watched_copy  # type: ignore[assignment]


def armed(how: str, target: str, *, after: bool) -> "tuple[Path, dict[str, Any]] | None":
    for path in sorted(Path(WATCH).glob("armed-*")):
        try:
            moment = json.loads(path.read_text())
        except (FileNotFoundError, ValueError):
            continue  # claimed by another process meanwhile
        if moment["how"] == how and moment["where"] in target and moment["after"] == after:
            return path, moment
    return None


def kill_if_armed(how: str, target: str, *, after: bool) -> None:
    found = armed(how, target, after=after)
    if found is None:
        return
    path, moment = found
    try:
        os.rename(path, path.with_name(path.name.replace("armed", "hit")))
    except FileNotFoundError:
        return
    append("hits", f"{moment} {target}\n".encode())
    os.kill(moment["pid"] or os.getpid(), signal.SIGKILL)


if WATCH:
    if importlib.util.find_spec("planted") is not None:  # tests/faults/inside
        importlib.import_module("planted")
    sys.meta_path.insert(0, Watcher())
    watch_files()
