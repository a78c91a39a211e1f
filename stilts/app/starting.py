"""A folder to start from: a small study, its tasks file and their data, as they lie in ``starter/``."""

from __future__ import annotations

import re
from pathlib import Path

from stilts.errors import InputError
from stilts.study.schema_part import LONGEST_NAME
from stilts.whole_file import check_empty, write_whole

STUDY_FILE = "study.yaml"
_STARTER = Path(__file__).with_name("starter")
_NAME_LINE = "name: first\n"


def starter_files() -> dict[str, bytes]:
    """What a folder to start from holds: contents by path below it."""
    paths = sorted(path for path in _STARTER.rglob("*") if path.is_file())
    return {path.relative_to(_STARTER).as_posix(): path.read_bytes() for path in paths}


def start(folder: Path) -> list[str]:
    """Writes the files into a new or empty folder, the study named after it; their paths below the folder.

    InputError where the folder holds something already, or cannot be made.
    """
    check_empty(
        folder, f"stilts init {folder}", "Name a new folder, or an empty one", why="Nothing of yours is overwritten"
    )
    files = starter_files()
    text = files[STUDY_FILE].decode()
    files[STUDY_FILE] = text.replace(_NAME_LINE, f'name: "{_study_name(folder)}"\n', 1).encode()
    for name, content in files.items():
        _make((folder / name).parent)
        write_whole(folder / name, content)
    return list(files)


def _study_name(folder: Path) -> str:
    """The folder's name as a study's name, with a letter or digit first: two studies of one store need two names."""
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", folder.resolve().name)[:LONGEST_NAME].lstrip("_.-")
    return name or "first"


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"folder {folder}",
            f"it cannot be made ({error.strerror or error})",
            "The study and its data go there",
            "Name another place",
        ) from error
