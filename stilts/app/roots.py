"""Named roots: the folders that a study's data, text, encoders and tasks' files lie below, on whatever machine it runs.

A study file says where they are on the machine that it was written for, in paths or with variables
(``${STILTS_DATA}/xtreme``). Elsewhere a root is named beside it: ``--root data=/mnt/data``. Paths never enter an id.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping

from stilts.errors import InputError, StudyError

DATA, TEXT, ENCODERS, TASKS = ROOT_NAMES = ("data", "text", "encoders", "tasks")
# What of the environment names a root for ``submit``.
ROOT_VARIABLES = {name: f"STILTS_{name.upper()}" for name in ROOT_NAMES}
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def named_roots(given: Iterable[str]) -> dict[str, str]:
    """Folders by name, of ``NAME=FOLDER``; InputError for a name that no root has, a name twice, or no folder."""
    found: dict[str, str] = {}
    for text in given:
        name, _, folder = text.partition("=")
        if name not in ROOT_NAMES or name in found or not folder:
            unknown = f'no root is named "{name}"' if folder else "it is no NAME=FOLDER"
            raise InputError(
                f'--root "{text}"',
                f"{name} is named twice" if name in found else unknown,
                f"Names of roots are {', '.join(ROOT_NAMES)}",
                "Write it like --root data=/mnt/data",
            )
        found[name] = folder
    return found


def checked_root(asked: str, name: str, folder: str) -> str:
    """A root as it may be given to a cluster; InputError where it is no absolute folder."""
    if "://" in folder:
        raise InputError(
            asked,
            f"{folder} is the address of a bucket",
            "Readers and encoders read files",
            f"Mount the bucket at the same folder on every node, and write {name}=/mnt/{name}",
        )
    if not os.path.isabs(folder):
        raise InputError(
            asked,
            f"{folder} is relative",
            "On a node it would lie in a folder of Ray's, where no data are",
            f"Write the folder as every node has it: {name}=/mnt/{name}",
        )
    return os.path.normpath(folder)


def expanded(asked: str, path: str, variables: Mapping[str, str] | None = None) -> str:
    """The path with ``${NAME}`` as the environment has it; StudyError, named ``asked``, for one that is not set."""
    known = os.environ if variables is None else variables

    def value(found: re.Match[str]) -> str:
        if not known.get(found[1]):
            raise StudyError(
                asked,
                f"the variable {found[1]} of {path} is not set",
                "It says where the files lie on this machine",
                f"Set it: export {found[1]}=/mnt/data",
            )
        return known[found[1]]

    return _VARIABLE.sub(value, path)


def has_variable(path: str) -> bool:
    """Whether a path says ``${NAME}``: where it leads, each machine says."""
    return _VARIABLE.search(path) is not None
