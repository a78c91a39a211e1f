"""What a process knows of the Ray job that it is the entry point of, and which places are then lost."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from stilts.app.places import store_url, tracking_uri
from stilts.app.workspace import assemble
from stilts.errors import InputError, StudyError
from stilts.scheduling.cluster import RaySettings
from stilts.scheduling.within_job import JOB_CONFIG, away, claim, is_fleeting, submission_id
from stilts.study.study import Study
from tests.e2e.studies import tiny_study

CONFIG = {
    "runtime_env": {"working_dir": "gcs://_ray_pkg_1.zip"},
    "metadata": {"job_submission_id": "little-1", "job_name": "little-1"},
}


@pytest.fixture(autouse=True)
def nothing_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "runtime_resources" / "working_dir_files" / "_ray_pkg_1"
    package.mkdir(parents=True)
    monkeypatch.chdir(package)
    for name in (JOB_CONFIG, "STILTS_STORE", "MLFLOW_TRACKING_URI", "RAY_ADDRESS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def in_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(JOB_CONFIG, json.dumps(CONFIG))


def test_outside_of_a_job_every_place_lasts(tmp_path: Path) -> None:
    assert submission_id() is None and not is_fleeting(tmp_path)
    assert (store_url(None), tracking_uri(None)) == ("stilts_store", "sqlite:///mlflow.db")


@pytest.mark.parametrize("store", [None, "results", "file://results", "HERE/results"])
def test_a_store_in_the_working_directory_of_a_job_is_refused(store: str | None, in_job: None) -> None:
    with pytest.raises(InputError, match="working directory of the Ray job") as error:
        store_url(store and store.replace("HERE", str(Path.cwd())))
    assert "--store s3://BUCKET/stilts" in str(error.value)


@pytest.mark.parametrize("uri", [None, "sqlite:///mlflow.db", "sqlite:///HERE/mlflow.db", "mlruns"])
def test_an_mlflow_in_the_working_directory_of_a_job_is_refused(uri: str | None, in_job: None) -> None:
    with pytest.raises(InputError, match="working directory of the Ray job") as error:
        tracking_uri(uri and uri.replace("HERE", str(Path.cwd())))
    assert "--tracking-uri http://HOST:5000" in str(error.value)


def test_what_lies_elsewhere_is_taken_within_a_job(in_job: None, tmp_path: Path) -> None:
    assert submission_id() == "little-1"
    for store in ("s3://bucket/x", str(tmp_path / "store"), "file:///mnt/store"):
        assert store_url(store) == store
    for uri in ("http://mlflow:5000", "none", "postgresql://host/db", f"sqlite:///{tmp_path}/mlflow.db"):
        assert tracking_uri(uri) == uri


def test_another_folder_that_ray_unpacked_is_refused_too(in_job: None) -> None:
    with pytest.raises(InputError):
        store_url("/tmp/ray/session_1/runtime_resources/working_dir_files/_ray_pkg_2/store")


def test_a_job_without_a_package_may_write_where_it_runs(
    in_job: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert store_url("results") == "results"
    with away():
        assert Path.cwd() == tmp_path


def test_a_job_works_outside_of_its_package_and_comes_back(in_job: None, monkeypatch: pytest.MonkeyPatch) -> None:
    here = Path.cwd()
    with away():
        assert Path.cwd() != here
        shutil.rmtree(here)  # as Ray does when another node of the machine unpacks it anew
        here.mkdir()
    assert Path.cwd() == here
    monkeypatch.delenv(JOB_CONFIG)
    with away():
        assert Path.cwd() == here


@pytest.mark.parametrize("told", ["", "no JSON", "[]", '{"metadata": 3, "runtime_env": []}'])
def test_what_ray_says_in_another_way_is_passed_over(told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(JOB_CONFIG, told)
    assert submission_id() is None and not is_fleeting(Path("x"))


def test_a_cluster_is_joined_by_an_address_or_within_a_job(monkeypatch: pytest.MonkeyPatch) -> None:
    assert RaySettings().joined is None and RaySettings(address="local").joined is None
    assert RaySettings(address="auto").joined == "auto"
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    assert RaySettings().joined == "10.0.0.1:6379"


def test_named_roots_stand_in_place_of_the_study_s(tmp_path: Path) -> None:
    study = Study.load(tiny_study(tmp_path / "here", encoder={"path": "../models/tiny"}))
    (tmp_path / "models").mkdir()
    (tmp_path / "here" / "tiny").rename(tmp_path / "models" / "tiny")
    by_study = assemble(study)
    (tmp_path / "models").rename(tmp_path / "elsewhere")
    named = assemble(study, roots={"encoders": str(tmp_path / "elsewhere")})
    assert named.resolved.encoder.fingerprint == by_study.resolved.encoder.fingerprint
    assert named.encoder_path == tmp_path / "elsewhere" / "tiny"
    with pytest.raises(StudyError, match="does not exist"):
        assemble(study, roots={"encoders": str(tmp_path / "nowhere")})


def test_a_variable_says_where_data_lie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"source": "toy", "root": "${STILTS_DATA}/releases"}
    study = Study.load(tiny_study(tmp_path, data=files, encoder={"path": "${MODELS}/tiny"}))
    monkeypatch.setenv("MODELS", str(tmp_path))
    monkeypatch.delenv("STILTS_DATA", raising=False)
    with pytest.raises(StudyError, match=r"data\.root.*STILTS_DATA"):
        assemble(study)
    (tmp_path / "mnt" / "releases").mkdir(parents=True)
    monkeypatch.setenv("STILTS_DATA", str(tmp_path / "mnt"))
    found = assemble(study)
    assert found.roots["data"] == str(tmp_path / "mnt" / "releases") and found.encoder_path == tmp_path / "tiny"


def test_owner_and_priority_are_those_that_the_job_was_submitted_with(monkeypatch: pytest.MonkeyPatch) -> None:
    assert claim() == (None, 0)
    monkeypatch.setenv(JOB_CONFIG, '{"metadata": {"stilts_owner": "ada", "stilts_priority": "-3"}}')
    assert claim() == ("ada", -3)
    monkeypatch.setenv(JOB_CONFIG, '{"metadata": {"stilts_priority": "much"}}')
    assert claim() == (None, 0)
