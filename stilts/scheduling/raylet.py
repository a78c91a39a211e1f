"""Raylet: Ray's process on this machine, through which the driver reaches everything else. Whether it is alive."""

from __future__ import annotations

from pathlib import Path

from stilts.errors import ClusterError


class RayletDied(BaseException):
    """Ray's process on this machine is gone. No Exception: Tune would first wait for actors that are gone with it."""

    def explained(self) -> ClusterError:
        """What the user is told."""
        return ClusterError(
            "Ray",
            "its process on this machine (raylet) died",
            "It was killed, perhaps for memory; what is done stays done, running stages go on from their checkpoints",
            "Run the same command again",
        )


class Raylet:
    """The raylet that this driver is connected to; without ``/proc`` (macOS) it is taken to be alive."""

    def __init__(self) -> None:
        import ray

        self._process = _process_of(ray.get_runtime_context().get_node_id())

    def check(self) -> None:
        """Raises RayletDied where it is gone."""
        if self._process is not None and not _is_alive(self._process):
            raise RayletDied


def _process_of(node_id: str) -> Path | None:
    """The folder below ``/proc`` of the raylet of a node, None where it is not to be found."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:  # it ended meanwhile, or is somebody else's
            continue
        if Path(words[0]).name == "raylet" and any(node_id in word for word in words[1:]):
            return process
    return None


def _is_alive(process: Path) -> bool:
    try:
        state = (process / "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in ("Z", "X")  # the driver's own child stays as a zombie until it is asked after
