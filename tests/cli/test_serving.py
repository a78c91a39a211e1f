"""Addresses of MLflow and of the store are used by run, track and ui, and their secrets shown by none of them."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from stilts.app.champions import _location
from stilts.app.places import load_record, make_store_at
from stilts.app.showcase import is_running
from stilts.cli import serving
from stilts.cli.main import main
from stilts.cli.running import summary, with_link
from stilts.cli.serving import address_of, command_of, how_to_open, link_line, link_of, serve
from stilts.cli.terminal import console
from stilts.errors import StoreError
from tests.tracking.fake_store import Shape, filled, publish_all, seen

DATABASE = "postgresql://me:s3cret@host/db"
SERVER = "http://me:s3cret@127.0.0.1:1/?api_key=t0k3n"


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("STILTS_STORE", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)


def said(words: Sequence[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> tuple[Any, str]:
    """The status of a command line, and all that it printed."""
    monkeypatch.setattr(sys, "argv", ["stilts", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    printed = capsys.readouterr()
    # Without what a verb says that it is doing.
    lines = [line for line in (printed.out + printed.err).splitlines(keepends=True) if not line.endswith(" ...\n")]
    return ended.value.code, "".join(lines)


@pytest.mark.parametrize(
    "words", [["run", "study.yaml"], ["track"], ["ui", "--how"], ["ui", "--how", "--json"], ["ui"]], ids=" ".join
)
@pytest.mark.parametrize("given", ["option", "environment"])
def test_a_missing_driver_is_one_message_before_anything_is_done(
    words: list[str], given: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)  # as if it were not installed
    if given == "environment":
        monkeypatch.setenv("MLFLOW_TRACKING_URI", DATABASE)
    else:
        words = [*words, "--tracking-uri", DATABASE]
    (tmp_path / "study.yaml").write_text(
        "name: little\nencoder: {toy: true}\nintermediates: {none: }\ntargets: {xnli: }\n"
    )
    status, text = said(words, capsys, monkeypatch)
    assert status == 2 and len(text.splitlines()) == 1
    assert text.endswith("Install it: pip install 'psycopg[binary]'.\n") and "s3cret" not in text
    assert [path.name for path in tmp_path.iterdir()] == ["study.yaml"], "nothing was made yet"


def test_track_names_the_address_without_its_secrets(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_store_at("empty")
    for form in ([], ["--json"]):
        status, text = said(["track", "--store", "empty", "--tracking-uri", SERVER, *form], capsys, monkeypatch)
        assert status == 0 and "127.0.0.1:1/?api_key=***" in text
        assert "s3cret" not in text and "t0k3n" not in text


def test_how_to_open_says_a_command_without_secrets_that_works(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (
        command_of("stilts", "sqlite:///mlflow.db", 5000) == "stilts ui --tracking-uri sqlite:///mlflow.db --port 5000"
    )
    assert shlex.split(command_of("stilts", "sqlite:///my runs.db", 5000))[3] == "sqlite:///my runs.db"
    assert command_of("stilts", DATABASE, 5000) == "stilts ui --port 5000"
    told = how_to_open(command_of("stilts", DATABASE, 5000), address_of(DATABASE, 5000), "", secret=True)
    assert "MLFLOW_TRACKING_URI" in told and "http://127.0.0.1:5000" in told
    assert address_of(SERVER, 5000) == "http://***@127.0.0.1:1/?api_key=***"


def test_a_verb_tells_where_the_runs_are_once_they_are_there(tmp_path: Path) -> None:
    from stilts.tracking.sync import sync

    uri = "sqlite:///mlflow.db"
    assert link_of(uri, "little") is None and link_of("none", "little") is None
    assert link_line(None, uri) == "" and not (tmp_path / "mlflow.db").exists()
    sync(seen(*filled(Shape(rows=("none",), columns=("xnli",), languages=("en",)))), uri)
    link = link_of(uri, "little")
    assert link == ("http://127.0.0.1:5000/#/experiments/1/runs?workflowType=machine_learning&viewStateShareKey=stilts")
    assert link_line(link, uri) == f"MLflow (stilts ui): {link}"
    assert link_line("http://host/#/1", "http://host") == "MLflow: http://host/#/1"


def test_the_end_of_a_run_tells_the_link_on_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    report = {"done": 3, "executed": 3, "pruned": [], "failed": {}, "seconds": 2.0, "interrupted": False}
    value = {**report, "stopped": None, "mlflow": "http://127.0.0.1:5000/#/1"}
    console().print(with_link(summary(value), value, "sqlite:///mlflow.db"))
    assert capsys.readouterr().out.splitlines() == [
        "3 stages done (3 executed now) in 2 s.",
        "MLflow (stilts ui): http://127.0.0.1:5000/#/1",
    ]
    console().print(with_link(summary(value), value | {"mlflow": None}, "sqlite:///mlflow.db"))
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_status_tells_the_link(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    record, fake = filled(Shape(rows=("none",), columns=("xnli",), languages=("en",)))
    publish_all(fake, record, tmp_path / "store")
    monkeypatch.setattr("stilts.tracking.study_link.study_page", lambda uri, study: f"/#/{study} at {uri}")
    for form in ([], ["--json"]):
        status, text = said(["status", "little", "--store", "store", *form], capsys, monkeypatch)
        assert status == 0 and "http://127.0.0.1:5000/#/little at sqlite:///mlflow.db" in text


def test_the_server_gets_the_address_by_its_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Server:
        pid = 2**22 + 1  # beyond the highest process id

        def __init__(self, words: list[str], *, env: dict[str, str], **options: Any) -> None:
            (tmp_path / "started.json").write_text(json.dumps({"words": words, "env": env}))

        def wait(self) -> int:
            return 0

    monkeypatch.setattr(serving.subprocess, "Popen", Server)
    monkeypatch.setattr(serving.signal, "signal", lambda *_: None)
    serve(DATABASE, 5000)
    started = json.loads((tmp_path / "started.json").read_text())
    assert started["env"]["MLFLOW_BACKEND_STORE_URI"] == DATABASE
    assert not any("s3cret" in word or "backend-store" in word for word in started["words"])


def test_mlflow_reads_the_variable_that_it_is_given() -> None:
    from click import Context
    from mlflow.cli import server

    by_name = {option.name: option.envvar for option in server.get_params(Context(server))}  # type: ignore[attr-defined]
    assert by_name["backend_store_uri"] == "MLFLOW_BACKEND_STORE_URI"


def test_a_server_that_shows_the_runs_already_is_named_without_its_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    serve(SERVER, 5000)
    assert capsys.readouterr().out == "A server shows these runs already: open http://***@127.0.0.1:1/?api_key=***\n"


def test_a_store_with_keys_in_its_address_is_named_without_them() -> None:
    store = make_store_at("memory://AKIA0123456789ABCDEF:s3cret@serving")
    with pytest.raises(StoreError) as caught:
        load_record("little", store)
    assert "s3cret" not in str(caught.value) and "memory://***@serving" in str(caught.value)
    assert "STILTS_STORE" in caught.value.next_step and "--store" not in caught.value.next_step
    assert _location(store, "train-a") == "memory://***@serving/train-a"


def test_a_study_runs_while_a_live_process_holds_one_of_its_stages(tmp_path: Path) -> None:
    record, fake = filled(Shape(rows=("none",), columns=("xnli",), languages=("en",)))
    store = publish_all(fake, record, tmp_path / "store")
    (own,) = (replicate.target_stage or "" for replicate in record.replicates)
    assert not is_running("little", store)
    with store.lease("train-another-0123456789ab"):
        assert not is_running("little", store)
    with store.lease(own):
        assert is_running("little", store)
    assert not is_running("little", store)
