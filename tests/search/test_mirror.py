"""Optuna's storage beside a store: found damaged where Optuna cannot read it, and never followed elsewhere."""

from __future__ import annotations

import os
from pathlib import Path

import optuna
import pytest

from stilts.errors import DamagedError
from stilts.search.mirror import mirror_flaws, mirror_url
from stilts.store import Store, make_store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with a mirror of one trial."""
    store = make_store(str(tmp_path / "store"))
    study = optuna.create_study(storage=mirror_url(store), study_name="small/mnli/gain")
    study.optimize(lambda trial: trial.suggest_float("rate", 0.0, 1.0), n_trials=1)
    return store


def test_a_whole_mirror_has_no_flaw_and_is_no_stray(store: Store, tmp_path: Path) -> None:
    before = (tmp_path / "store" / "optuna.db").read_bytes()
    assert mirror_flaws(store) == {} and store.strays() == []
    assert (tmp_path / "store" / "optuna.db").read_bytes() == before
    assert mirror_flaws(make_store(str(tmp_path / "new"))) == {}


@pytest.mark.parametrize("where", ["head", "middle", "half", "empty"])
def test_a_mirror_that_optuna_cannot_read_is_damaged(where: str, store: Store, tmp_path: Path) -> None:
    place = tmp_path / "store" / "optuna.db"
    data = place.read_bytes()
    at = data.index(b"COMPLETE")
    spoiled = {
        "head": b"\xff" + data[1:],
        "middle": data[:at] + b"COMPLETA" + data[at + 8 :],
        "half": data[: len(data) // 2],
        "empty": b"",
    }
    place.write_bytes(spoiled[where])
    assert list(mirror_flaws(store)) == ["optuna.db"]


@pytest.mark.parametrize("name", ["optuna.db", "optuna.db-journal"])
@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_a_mirror_that_is_no_file_is_not_opened(name: str, kind: str, store: Store, tmp_path: Path) -> None:
    place, mine = tmp_path / "store" / name, tmp_path / "thesis.txt"
    mine.write_text("three years")
    place.unlink(missing_ok=True)
    {"link": lambda: place.symlink_to(mine), "pipe": lambda: os.mkfifo(place), "folder": place.mkdir}[kind]()
    assert list(mirror_flaws(store)) == [name]
    with pytest.raises(DamagedError, match="stilts mend"):
        mirror_url(store)
    assert mine.read_text() == "three years"
