"""Studies as jobs: what travels, what is refused before it does, and which job a name means."""

from __future__ import annotations

import json
import os
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from stilts.app.cluster_file import ClusterPlaces, cluster_places
from stilts.app.job_package import packed
from stilts.app.jobs import JOB_VARIABLES, Submitted, checked_store, checked_tracking, exit_status, job_named, submit
from stilts.errors import ClusterError, InputError, StiltsError, StudyError, UnknownNameError
from stilts.study.overlay import StudyFiles
from stilts.study.study import Study
from tests.e2e.studies import study_fields
from tests.scheduling.job_server import FakeServer, job

ROOT = Path(__file__).parents[2]
HEAD, STORE, MLFLOW = "http://head:8265", "s3://bucket/stilts", "http://mlflow:5000"


@pytest.fixture(autouse=True)
def nothing_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("STORE", "DATA", "TEXT", "ENCODERS", "TASKS", "CLUSTER"):
        monkeypatch.delenv(f"STILTS_{name}", raising=False)
    for name in ("MLFLOW_TRACKING_URI", "RAY_API_SERVER_ADDRESS", "RAY_ADDRESS"):
        monkeypatch.delenv(name, raising=False)


def written(folder: Path, **changes: Any) -> Path:
    path = folder / "little.yaml"
    path.write_text(json.dumps({**study_fields(), "encoder": {"toy": True}, **changes}))
    return path


def places(**changes: Any) -> ClusterPlaces:
    return ClusterPlaces(**{"address": HEAD, "store": STORE, "tracking": MLFLOW, "roots": {}, **changes})


def sent(server: FakeServer, study: Path | StudyFiles, given: ClusterPlaces | None = None, **more: Any) -> Submitted:
    typed = study if isinstance(study, StudyFiles) else str(study)
    return submit(typed, given or places(), version="0.0", connect=server.connect, **more)


def told(error: pytest.ExceptionInfo[StiltsError]) -> str:
    """The error's text, which has all of its four parts."""
    parts = (error.value.asked, error.value.found, error.value.why, error.value.next_step)
    assert all(parts), parts
    return str(error.value)


def test_a_job_is_named_by_its_study_and_says_where_results_go(tmp_path: Path) -> None:
    server = FakeServer()
    made = sent(server, written(tmp_path))
    (only,) = server.known
    assert server.addresses == [HEAD] and made.submission_id == only.submission_id
    assert only.submission_id.startswith("little-2")
    words = shlex.split(only.entrypoint)
    assert words[:3] == ["python", "ray_jobs/run_study.py", "study/little.yaml"]
    assert words[3:] == ["--store", STORE, "--tracking-uri", MLFLOW]
    assert only.metadata == {
        "stilts_study": "little",
        "stilts_store": STORE,
        "stilts_tracking": MLFLOW,
        "stilts_version": "0.0",
        "stilts_priority": "0",
    }
    assert (only.priority, only.owner) == (0, None)


def test_only_code_and_what_the_study_names_travel(tmp_path: Path) -> None:
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "own.yaml").write_text("{datasets: {}, tasks: {}}")
    (tmp_path / "stilts_store").mkdir()
    for name in ("data.tsv", "model.safetensors", "stilts_store/LAYOUT", "mlflow.db", "notes.md"):
        (tmp_path / name).write_text("x")
    server = FakeServer()
    made = sent(server, written(tmp_path, tasks="tasks/own.yaml"))
    (files,) = server.shipped.values()
    beside = {name for name in files if not name.startswith("stilts/")}
    assert {name for name in beside if name.startswith("study/")} == {"study/little.yaml", "study/tasks/own.yaml"}
    assert {name.partition("/")[0] for name in beside} == {"study", "ray_jobs"}
    code = {path.relative_to(ROOT).as_posix() for path in (ROOT / "stilts").rglob("*.py")}
    assert code <= files.keys()
    assert not [name for name in files if "__pycache__" in name or name.endswith((".pyc", ".safetensors", ".db"))]
    assert (made.files, made.bytes) == (len(files), sum(map(len, files.values())))


