"""What verbs print of hostile data: text, on a terminal and elsewhere; styling of our own goes on."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from typer.testing import CliRunner

from stilts.analysis.flips import CellFlips, Flip, LanguageFlips
from stilts.cli.main import app
from stilts.cli.options import say
from stilts.cli.terminal import TextConsole
from stilts.report.explained import _flips
from tests.cli.hostile import ALL, ESCAPES, LABELS, RAW, hostile_study

STYLE = re.compile(r"\x1b\[[0-9;]*m")


def on_terminal(*words: str, cwd: Path | None = None) -> str:
    """What a Python process writes to a terminal 2,000 columns wide."""
    ours, theirs = pty.openpty()
    known = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "2000"}
    process = subprocess.Popen([sys.executable, *words], stdin=theirs, stdout=theirs, stderr=theirs, cwd=cwd, env=known)
    os.close(theirs)
    got = b""
    try:
        while chunk := os.read(ours, 65536):
            got += chunk
    except OSError:  # Linux ends the reading of a terminal whose other side is closed so
        pass
    os.close(ours)
    process.wait()
    return got.decode()


def elsewhere(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)


def printed(renderable: RenderableType, **settings: object) -> str:
    text = io.StringIO()
    TextConsole(file=text, width=100, **settings).print(renderable)
    return text.getvalue()


@pytest.fixture
def study(tmp_path: Path, shared: Path) -> Path:
    return hostile_study(tmp_path, shared / "models" / "xlmr-mini")


def test_tables_texts_and_titles_hold_no_raw_character_and_keep_their_width() -> None:
    table = Table(title=ALL, caption=Text(ALL))
    for name in ("a", ESCAPES):
        table.add_column(name)
    for cell in (ESCAPES, Text(ESCAPES, style="bold"), Text.assemble(("a", "red"), (ESCAPES, "bold"), "b"), "plain"):
        table.add_row("x", cell)
    told = printed(Group(table, Padding(Text(ALL), (0, 2)), ALL))
    assert not RAW.search(told)
    assert "\\x1b]0;PWNED" in told and "\\u202egnp.exe" in told
    rows = [line for line in told.splitlines() if line.startswith("│")]
    assert len(rows) >= 4 and len({len(line) for line in rows}) == 1


def test_a_text_may_have_lines_and_a_string_has_one() -> None:
    assert printed(Text("one\ntwo")).splitlines() == ["one", "two"]
    assert printed("one\ntwo").splitlines() == [r"one\ntwo"]


def test_styles_stay_where_they_were_around_what_is_escaped() -> None:
    text = Text.assemble("a\x1b", ("bold\x1bbold", "bold"), "\x1bz")
    told = printed(text, force_terminal=True, color_system="standard")
    assert STYLE.sub("", told) == "a\\x1bbold\\x1bbold\\x1bz\n"
    styled = "".join(re.findall(r"\x1b\[1m(.*?)\x1b\[0m", told))
    assert styled == r"bold\x1bbold"


def test_nothing_is_read_as_markup_or_as_an_emoji() -> None:
    assert printed("[red]x[/red] :car: [/]") == "[red]x[/red] :car: [/]\n"


def test_json_is_valid_and_gives_the_values_back(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"licence": ALL, ESCAPES: ["\ud800", "\u2066", 1.5]}
    say(value, lambda: "", as_json=True)
    told = capsys.readouterr().out
    assert json.loads(told) == value and not RAW.search(told)


def test_flipped_examples_are_text() -> None:
    flip = Flip(item=ESCAPES, row_answer=ALL, none_answer=ESCAPES, row_score=1.0, none_score=0.0, gold="\x07\x1b[31m")
    found = LanguageFlips(language="en", num_examples=2, num_won=1, num_lost=1, won=(flip,), lost=(flip,))
    flips = CellFlips(row_replicate="a", none_replicate="b", whole=True, languages=(found,), skipped=())
    told = printed(Group(*_flips(flips, None)))
    assert not RAW.search(told) and r"\x07\x1b[31m" in "".join(told.split())


def test_verbs_on_hostile_data_print_text(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(study.parent)
    for words in (["tasks", "--study", "study.yaml"], ["validate", "study.yaml"], ["plan", "study.yaml"]):
        for more in ([], ["--json"]):
            done = CliRunner().invoke(app, [*words, *more], catch_exceptions=False)
            assert done.exit_code == 0, done.output
            assert not RAW.search(done.output), (words, RAW.findall(done.output))
            if more:
                json.loads(done.stdout)
    value = json.loads(CliRunner().invoke(app, ["validate", "study.yaml", "--json"]).stdout)
    assert any(LABELS[2] in view["labels"] for view in value["views"])


def test_an_unknown_label_is_one_line(study: Path) -> None:
    data = study.parent / "test-de.jsonl"
    lines = data.read_text().splitlines()
    lines[3] = json.dumps({"text": "a", "text_pair": "b", "label": f"{ESCAPES}\nValid."})
    data.write_text("\n".join(lines) + "\n")
    done = elsewhere("-m", "stilts.cli.main", "validate", str(study))
    assert done.returncode == 2 and not RAW.search(done.stderr)
    (told,) = (line for line in done.stderr.splitlines() if not line.endswith(" ..."))  # it may say that it takes long
    assert r"\x1b]0;PWNED\x07" in told and r"\nValid." in told


def test_words_that_cannot_be_used_are_quoted_as_text() -> None:
    name = "x\x1b[31m\u202ey"
    for words in (["validate", f"{name}\n.yaml"], [name], ["validate", f"--{name}"], ["validate", "a", name]):
        done = elsewhere("-m", "stilts.cli.main", *words)
        assert done.returncode == 2 and not RAW.search(done.stderr)
        assert r"\x1b[31m\u202ey" in done.stderr, done.stderr


def test_logs_warnings_and_tracebacks_are_text() -> None:
    lines = (
        "import logging, warnings",
        "from stilts.cli.only_text import show_only_text",
        "show_only_text()",
        r"logging.getLogger('any').warning('log %s', '\x1b[31m')",
        "try: raise ValueError('\\x1b[32m')",
        "except ValueError: logging.getLogger('any').exception('caught')",
        r"warnings.warn('warned \x1b[33m')",
        r"raise KeyError(chr(27)) from ValueError('\x1b[34m')",
    )
    done = elsewhere("-c", "\n".join(lines))
    assert done.returncode == 1 and not RAW.search(done.stderr)
    for escape in (r"log \x1b[31m", r"ValueError: \x1b[32m", r"warned \x1b[33m", r"ValueError: \x1b[34m"):
        assert escape in done.stderr
    assert "Traceback" in done.stderr.splitlines()[2], "its lines are kept"


def test_on_a_terminal_our_styling_goes_on_and_theirs_does_not(study: Path) -> None:
    told = on_terminal("-m", "stilts.cli.main", "tasks", "--study", "study.yaml", cwd=study.parent)
    assert STYLE.search(told), "the title is in italics"
    plain = STYLE.sub("", told).replace("\r\n", "\n")
    assert not RAW.search(plain)
    assert r"\x1b]0;PWNED\x07\x1b[31mRED" in plain and "\x1b[31m" not in told
    lines = (
        "from rich.text import Text",
        "from stilts.cli.options import say",
        r"say(0, lambda: Text.assemble(('\x1b[35mbold', 'bold'), ' \x1b[36m'), as_json=False)",
    )
    assert on_terminal("-c", "\n".join(lines)).strip() == "\x1b[1m\\x1b\x1b[0m\x1b[1m[35mbold\x1b[0m \\x1b[36m"
