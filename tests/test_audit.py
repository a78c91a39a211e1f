"""An audit that asked nobody is no good news."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SKIPPED = {"name": "ray", "skip_reason": "Dependency not found on PyPI and could not be audited"}
SOUND = {"name": "numpy", "version": "2.4.6", "vulns": []}
HOLED = {"name": "pillow", "version": "9.0", "vulns": [{"id": "PYSEC-2023-1", "fix_versions": ["9.1"]}]}


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    path = Path(__file__).parents[1] / ".ci" / "audit.py"
    spec = importlib.util.spec_from_file_location("audit", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("packages", "status", "words"),
    [
        ([SKIPPED, SKIPPED], 3, "Not run: none of 2 packages"),
        ([], 3, "Not run"),
        ([SOUND, SKIPPED], 0, "1 packages audited, 0 known holes; not audited: ray."),
        ([SOUND, HOLED], 1, "pillow 9.0: PYSEC-2023-1"),
    ],
)
def test_the_verdict(audit: ModuleType, packages: list[dict[str, Any]], status: int, words: str) -> None:
    found, lines = audit.verdict(packages)
    assert found == status and words in "\n".join(lines)


def test_without_pip_audit_it_says_that_it_did_not_run(
    audit: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    failing = tmp_path / "python"
    failing.write_text("#!/bin/sh\necho 'No module named pip_audit' >&2\nexit 1\n")
    failing.chmod(0o755)
    monkeypatch.setattr(audit.sys, "executable", str(failing))
    assert audit.main() == 3
    assert "Not run: No module named pip_audit" in capsys.readouterr().out
