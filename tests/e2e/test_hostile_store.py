"""A finished store in which others left, linked or forged something: nothing outside is touched, nothing stops."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from stilts.ledger.study_record import study_record_name
from stilts.store.layout import is_object, record_path
from stilts.store.seal import sealed, unseal
from tests.e2e.home_folder import ended, messages, snapshot
from tests.odd_files import put_odd

RUN = ["--local", "--tracking-uri", "none", "--threads", "1"]
MONTH_S = 30 * 24 * 3600
Harm = Callable[[Path], None]


@pytest.fixture(scope="module")
def finished(study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished") / "store"
    assert ended("run", study, "--store", folder, *RUN, "--keep-weights")[0] == 0
    return folder


@pytest.fixture
def store(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished store, beside a folder of somebody else's that is a month old."""
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim" / "thesis.txt").write_text("a thesis")
    os.utime(tmp_path / "victim" / "thesis.txt", (time.time() - MONTH_S,) * 2)
    shutil.copytree(finished, tmp_path / "store")
    return tmp_path / "store"


def change(store: Path, path: Path, **fields: object) -> None:
    """Changes fields of an object, and seals it again, as a forger would."""
    name = path.relative_to(store).as_posix()
    assert is_object(name)
    value = json.loads(unseal(name, path.read_bytes(), required=True))
    path.write_bytes(sealed(name, json.dumps({**value, **fields}, separators=(",", ":")).encode()))


def training(store: Path) -> Path:
    """The done.json of the intermediate's training."""
    return next(path for path in sorted(store.glob("stages/train-*/done.json")) if b'"mnli"' in path.read_bytes())


def test_an_attempt_that_leads_out_of_the_store_deletes_nothing(store: Path, study: Path) -> None:
    """Of a stage that the study asks for and of one that nobody does; with and without weights that may go."""
    done = training(store)
    change(store, done, attempt="../../../victim")
    other = store / "stages" / "train-none-000000000000" / "done.json"
    other.parent.mkdir()
    name = other.relative_to(store).as_posix()
    body = json.loads(unseal(done.relative_to(store).as_posix(), done.read_bytes(), required=True))
    other.write_bytes(sealed(name, json.dumps(body).encode()))
    before = snapshot(store.parent / "victim")
    for words in (["gc"], ["gc", "--unreferenced"], ["run", study, *RUN], ["mend", study], ["run", study, *RUN]):
        status, out, err = ended(*words, "--store", store)
        assert status in (0, 2) and "Traceback" not in out + err, out + err
        assert snapshot(store.parent / "victim") == before, words
    assert status == 0


@pytest.mark.parametrize("name", ["tmp", "files", "leases", "stages", "progress", "records", "cache", "spool"])
def test_a_folder_of_the_store_that_is_a_link_is_refused(name: str, store: Path, study: Path) -> None:
    shutil.rmtree(store / name, ignore_errors=True)
    (store / name).symlink_to("../victim")
    before = snapshot(store.parent / "victim")
    for words in (["gc"], ["gc", "--unreferenced"], ["run", study, *RUN], ["matrix", study]):
        status, out, err = ended(*words, "--store", store)
        assert status == 2 and len(messages(err)) == 1 and f"file {name} of the store" in err, out + err
    assert snapshot(store.parent / "victim") == before


def _leave(*names: str) -> Harm:
    def harm(store: Path) -> None:
        for name in names:
            (store / name).parent.mkdir(parents=True, exist_ok=True)
            (store / name).write_text("x")

    return harm


def _link(store: Path) -> None:
    (store / "files" / training(store).parent.name / "attempt-0123456789abcdef").symlink_to("../../../victim")


def _deep(store: Path) -> None:
    """Deeper than Python calls itself."""
    subprocess.run(["mkdir", "-p", store / ("records" + "/a" * 1200)], check=True)
    subprocess.run(["touch", store / ("records" + "/a" * 1200) / "x"], check=True)


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        pytest.param(_leave("files/.DS_Store", "records/Thumbs.db", "stages/x~"), "files/.DS_Store", id="file manager"),
        pytest.param(_leave("files/letters/will.txt", "files/a.txt"), "files/letters/will.txt", id="lone files"),
        pytest.param(_leave("tmp/keep/thesis.txt"), "tmp/keep/thesis.txt", id="tmp"),
        pytest.param(_leave("records/a\nb\x1b[2J.json"), "records/a\\nb\\x1b[2J.json", id="a name with lines"),
        pytest.param(_link, "attempt-0123456789abcdef", id="a link for an attempt"),
        pytest.param(_deep, "records/a/a/a", id="deep folders"),
    ],
)
def test_what_others_left_is_told_once_and_stops_nothing(harm: Harm, told: str, store: Path, study: Path) -> None:
    harm(store)
    theirs = [path for path in store.glob("*/*") if path.name in ("a.txt", "letters", ".DS_Store", "keep")]
    before = snapshot(store.parent / "victim", *theirs)
    matrix = ended("matrix", study, "--store", store, "--json")
    for words in (["gc"], ["gc", "--unreferenced"], ["mend", study, "--dry-run"], ["run", study, *RUN]):
        status, out, err = ended(*words, "--store", store)
        assert status == 0 and not err.count("Error"), out + err
        assert (told in out.replace("\n", "")) == (words[0] != "run"), out
    assert ended("matrix", study, "--store", store, "--json") == matrix and matrix[0] == 0
    assert snapshot(store.parent / "victim", *theirs) == before
    subprocess.run(["rm", "-rf", store], check=True)


@pytest.mark.parametrize("kind", ["pipe", "folder", "device", "nested"])
def test_one_stage_that_cannot_be_read_stops_no_cleaning(kind: str, store: Path, study: Path) -> None:
    done = training(store)
    done.unlink()
    if not put_odd(kind, done):
        done.write_text("[" * 200_000)
    status, out, err = ended("gc", "--store", store)
    assert status == 0 and "Traceback" not in out + err, out + err
    status, _, err = ended("run", study, "--store", store, *RUN)
    assert status in (0, 2) and "Traceback" not in err
    assert ended("mend", study, "--store", store)[0] == 0
    status, out, err = ended("run", study, "--store", store, *RUN)
    assert status == 0, out + err


def test_a_study_of_a_newer_stilts_stops_no_other(store: Path, study: Path) -> None:
    record = store / record_path(study_record_name("little"))
    newer = store / record_path(study_record_name("newer"))
    newer.parent.mkdir(parents=True, exist_ok=True)
    body = json.loads(unseal(record.relative_to(store).as_posix(), record.read_bytes(), required=True))
    name = newer.relative_to(store).as_posix()
    newer.write_bytes(sealed(name, json.dumps({**body, "name": "newer", "invented": 1}).encode()))
    tracking = ["--tracking-uri", f"sqlite:///{store.parent}/mlflow.db"]
    for words in (["run", study, *RUN], ["gc"], ["matrix", study], ["track", "--study", study, *tracking]):
        status, out, err = ended(*words, "--store", store)
        assert status == 0, out + err
    status, _, err = ended("matrix", "newer", "--store", store)
    assert status == 2 and "newer than this stilts" in err
