"""What every verb prints at 80 and at 140 columns, held against texts that are kept in ``golden/``.

A change of words or figures that is meant: ``STILTS_GOLDEN=write pytest tests/cli/test_golden.py`` writes them anew,
and ``git diff`` shows what it did.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from stilts.analysis.scoring.benchmarks import XTREME
from stilts.cli.main import app
from stilts.cli.notice import notice
from stilts.cli.terminal import console
from stilts.errors import UnknownNameError
from tests.analysis.submissions import write
from tests.cli.golden_study import NAME, write_golden_store
from tests.e2e.studies import tiny_study
from tests.scheduling.job_server import FakeServer, job

GOLDEN = Path(__file__).parent / "golden"
REMADE = os.environ.get("STILTS_GOLDEN") == "write"
TABLE = "source,target,score\n" + "".join(
    f"{source},{target},{50 + 3 * number + 2 * at}\n"
    for number, source in enumerate(("mnli", "squad", "none"))
    for at, target in enumerate(("xnli", "udpos"))
)
# A name for each text, and what is typed. STUDY is a study file of nothing that was run, TABLE a recorded matrix.
TYPED = {
    "tasks": ("tasks",),
    "tasks_overlap": ("tasks", "--overlap"),
    "tasks_readers": ("tasks", "--readers"),
    "plan": ("plan", "STUDY", "--store", "none"),
    "validate": ("validate", "STUDY", "--store", "none"),
    "status": ("status", NAME),
    "matrix": ("matrix", NAME),
    "matrix_languages": ("matrix", NAME, "--languages", "target00"),
    "compare": ("compare", NAME, NAME),
    "best": ("best", NAME),
    "best_by_family": ("best", NAME, "--by", "family", "--target", "target00"),
    "best_objective": ("best", NAME, "--objective", "xtreme_average"),
    "best_if_only_one": ("best", NAME, "--if-only-one"),
    "explain": ("explain", NAME),
    "explain_cell": ("explain", NAME, "task01/target00"),
    "explain_stage": ("explain", NAME, "STAGE"),
    "estimates": ("estimates", NAME),
    "rescore": ("rescore", NAME),
    "report": ("report", NAME),
    "replay": ("replay", "TABLE", "--repeats", "2", "--policy", "random", "--budget", "1"),
    "gc": ("gc", "--dry-run"),
    "mend": ("mend", NAME, "--dry-run"),
    "score": ("score", "PREDICTIONS", "LABELS"),
    "ui": ("ui", "--how"),
    "jobs": ("jobs",),
    "logs": ("logs", "demo"),
    "stop": ("stop", "demo"),
    "init": ("init", "NEW"),
}
# Where what did not fit is cut on purpose, and said below.
CUT = {"tasks"}
NUMBER = re.compile(r"(?<![\w.])[-+±]?\d[\d.,]*")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("golden")
    record = write_golden_store(folder / "store")
    (folder / "stage").write_text(str(record.replicates[-1].evaluate_stage))
    (folder / "matrix.csv").write_text(TABLE)
    rate = {"low": 1e-3, "high": 1e-1, "log": True}
    searched = {"task": "mnli", "search": {"learning_rate": rate, "proposals": 3}}
    tiny_study(folder, intermediates={"none": None, "mnli": None, "searched": searched})
    write(folder, XTREME)
    return folder


@pytest.fixture(autouse=True)
def here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("STILTS_STORE", "store")
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr("stilts.app.offering._num_gpus", lambda: 0)
    monkeypatch.setenv("RAY_API_SERVER_ADDRESS", "http://head:8265")
    monkeypatch.setattr("stilts.scheduling.jobs.connect", lambda address: cluster())
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    notice.end()
    monkeypatch.undo()
    time.tzset()


def cluster() -> FakeServer:
    """A cluster with a job that runs, one that ended, and one that is no study's."""
    noon, store = 1_790_000_000.0, {"stilts_store": "s3://bucket/stilts"}
    known = [
        job("raysubmit_9yLdmWJ2", "FAILED", entrypoint="sleep 1", started=noon - 900, ended=noon - 895),
        job(
            "mini_smoke-20260921-1400", "SUCCEEDED", study="mini_smoke", metadata=store, started=noon, ended=noon + 3e3
        ),
        job("demo-20260921-1600", "RUNNING", study="demo", metadata=store, started=noon + 9e3, ended=noon + 9.5e3),
    ]
    return FakeServer(known=known, logs={"demo-20260921-1600": ["study demo\n", "43 stages: 2 done, 41 to run\n"]})


