"""Help comes at once, and a run says at once what it does: by what is imported before, which is the same everywhere."""

from __future__ import annotations

import subprocess
import sys

import pytest

# What takes a tenth of a second or more to load.
SLOW = "numpy pandas scipy rich markdown_it pygments yaml torch transformers ray mlflow optuna datasets pyarrow"
# A remark ends the process here, and tells what was loaded before it.
FIRST_WORD = """
import os, sys
import stilts.cli.running as running
def said(text):
    print(text, *sorted(set({slow!r}.split()) & set(sys.modules)), flush=True)
    os._exit(0)
running.remark = said
"""
MAIN = """
import sys
from stilts.cli.main import app
sys.argv = {words!r}
try:
    app()
except SystemExit:
    pass
"""


def printed(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    ("words", "slow"),
    # Typer itself reads the words of a verb with pydantic.
    [(("--help",), f"{SLOW} pydantic"), (("best", "--help"), SLOW), (("run", "-h"), SLOW), (("validate", "-h"), SLOW)],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_help_loads_nothing_that_takes_long(words: tuple[str, ...], slow: str) -> None:
    loaded = f"print(sorted(set({slow!r}.split()) & set(sys.modules)))"
    told = printed(MAIN.format(words=["stilts", *words]) + loaded)
    assert told.startswith("Usage: stilts") and told.splitlines()[-1] == "[]"


def test_a_run_says_what_it_does_before_anything_slow_is_loaded() -> None:
    told = printed(FIRST_WORD.format(slow=SLOW) + MAIN.format(words=["stilts", "run", "my_study.yaml"]))
    assert told == "reading my_study.yaml ...\n"


def test_help_lists_every_verb_with_a_whole_sentence() -> None:
    told = printed(MAIN.format(words=["stilts", "--help"]))
    verbs = told.partition("Commands:")[2]
    assert "..." not in verbs and "Fill the study's matrix." in verbs
