"""How the command line ends: one message for a disk, a traceback and a sentence for a fault, a status for a signal."""

from __future__ import annotations

import errno
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from stilts.cli import ending, main
from tests.e2e.studies import ROOT, environment


def ended(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException) -> tuple[Any, str]:
    """(status, standard error) of a command line whose verb raises the error."""

    def verb() -> None:
        raise error

    monkeypatch.setattr(main, "app", verb)
    with pytest.raises(SystemExit) as end:
        main.main()
    return end.value.code, capsys.readouterr().err


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.EIO, errno.EACCES])
def test_a_disk_is_one_message_that_names_the_path(
    number: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status, said = ended(monkeypatch, capsys, OSError(number, "as the system says", "/out/report.html"))
    assert status == 1 and "Traceback" not in said and len(said.splitlines()) == 1
    assert said.startswith("DiskError: /out/report.html: as the system says. What is done stays done.")


@pytest.mark.parametrize("error", [ValueError("odd"), type("PanicException", (BaseException,), {})("odd")])
def test_a_fault_keeps_its_traceback_and_says_what_stays(
    error: BaseException, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status, said = ended(monkeypatch, capsys, error)
    assert status == 1 and "Traceback" in said and "odd" in said
    assert "What is done stays done" in said.splitlines()[-1]


VERB = """
import sys, time
import typer
from stilts.cli import main
app = typer.Typer()
@app.command()
def verb():
    try:
        print("ready", flush=True)
        time.sleep(60)
    finally:
        print("closed")
main.app = app
sys.argv = ["stilts"]
main.main()
"""


@pytest.mark.parametrize(
    ("number", "status", "said"),
    [(signal.SIGTERM, 143, "Ended by SIGTERM"), (signal.SIGHUP, 129, "Ended by SIGHUP"), (signal.SIGINT, 130, "Inter")],
)
def test_a_verb_ends_by_a_signal_with_one_sentence(number: signal.Signals, status: int, said: str) -> None:
    script = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n" + VERB
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    )
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (status, "closed\n")
    assert err.startswith(said) and len(err.splitlines()) == 1


IN_A_CALLBACK = """
import os, signal, sys, time, weakref
import typer
from stilts.cli import main
app = typer.Typer()
class Thing:
    pass
@app.command()
def verb():
    thing = Thing()
    callback = weakref.ref(thing, lambda _: os.kill(os.getpid(), signal.SIGTERM))
    del thing
    time.sleep(60)
main.app = app
sys.argv = ["stilts"]
main.main()
"""
IN_AN_IMPORT = """
import os, signal, sys
import typer
from stilts.cli import main
app = typer.Typer()
@app.command()
def verb():
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        sum(range(10**6))
    except BaseException as error:
        raise ImportError("a C extension did not come up") from error
main.app = app
sys.argv = ["stilts"]
main.main()
"""


@pytest.mark.parametrize("script", [IN_A_CALLBACK, IN_AN_IMPORT])
def test_a_signal_is_not_lost_where_python_or_a_library_drops_what_is_raised(script: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment(), timeout=30, check=False
    )
    assert ran.returncode == 143 and ran.stderr.startswith("Ended by SIGTERM") and len(ran.stderr.splitlines()) == 1


@pytest.mark.parametrize("seconds", [0.6, 1.2, 2.4])
def test_a_signal_at_any_moment_of_the_start_leaves_no_traceback(seconds: float, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "stilts.cli.main", "run", ROOT / "search_spaces" / "demo.yaml", "--local"]
    process = subprocess.Popen(
        [*map(str, words), "--store", str(tmp_path / "store"), "--tracking-uri", f"sqlite:///{tmp_path}/mlflow.db"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
        cwd=tmp_path,
    )
    time.sleep(seconds)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    # Before the first line of ours has run, the system's own end is all there is.
    assert process.returncode in (143, -signal.SIGTERM) and "Traceback" not in err


def test_what_was_explained_is_left_as_it_is() -> None:
    with pytest.raises(ValueError, match="odd"), ending.disk_explained():
        raise ValueError("odd")