def printed(name: str, width: int) -> str:
    """What the verb prints into a pipe where COLUMNS says so much, without blanks at the ends of lines."""
    words = {"STUDY": "little.yaml", "TABLE": "matrix.csv", "STAGE": Path("stage").read_text(), "NEW": "new"}
    words |= {"PREDICTIONS": "predictions", "LABELS": "labels"}
    shutil.rmtree("new", ignore_errors=True)
    typed = [words.get(word, word) for word in TYPED[name]]
    done = CliRunner().invoke(app, typed, env={"COLUMNS": str(width)}, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return "\n".join(line.rstrip() for line in done.stdout.splitlines()) + "\n"


@pytest.mark.parametrize("width", [80, 140])
@pytest.mark.parametrize("name", TYPED)
def test_a_verb_prints_what_is_kept(name: str, width: int) -> None:
    text, kept = printed(name, width), GOLDEN / f"{name}.{width}.txt"
    assert "\x1b" not in text
    assert [line for line in text.splitlines() if len(line) > width] == []
    if name not in CUT:
        assert "…" not in text
        assert set(NUMBER.findall(text)) == set(NUMBER.findall(printed(name, 1000))), "a number is broken"
    if REMADE:
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(text, encoding="utf-8")
    assert text == kept.read_text(encoding="utf-8")


def test_every_text_that_is_kept_is_one_of_a_verb() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == {f"{name}.{width}.txt" for name in TYPED for width in (80, 140)}


def test_every_verb_has_a_text() -> None:
    verbs = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    # They need weights, MLflow or a hub, or print one line (test_starting.py), or what they measure (submit, a size).
    others = {"export", "run", "track", "doctor", "profile", "submit", "fetch"}
    assert {words[0] for words in TYPED.values()} == verbs - others


def test_tasks_are_one_line_each_at_every_width() -> None:
    for width in (80, 140, 400):
        lines = printed("tasks", width).splitlines()
        number = int(lines[0].split()[0])
        assert len([line for line in lines[3 : 3 + number] if line and not line.startswith(" ")]) == number
    assert "Not shown" in printed("tasks", 80) and "Not shown" not in printed("tasks", 400)


@pytest.mark.parametrize("typed", ["task01>target00", "task01/target00/i1/t1", "task01>target00/i0/t0"])
def test_a_cell_is_typed_in_both_forms_with_or_without_seeds(typed: str) -> None:
    told = CliRunner().invoke(app, ["explain", NAME, typed], env={"COLUMNS": "80"}, catch_exceptions=False)
    assert "\n".join(line.rstrip() for line in told.stdout.splitlines()) + "\n" == printed("explain_cell", 80)


def test_what_is_no_cell_is_refused_with_the_form_that_needs_no_quotes() -> None:
    with pytest.raises(UnknownNameError, match="task01/target00"):
        CliRunner().invoke(app, ["explain", NAME, "task01/target0"], catch_exceptions=False)


def test_status_tells_the_same_as_json() -> None:
    value = json.loads(CliRunner().invoke(app, ["status", NAME, "--json"], catch_exceptions=False).stdout)
    cells = {(cell["row"], cell["column"]): (cell["state"], cell["done"], cell["planned"]) for cell in value["cells"]}
    assert cells["none", "target00"] == ("done", 2, 2)
    assert cells["task02", "target04"] == ("missing", 0, 2)
    assert cells["task03", "target04"] == ("failed", 1, 2)
    assert list(value["names"].values()) == ["task03 > target04, seed 0"]


@pytest.mark.parametrize(("columns", "width"), [("72", 72), ("", 140), ("wide", 140), ("0", 140)])
def test_a_pipe_is_as_wide_as_columns_says(columns: str, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert console().width == width
