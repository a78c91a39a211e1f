"""A token that others can read is refused with the command that mends it, wherever Ray would read it from."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from stilts.errors import InputError
from stilts.scheduling.jobs import connect
from stilts.scheduling.token import check_token_file, has_token, token_file


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("RAY_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def written(path: Path, mode: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("secret")
    path.chmod(mode)
    return path


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
@pytest.mark.parametrize("name", [".ray/auth_token", "a token"])
def test_the_command_in_the_message_mends_it(name: str, mode: int, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = written(home / name, mode)
    if name == "a token":
        monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(file))
    assert has_token() and token_file() == file
    with pytest.raises(InputError, match=f"its mode is {mode:o}") as error:
        connect("http://127.0.0.1:9")
    subprocess.run(shlex.split(error.value.next_step.partition(": ")[2]), check=True)
    check_token_file()
    assert file.stat().st_mode & 0o777 == 0o600


def test_where_no_file_holds_it_there_is_nothing_to_mend(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check_token_file()
    assert not has_token()
    written(home / ".ray/auth_token", 0o644)
    monkeypatch.setenv("RAY_AUTH_TOKEN", "secret")
    check_token_file()
    assert has_token() and token_file() is None
