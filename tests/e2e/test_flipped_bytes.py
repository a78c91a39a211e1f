"""One flipped byte, or one changed number, in any file of a finished store: never another answer."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.damaging import over
from tests.e2e.finished import STUDY, copied, fill_store, finished_study
from tests.e2e.typed import typed

_NUMBER = re.compile(rb"(?<=[:\[,])-?\d+(?:\.\d+)?(?:e-?\d+)?(?=[,\]}])")
# States of a cell that say that it has no number; "done" has one.
_WITHOUT = ("damaged", "missing")
# All files are tried in parts, each well within the time that a test has.
_PARTS = 8
# Of every kind of file one, for the tests that run always: what answers are read from, and what they are not.
SAMPLE = (
    *(
        "LAYOUT",
        "optuna.db",
        "cache/tokens/*",
        "records/studies/*/record.json",
        "records/studies/*/proposals/*/0000.json",
    ),
    *("records/studies/*/fertility.json", "records/disjoint/*", "records/studies/*/spending/*"),
    *("records/summaries/evaluate-xnli-*", "records/summaries/evaluate-tatoeba-*"),
    *("stages/evaluate-xnli-*/report.en-*/done.json", "stages/train-*/done.json", "stages/estimate-logme-*/done.json"),
    *("files/evaluate-xnli-*/report.en-*/*/examples.parquet", "files/train-*/*/encoder.safetensors"),
)


class Finished:
    """The finished store, with the answers that it gives."""

    def __init__(self, folder: Path) -> None:
        self.whole = folder / "whole"
        assert not fill_store(finished_study(folder / "study"), self.whole).failed
        self.store = copied(self.whole, folder / "store")
        self.before = {verb: self.answer(verb) for verb in ("matrix", "best")}
        assert all(status == 0 for status, _ in self.before.values())

    def answer(self, verb: str) -> tuple[int, Any]:
        """A verb's status and its value, which is None where it gives none; what it says beside it as ``told``."""
        result = typed(verb, STUDY, "--json", "--store", self.store)
        assert not result.flaw(), result.flaw()
        return result.status, {**result.value, "told": result.err} if result.status == 0 else None

    def files(self) -> list[str]:
        """Every file of the store."""
        return sorted(str(path.relative_to(self.whole)) for path in self.whole.rglob("*") if path.is_file())

    def check(self, name: str, data: bytes, what: str) -> None:
        """Asks for both answers with this file altered: no number of theirs may be another."""
        place = self.store / name
        over(place, data)
        # So that no digest that was kept for the file's time and size is taken for that of the altered one.
        os.utime(place, ns=(10**18, 10**18))
        try:
            for verb in ("matrix", "best"):
                status, value = self.answer(verb)
                wrong = [] if status == 2 else list(_differences(self.before[verb][1], value))
                assert status in (0, 2) and not wrong, f"{what} of {name} changes {verb}: {wrong[:5]}"
        finally:
            over(place, (self.whole / name).read_bytes())


def _differences(before: Any, after: Any) -> Iterator[str]:
    """Every figure that is another than before; what is left out, because it is damaged, is none."""
    if "cells" in before:
        yield from _of_matrix(before, after)
    else:
        yield from _of_best(before, after)


def _of_matrix(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for one, other in zip(before["cells"], after["cells"], strict=True):
        if other["state"] in _WITHOUT:
            if other["score"] is not None:
                yield f"a cell that is {other['state']} has the score {other['score']}"
            continue
        lost = other["gain"] is None  # its baseline is damaged
        names = [name for name in one if not (lost and name.startswith("gain"))]
        yield from (f"{name}: {one[name]} is {other[name]}" for name in names if one[name] != other[name])
    scores = {(one["row"], one["column"], one["language"]): one["score"] for one in before["languages"]}
    for each in after["languages"]:
        if scores.get((each["row"], each["column"], each["language"])) != each["score"]:
            yield f"{each}"


def _of_best(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """Answers to a target all of whose cells are there must be the same, the others must say what is left out."""
    if after == before:
        return
    for one, other in zip(before["answers"], after["answers"], strict=True):
        if other != one and not other["open_cells"]:
            if "damaged and left out" not in after["told"]:
                yield f"{one['target']} is another, and nothing says why"
            yield from _others(one["target"], one, other)
        elif other["chosen"] == one["chosen"] and other["score"] not in (one["score"], None):
            yield f"{one['target']} has the score {other['score']}"


def _others(path: str, one: Any, other: Any) -> Iterator[str]:
    """Every figure and name in an answer that stands there for another; what is left out is none, nor is advice."""
    if isinstance(other, dict):
        for name, inner in other.items():
            yield from _others(f"{path}.{name}", one.get(name) if isinstance(one, dict) else None, inner)
    elif isinstance(other, list):
        for number, inner in enumerate(other):
            yield from _others(f"{path}.{number}", one[number] if number < len(one) else None, inner)
    elif other not in (one, None) and not path.endswith((".advice", ".text", ".settles")):
        yield f"{path}: {one} is {other}"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A finished store of all kinds of files."""
    return Finished(tmp_path_factory.mktemp("finished"))


def flipped(data: bytes, at: int) -> bytes:
    """The bytes with one bit of one byte changed."""
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def other_numbers(data: bytes) -> Iterator[bytes]:
    """The file with one of its numbers another, its seal as it was: the first, one in the middle, the last."""
    found = [match for match in _NUMBER.finditer(data)]
    for number in sorted({0, len(found) // 2, len(found) - 1}) if found else ():
        start, end = found[number].span()
        yield data[:start] + (b"99" if data[start:end] != b"99" else b"98") + data[end:]


def spoil(finished: Finished, name: str, *, places: int) -> None:
    """Every change that is tried on one file."""
    data = (finished.whole / name).read_bytes()
    for place in sorted({round(number * (len(data) - 1) / max(1, places - 1)) for number in range(places)}):
        finished.check(name, flipped(data, place), f"byte {place}")
    if name.endswith(".json") or name == "LAYOUT":
        for number, changed in enumerate(other_numbers(data)):
            finished.check(name, changed, f"number {number}")


@pytest.mark.parametrize("pattern", SAMPLE)
def test_a_changed_byte_or_number_gives_no_other_answer(finished: Finished, pattern: str) -> None:
    name = sorted(str(path.relative_to(finished.whole)) for path in finished.whole.glob(pattern))[0]
    data = (finished.whole / name).read_bytes()
    changed = list(other_numbers(data)) if name.endswith(".json") else []
    if not changed:
        finished.check(name, flipped(data, len(data) // 2), "a byte")
        return
    json.loads(changed[-1])  # so that a seal finds it, not a parser
    finished.check(name, changed[-1], "a number")


@pytest.mark.slow
@pytest.mark.parametrize("part", range(_PARTS))
def test_no_changed_byte_or_number_of_any_file_gives_another_answer(finished: Finished, part: int) -> None:
    names = finished.files()
    assert len(names) > 60 and {name.split("/")[0] for name in names} >= {"files", "records", "stages", "cache"}
    for name in names[part::_PARTS]:
        spoil(finished, name, places=3)
