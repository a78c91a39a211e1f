"""What ``inside/sitecustomize.py`` saw, and how a test arms a kill."""

from __future__ import annotations

import json
from pathlib import Path

INSIDE = Path(__file__).parent / "inside"


def watched(folder: Path) -> dict[str, str]:
    """Variables that have every Python process report into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    return {"WATCH": str(folder), "PYTHONPATH": str(INSIDE)}


def counted_steps(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*.steps"))


def processes_with_ray(folder: Path) -> int:
    return len(list(folder.glob("*.ray")))


def resumed_steps(folder: Path) -> list[int]:
    return [int(line) for path in folder.glob("*.resumed") for line in path.read_text().split()]


def arm(folder: Path, number: int, *, where: str, how: str, after: bool = False, pid: int | None = None) -> Path:
    """Arms one kill; the file that comes back is renamed to ``hit-...`` when it has happened."""
    path, written = folder / f"armed-{number:02d}", folder / f"writing-{number:02d}"
    written.write_text(json.dumps({"where": where, "how": how, "after": after, "pid": pid}))
    written.rename(path)
    return path
