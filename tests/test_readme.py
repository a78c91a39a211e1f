"""The README's commands exist as they are typed there, and its quick start works on a small study."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from stilts.app.starting import starter_files
from stilts.cli.main import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


def typed() -> list[list[str]]:
    """Every ``stilts`` command line of the blocks, as words."""
    lines = [line for block in blocks("bash") + blocks("sh") for line in block.splitlines()]
    words = [shlex.split(line, comments=True) for line in lines]
    return [line[1:] for line in words if line and line[0] == "stilts"]


def listed() -> Iterator[list[str]]:
    """The command lines in the README's table."""
    for line in re.findall(r"^\| `stilts ([^`]*)` \|", README, flags=re.MULTILINE):
        yield shlex.split(line)


def verbs() -> dict[str, Any]:
    """Typer's commands by name."""
    commands: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    return commands


@pytest.mark.parametrize("words", typed() + list(listed()), ids=" ".join)
def test_a_command_of_the_readme_is_one_of_stilts_as_it_is_typed(words: list[str]) -> None:
    command = verbs()[words[0]]
    # Parsing alone raises for unknown options and for missing or surplus arguments; nothing is run.
    command.make_context(words[0], words[1:], resilient_parsing=False).close()


def test_the_readme_lists_every_verb_and_each_has_help_with_examples() -> None:
    assert {words[0] for words in listed()} == set(verbs())
    for name in verbs():
        shown = CliRunner().invoke(app, [name, "--help"])
        assert shown.exit_code == 0
        assert "Examples" in shown.output and f"stilts {name}" in shown.output and "--json" in shown.output


def test_files_that_the_readme_names_are_there() -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)", README)
    studies = [word for words in typed() for word in words if word.endswith(".yaml")]
    paths = {*links, *studies, *re.findall(r"ray_jobs/[a-z_.]+|search_spaces/[a-z_.]+\.yaml", README)}
    (folder,) = (words[1] for words in typed() if words[0] == "init")
    made = {f"{folder}/{name}" for name in starter_files()}
    assert {path for path in paths if path.startswith(f"{folder}/")} <= made
    assert not [path for path in paths - made if not (ROOT / path).exists()]


def test_the_tasks_of_the_readme_read_the_files_that_init_wrote(tmp_path: Path) -> None:
    assert CliRunner().invoke(app, ["init", str(tmp_path / "mine")]).exit_code == 0
    (block,) = blocks("yaml")
    (tmp_path / "mine" / "tasks.yaml").write_text(block)
    done = CliRunner().invoke(app, ["validate", str(tmp_path / "mine" / "study.yaml")])
    assert done.exit_code == 0, done.exception


def test_make_targets_of_the_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE))
    wanted = {name for block in blocks("sh") for name in re.findall(r"^(?:\S+=\S+ )?make (\S+)", block, re.MULTILINE)}
    assert wanted and wanted <= targets


@pytest.mark.parametrize("words", [words for words in typed() if words[0] in ("tasks", "plan")], ids=" ".join)
def test_a_quick_command_of_the_readme_runs(words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STILTS_STORE", str(tmp_path / "store"))
    monkeypatch.chdir(ROOT)
    shown = CliRunner().invoke(app, words)
    assert shown.exit_code == 0, shown.output
    assert shown.output.strip()