def test_every_file_of_the_package_travels_but_what_python_made(tmp_path: Path) -> None:
    files = packed(Study.load(written(tmp_path)), tmp_path / "package").files
    lost = [
        path
        for path in (ROOT / "stilts").rglob("*")
        if path.is_file() and path.suffix != ".pyc" and path.relative_to(ROOT).as_posix() not in files
    ]
    assert lost == []


def test_a_tasks_file_above_the_study_keeps_its_place(tmp_path: Path) -> None:
    (tmp_path / "studies").mkdir()
    (tmp_path / "own.yaml").write_text("{datasets: {}, tasks: {}}")
    server = FakeServer()
    sent(server, written(tmp_path / "studies", tasks="../own.yaml"))
    (files,) = server.shipped.values()
    assert {"study/studies/little.yaml", "study/own.yaml"} <= files.keys()
    assert "study/studies/little.yaml" in server.known[0].entrypoint


def test_overlays_travel_and_are_named_on_the_jobs_command_line(tmp_path: Path) -> None:
    (tmp_path / "mini").mkdir()
    (tmp_path / "mini" / "own.yaml").write_text("{datasets: {}, tasks: {}}")
    (tmp_path / "mini" / "mini.yaml").write_text("name: smaller\ntasks: own.yaml\n")
    server = FakeServer()
    made = sent(server, StudyFiles.of(str(written(tmp_path)), [str(tmp_path / "mini" / "mini.yaml")]))
    (files,) = server.shipped.values()
    assert {"study/little.yaml", "study/mini/mini.yaml", "study/mini/own.yaml"} <= files.keys()
    assert " study/little.yaml --store" in server.known[0].entrypoint
    assert " --with study/mini/mini.yaml" in server.known[0].entrypoint
    assert made.study == "smaller"


def test_what_ray_would_not_take_is_refused_before_the_upload_with_the_largest_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Ray takes 1 KiB") as error:
        packed(Study.load(written(tmp_path)), tmp_path / "package", most_bytes=1024)
    largest = max((ROOT / "stilts").rglob("*.*"), key=lambda path: path.stat().st_size)
    assert largest.relative_to(ROOT).as_posix() in told(error)
    assert not (tmp_path / "package").exists()


@pytest.mark.parametrize("store", [None, "stilts_store", "./x", "file://x", "memory://x", "s3://KEY:SECRET@bucket/x"])
def test_a_store_that_no_node_keeps_is_refused(store: str | None, tmp_path: Path) -> None:
    server = FakeServer()
    with pytest.raises(InputError) as error:
        sent(server, written(tmp_path), places(store=store))
    assert "store" in told(error) and "SECRET" not in told(error)
    assert server.known == []


@pytest.mark.parametrize(
    "tracking", [None, "sqlite:///mlflow.db", "mlruns", "postgresql://me:secret@host/db", "http://", "file:mlruns"]
)
def test_a_tracking_address_that_no_node_keeps_is_refused(tracking: str | None, tmp_path: Path) -> None:
    server = FakeServer()
    with pytest.raises(InputError) as error:
        sent(server, written(tmp_path), places(tracking=tracking))
    assert "MLflow" in told(error) and "secret" not in told(error)
    assert server.known == []


def test_a_database_file_is_for_one_node(tmp_path: Path) -> None:
    given = places(tracking="sqlite:////mnt/all/mlflow.db")
    with pytest.raises(InputError, match="the cluster has 3") as error:
        sent(FakeServer(nodes=3), written(tmp_path), given)
    assert "http://HOST:5000" in told(error)
    assert sent(FakeServer(nodes=1), written(tmp_path), given).tracking == given.tracking


