"""What a policy can be replayed on: a table as it was written, or a finished study."""

from __future__ import annotations

from pathlib import Path

from stilts.analysis.replay.studies import world_of_study
from stilts.analysis.replay.tables import read_world
from stilts.analysis.replay.world import World
from stilts.app.results import results_at
from stilts.errors import InputError


def world_at(name: str, store: str | None, full_fidelity: float | None = None) -> World:
    """The recorded matrix of a CSV file, or of a study by its file or name."""
    path = Path(name)
    if path.suffix.lower() != ".csv":
        return world_of_study(results_at(name, store))
    if not path.is_file():
        raise InputError(f'table "{name}"', "there is no such file", "", "Give a CSV or the name of a study")
    return read_world(path, full_fidelity)
