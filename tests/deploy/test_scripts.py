"""Shell scripts of deploy/, and those inside its YAML, as shellcheck reads them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.files import DEPLOY

SCRIPTS = sorted([*DEPLOY.rglob("*.sh"), *DEPLOY.rglob("*.sbatch")])


def shellcheck() -> str:
    """Where shellcheck is; skips where it is not."""
    found = shutil.which("shellcheck", path=str(Path(sys.executable).parent)) or shutil.which("shellcheck")
    if not found:
        pytest.skip("no shellcheck: `make venv` installs it, or the Debian package of that name")
    return found


def complaints(path: Path) -> str:
    """What shellcheck has against a script."""
    command = [shellcheck(), "--enable=check-unassigned-uppercase,deprecate-which", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize("path", [*SCRIPTS, *DEPLOY.rglob("*.env")], ids=lambda path: str(path.relative_to(DEPLOY)))
def test_a_script_is_clean(path: Path) -> None:
    assert complaints(path) == ""


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.relative_to(DEPLOY)))
def test_a_script_can_be_run_and_stops_at_errors(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert path.stat().st_mode & 0o111
    assert text.startswith("#!/bin/sh\n") or text.startswith("#!/usr/bin/env bash\n")
    assert "\nset -eu\n" in text or "\nset -euo pipefail\n" in text


def test_an_unquoted_name_is_found(tmp_path: Path) -> None:
    script = tmp_path / "x.sh"
    script.write_text("#!/bin/sh\nset -eu\nrm -r $1/x\n")
    assert "SC2086" in complaints(script)