@pytest.mark.parametrize("store", ["/mnt/all/store", "s3://bucket/x", "file:///mnt/x", "gs://bucket"])
def test_what_every_node_may_see_is_taken(store: str) -> None:
    assert checked_store(store) == store
    assert checked_tracking("none") == "none"
    assert checked_tracking("postgresql://host/db") == "postgresql://host/db"


def test_relative_roots_need_a_name_and_absolute_ones_and_variables_do_not(tmp_path: Path) -> None:
    files = {"source": "files", "root": "../data", "text_root": "/mnt/text"}
    study = written(tmp_path, data=files, encoder={"path": "../models/tiny"})
    with pytest.raises(StudyError, match=r"data\.root") as error:
        sent(FakeServer(), study)
    assert "--root data=/mnt/data" in told(error)
    with pytest.raises(StudyError, match=r"encoder\.path") as error:
        sent(FakeServer(), study, places(roots={"data": "/d"}))
    assert "--root encoders=" in told(error)
    server = FakeServer()
    sent(server, study, places(roots={"data": "/d", "encoders": "/e", "tasks": "/unused"}))
    assert "--root data=/d --root encoders=/e" in server.known[0].entrypoint
    assert "text=" not in server.known[0].entrypoint and "tasks=" not in server.known[0].entrypoint
    sent(FakeServer(), written(tmp_path, data={"source": "files", "root": "${STILTS_DATA}"}))


def test_the_studies_that_ship_are_submitted_as_they_are() -> None:
    roots = {name: f"/mnt/{name}" for name in ("data", "text", "encoders")}
    paths = [
        path for path in (ROOT / "search_spaces").glob("*.yaml") if "." not in path.stem and "tasks" not in path.name
    ]
    files = {path: StudyFiles.of(str(path), ()) for path in paths}
    studies = [StudyFiles.of(str(path), (), one) for path in paths for one in files[path].encoders or (None,)]
    server = FakeServer()
    for study in studies:
        submit(study, places(roots=roots), version="0.0", connect=server.connect)
    assert len(server.known) == len(studies) > len(paths) >= 11


def test_data_beside_a_tasks_file_do_not_travel_and_are_asked_for(tmp_path: Path) -> None:
    from stilts.app.starting import start

    start(tmp_path / "mine")
    study = tmp_path / "mine" / "study.yaml"
    with pytest.raises(StudyError, match="tasks") as error:
        sent(FakeServer(), study, places(roots={"data": "/d"}))
    assert "--root tasks=/mnt/tasks" in told(error)
    server = FakeServer()
    sent(server, study, places(roots={"data": "/d", "tasks": "/t"}))
    (files,) = server.shipped.values()
    assert "--root tasks=/t" in server.known[0].entrypoint
    assert {name for name in files if name.startswith("study/")} == {"study/study.yaml", "study/tasks.yaml"}


