"""The commands in deploy's READMEs exist as they are typed there, and each README says how to get there and back."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.deploy import known
from tests.deploy.dockerfile import Dockerfile
from tests.deploy.files import DEPLOY, ROOT, load

READMES = sorted(DEPLOY.glob("*/README.md"))
EXEC = "docker compose -f deploy/compose/compose.yaml exec"
# Tools of others, whose arguments cannot be asked here beyond what is checked below.
_OTHERS = frozenset(
    "apt-get aws cd curl docker export helm kubectl mkdir pip rm sbatch scancel scontrol squeue ssh tail umask".split()
)


def blocks(path: Path) -> list[list[list[str]]]:
    """The sh blocks of a README, each as command lines of words."""
    found = re.findall(r"^```sh\n(.*?)^```", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    joined = [re.sub(r"\\\n\s*", "", block).splitlines() for block in found]
    return [[words for line in block if (words := shlex.split(line, comments=True))] for block in joined]


def commands() -> Iterator[tuple[str, list[str]]]:
    for path in [DEPLOY / "README.md", *READMES]:
        for block in blocks(path):
            for words in block:
                yield path.parent.name, words


def problem(words: list[str]) -> str | None:
    """Why a command line cannot be typed as it stands; None where nothing was found."""
    if words[-2:] == [">", "/dev/null"]:
        words = words[:-2]
    tool = words[0]
    if "/" in tool:
        return None if (ROOT / tool).is_file() and (ROOT / tool).stat().st_mode & 0o100 else f"{tool} cannot be run"
    if words[:2] == ["ray", "exec"]:
        return known.command_error(words) or _of_node(words[-1])
    if tool in ("ray", "stilts", "mlflow", "python"):
        return known.command_error(words)
    if tool not in _OTHERS:
        return f"{tool} is not known here"
    return _of_docker(words) if tool == "docker" else _of_paths(words)


def _of_node(line: str) -> str | None:
    parts = [shlex.split(part) for part in line.split(" && ")]
    return next(
        (error for part in parts if part[0] not in ("cd", "sleep") and (error := known.command_error(part))), None
    )


def _of_docker(words: list[str]) -> str | None:
    if words[1] == "compose":
        return _of_compose(words)
    if words[1] == "build":
        file = Dockerfile.at(ROOT / words[words.index("-f") + 1])
        arguments = dict([words[words.index("--build-arg") + 1].split("=")]) if "--build-arg" in words else {}
        unmet = file.unmet({"target": words[words.index("--target") + 1], "args": arguments})
        return unmet[0] if unmet else None
    if words[1] == "run":
        at = next(index for index, word in enumerate(words) if word.startswith("stilts-ray:"))
        return known.command_error(words[at + 1 :])
    return None


def _of_compose(words: list[str]) -> str | None:
    files = [words[index + 1] for index, word in enumerate(words) if word == "-f"]
    services = {name for file in files for name in load(ROOT / file)["services"]}
    if "exec" in words:
        service, *inner = words[words.index("exec") + 1 :]
        return known.command_error(inner) if service in services else f"{service} is no service"
    return None


def _of_paths(words: list[str]) -> str | None:
    for before, word in pairwise(words):
        if before == "-k" and not (ROOT / word / "kustomization.yaml").is_file():
            return f"{word} has no kustomization.yaml"
        if before == "-f" and not (ROOT / word).is_file():
            return f"{word} is not there"
        if before == "sbatch" and not (ROOT / word).is_file():
            return f"{word} is not there"
    return None


@pytest.mark.parametrize(
    ("folder", "words"), commands(), ids=lambda each: each if isinstance(each, str) else shlex.join(each)
)
def test_a_command_is_one_as_it_is_typed(folder: str, words: list[str]) -> None:
    assert problem(words) is None


@pytest.mark.parametrize(
    "line",
    [
        f"{EXEC} ray-heads ray job submit -- python ray_jobs/run_study.py x.yaml",
        f"{EXEC} ray-head ray job submitt -- python ray_jobs/run_study.py x.yaml",
        f"{EXEC} ray-head ray job submit -- python ray_jobs/run_study.py --sture x",
        "docker run stilts-ray:0.1.0-cpu stilts rum x.yaml",
        "docker build -f deploy/docker/Dockerfile --target rays .",
        "ray job submit --working-dirs . -- python ray_jobs/run_study.py x.yaml",
        "deploy/compose/make-secret.sh",
        "kubectl apply -k deploy/kuberay/overlays/cpus",
        "kubctl apply",
        "ray exec deploy/ray/aws.yaml 'cd stilts && stilts trak'",
        "ray ups deploy/ray/aws.yaml",
    ],
)
def test_a_wrong_command_is_found(line: str) -> None:
    assert problem(shlex.split(line)) is not None


@pytest.mark.parametrize("path", READMES, ids=lambda path: path.parent.name)
def test_a_readme_has_three_commands_to_the_ui_and_the_way_back(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    start = text.index("## From nothing to the UI")
    first = re.search(r"^```sh\n(.*?)^```", text[start:], flags=re.MULTILINE | re.DOTALL)
    assert first and len(re.sub(r"\\\n\s*", "", first[1]).splitlines()) == 3
    down = text[text.index("## Take it down") :]
    assert "```sh\n" in down.partition("\n## ")[0] + down.partition("\n## ")[2]


def test_every_folder_has_a_readme_that_the_index_names() -> None:
    folders = {path.name for path in DEPLOY.iterdir() if path.is_dir()}
    assert folders == {path.parent.name for path in READMES}
    index = (DEPLOY / "README.md").read_text(encoding="utf-8")
    assert [name for name in folders if f"({name}/README.md)" not in index] == []
