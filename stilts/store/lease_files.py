"""The names of a lease's files, ``leases/<name>/<generation>.json`` and ``.released``; all others are strays."""

from __future__ import annotations

import re
from collections.abc import Iterable

from stilts.errors import StoreError
from stilts.store.layout import LEASES, check_stage

# Nine digits are more takings than one stage can see; what counts higher was not written by stilts.
_FILE = re.compile(r"([0-9]{8}|[1-9][0-9]{8})\.(json|released)")
_LAST = 999_999_999


def folder_of(name: str) -> str:
    """Where the lease's files lie."""
    return f"{LEASES}/{name}"


def record_of(name: str, generation: int) -> str:
    """The object that says who holds this generation; its holder alone rewrites it."""
    return f"{LEASES}/{name}/{generation:08d}.json"


def mark_of(name: str, generation: int) -> str:
    """The object that says that this generation was given back."""
    return f"{LEASES}/{name}/{generation:08d}.released"


def highest(files: Iterable[str]) -> int:
    """The generation that counts, 0 where there is none; a mark of release alone is none."""
    return max((number for number, kind in _parsed(files) if kind == "json"), default=0)


def is_released(files: Iterable[str], generation: int) -> bool:
    """Whether the generation was given back."""
    return (generation, "released") in _parsed(files)


def following(name: str, files: Iterable[str]) -> int:
    """The next generation: above every record, and above a mark left alone, which would seem to release it."""
    number = 1 + max((number for number, _ in _parsed(files)), default=0)
    if number > _LAST:
        raise StoreError(
            f"lease of {name}",
            f"its generations are used up: there is a file {_LAST}.json or .released",
            "stilts never counts that far; somebody put it there",
            f"Delete that file in {folder_of(name)}, while nobody works on this stage",
        )
    return number


def up_to(files: Iterable[str], generation: int) -> list[str]:
    """The file names of all generations up to this one, each record before its mark of release."""
    return [f"{number:08d}.{kind}" for number, kind in sorted(_parsed(files)) if number <= generation]


def by_lease(paths: Iterable[str]) -> dict[str, list[str]]:
    """File names by lease, from paths below ``leases/``; strays beside and below the leases are left out."""
    found: dict[str, list[str]] = {}
    for path in paths:
        name, _, file = path.rpartition("/")
        if _FILE.fullmatch(file) and (name in found or _is_stage(name)):
            found.setdefault(name, []).append(file)
    return found


def _is_stage(name: str) -> bool:
    try:
        check_stage(name)
    except StoreError:
        return False
    return True


def _parsed(files: Iterable[str]) -> list[tuple[int, str]]:
    matches = (_FILE.fullmatch(file) for file in files)
    return [(int(match[1]), match[2]) for match in matches if match]