def test_a_file_that_travels_has_a_relative_path(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("{datasets: {}, tasks: {}}")
    with pytest.raises(StudyError, match="absolute") as error:
        sent(FakeServer(), written(tmp_path, tasks=str(tmp_path / "own.yaml")))
    assert "relative to the study file" in told(error)


@pytest.mark.parametrize("state", ["PENDING", "RUNNING"])
def test_a_study_that_runs_is_not_submitted_twice_but_joined_if_asked(state: str, tmp_path: Path) -> None:
    server = FakeServer(known=[job("little-1", state, study="little", metadata={"stilts_store": "s3://other"})])
    with pytest.raises(InputError, match="little-1 fills it already") as error:
        sent(server, written(tmp_path))
    assert "--join" in told(error) and "stilts stop little-1" in told(error)
    made = sent(server, written(tmp_path), join=True)
    assert (made.submission_id, made.joined, made.store) == ("little-1", True, "s3://other")
    assert server.shipped == {} and len(server.known) == 1


def test_another_study_or_a_job_that_ended_is_in_nobodys_way(tmp_path: Path) -> None:
    server = FakeServer(known=[job("other-1", "RUNNING", study="other"), job("little-1", "STOPPED", study="little")])
    assert not sent(server, written(tmp_path), join=True).joined
    assert len(server.known) == 3


def test_a_comment_changes_neither_command_nor_places(tmp_path: Path) -> None:
    server, study = FakeServer(), written(tmp_path)
    sent(server, study)
    server.become(server.known[0].submission_id, "STOPPED")
    study.write_text(study.read_text() + "\n# a comment\n")
    (tmp_path / "notes.md").write_text("more")
    sent(server, study)
    first, again = server.known
    assert first.entrypoint == again.entrypoint and first.metadata == again.metadata


def test_options_of_a_run_travel(tmp_path: Path) -> None:
    server = FakeServer()
    sent(server, written(tmp_path), run_options=["--keep-weights", "--threads", "2"])
    assert server.known[0].entrypoint.endswith(" --keep-weights --threads 2")


def test_plain_submissions_get_the_same_variables(tmp_path: Path) -> None:
    server = FakeServer()
    sent(server, written(tmp_path))
    plain = yaml.safe_load((ROOT / "ray_jobs" / "runtime_env.yaml").read_text())
    assert list(server.variables.values()) == [plain["env_vars"]] == [JOB_VARIABLES]
    assert int(JOB_VARIABLES["RAY_JOB_STOP_WAIT_TIME_S"]) >= 30


def test_a_name_means_the_newest_job_of_a_study_and_an_id_its_job(tmp_path: Path) -> None:
    plain = "python ray_jobs/run_study.py search_spaces/plain.yaml --store s3://b/x"
    newest_first = [
        job("little-2", "RUNNING", study="little"),
        job("little-1", "STOPPED", study="little"),
        job("raysubmit_1", "RUNNING", entrypoint=plain),
        job("raysubmit_2", "RUNNING", entrypoint="sleep 1"),
    ]
    assert job_named("little", newest_first).submission_id == "little-2"
    assert job_named(str(written(tmp_path)), newest_first).submission_id == "little-2"
    assert job_named("little-1", newest_first).submission_id == "little-1"
    assert job_named("plain", newest_first).submission_id == "raysubmit_1"
    with pytest.raises(UnknownNameError, match='Did you mean "little"'):
        job_named("litle", newest_first)


@pytest.mark.parametrize(
    ("state", "code", "status"),
    [("SUCCEEDED", 0, 0), ("FAILED", 2, 2), ("FAILED", None, 1), ("STOPPED", None, 143), ("RUNNING", None, 0)],
)
def test_who_follows_a_job_ends_as_it_did(state: str, code: int | None, status: int) -> None:
    assert exit_status(job("x", state, exit_code=code)) == status


CLUSTER = f"""
address: {HEAD}
store: {STORE}
tracking: {MLFLOW}
roots: {{data: /of/file, text: /of/file}}
"""


def test_options_win_over_the_environment_and_that_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cluster.yaml").write_text(CLUSTER)
    assert cluster_places() == places(roots={"data": "/of/file", "text": "/of/file"})
    monkeypatch.setenv("STILTS_STORE", "s3://environment")
    monkeypatch.setenv("STILTS_DATA", "/of/environment")
    monkeypatch.setenv("RAY_API_SERVER_ADDRESS", "http://environment:8265")
    found = cluster_places(tracking="none", roots=("text=/of/option",))
    assert (found.address, found.store, found.tracking) == ("http://environment:8265", "s3://environment", "none")
    assert found.roots == {"data": "/of/environment", "text": "/of/option"}
    assert cluster_places(address=HEAD, store=STORE, roots=("data=/o",)).roots["data"] == "/o"


def test_a_job_has_the_owner_and_the_priority_that_options_or_the_file_say(tmp_path: Path) -> None:
    (tmp_path / "cluster.yaml").write_text(CLUSTER + "owner: ada\npriority: -3\n")
    said = cluster_places()
    assert (said.owner, said.priority) == ("ada", -3)
    server = FakeServer()
    sent(server, written(tmp_path), said)
    assert (server.known[0].owner, server.known[0].priority) == ("ada", -3)
    assert (cluster_places(owner="bob", priority=0).owner, cluster_places(priority=0).priority) == ("bob", 0)
    (tmp_path / "cluster.yaml").write_text("priority: 1001")
    with pytest.raises(StudyError, match="priority"):
        cluster_places()


def test_the_bound_of_the_nodes_caches_is_a_variable_of_the_job(tmp_path: Path) -> None:
    server = FakeServer()
    without = sent(server, written(tmp_path)).submission_id
    assert server.variables[without] == JOB_VARIABLES
    server.become(without, "STOPPED")
    (tmp_path / "cluster.yaml").write_text(CLUSTER + "cache_gib: 200")
    bounded = sent(server, written(tmp_path), cluster_places()).submission_id
    assert server.variables[bounded] == JOB_VARIABLES | {"STILTS_CACHE_GIB": "200"}


def test_another_cluster_file_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cluster.yaml").write_text("address: http://here:8265")
    (tmp_path / "other.yaml").write_text("address: http://there:8265")
    monkeypatch.setenv("STILTS_CLUSTER", "other.yaml")
    assert cluster_places().address == "http://there:8265"
    monkeypatch.setenv("STILTS_CLUSTER", "nowhere.yaml")
    with pytest.raises(StudyError, match=r"nowhere\.yaml"):
        cluster_places()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("stor: s3://x", "stor"),
        ("store: 3", "store"),
        ("roots: {dta: /x}", "roots"),
        ("roots: {data: relative}", "relative"),
        ("roots: {data: s3://bucket/data}", "bucket"),
        ("[a]", "mapping"),
    ],
)
def test_a_cluster_file_that_cannot_be_meant_is_refused(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "cluster.yaml").write_text(text)
    with pytest.raises(InputError, match=words):
        cluster_places()


@pytest.mark.parametrize(
    ("roots", "words"),
    [(["data"], "NAME=FOLDER"), (["data="], "NAME=FOLDER"), (["dta=/x"], "dta"), (["data=/x", "data=/y"], "twice")],
)
def test_a_root_that_is_none_is_refused(roots: list[str], words: str) -> None:
    with pytest.raises(InputError, match=words) as error:
        cluster_places(roots=tuple(roots))
    assert "data, text, encoders, tasks" in told(error)


@pytest.mark.parametrize("address", [None, "head:8265", "ray://head:10001", "auto"])
def test_an_address_of_no_job_server_is_refused(address: str | None, tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        sent(FakeServer(), written(tmp_path), places(address=address))
    assert "http://HOST:8265" in told(error)


def test_nobody_at_the_address_is_told_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from stilts.scheduling.jobs import connect

    # Ray's client would go here in place of the address that it is given.
    monkeypatch.setenv("RAY_ADDRESS", "http://127.0.0.1:2")
    # Else it would be set to "token" for all later tests of the process, where this machine has a token.
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    with pytest.raises(ClusterError, match=r"127\.0\.0\.1:1\b.*nobody answers") as error:
        connect("http://127.0.0.1:1")
    told(error)
    assert os.environ["RAY_ADDRESS"] == "http://127.0.0.1:2"


def test_an_encoder_that_is_there_is_scored_by_the_row_none_laid_over_a_study(tmp_path: Path) -> None:
    """The overlay that docs/running.md has typed."""
    typed = re.search(r"^printf '(.+)' > theirs\.yaml$", (ROOT / "docs" / "running.md").read_text(), re.MULTILINE)
    assert typed is not None
    (tmp_path / "theirs.yaml").write_text(typed[1].replace("\\n", "\n"))
    study = Study.load(written(tmp_path), [str(tmp_path / "theirs.yaml")])
    assert (study.name, list(study.rows), study.file.encoder.hub) == ("theirs", ["none"], "OWNER/ENCODER")
    assert list(study.columns) == list(study_fields()["targets"]) and study.file.encoder.toy is None
