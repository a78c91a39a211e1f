"""The images: pinned, not root, with what the code needs and nothing of the user's."""

from __future__ import annotations

import re
import shlex
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.deploy import known
from tests.deploy.dockerfile import Dockerfile, Stage
from tests.deploy.files import DEPLOY, ROOT

PATH = DEPLOY / "docker" / "Dockerfile"
TEXT = PATH.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def file() -> Dockerfile:
    return Dockerfile.of(TEXT)


def names(file: Dockerfile, base: str) -> list[str]:
    """The stages that a base may be, for every device."""
    return [base.replace("${DEVICE}", device) for device in ("cpu", "gpu")] if "${DEVICE}" in base else [base]


def problems(file: Dockerfile) -> list[str]:
    """References to stages, arguments and files that are not there, and bases without a version."""
    found = []
    for stage in file.stages.values():
        for base in names(file, stage.base):
            if base not in file.stages and not re.fullmatch(r"[\w./-]+:\d+\.\d+\.\d+[\w.-]*", base):
                found.append(f"{base} is neither a stage nor an image of one version")
        for word, rest in stage.instructions:
            found += [
                f"{name} is no argument" for name in re.findall(r"\$\{?([A-Z]+)\}?", rest) if not _set(file, name)
            ]
            if word == "COPY":
                found += _copied(file, shlex.split(rest))
            if word == "ENV":
                found += [f"nothing reads {name}" for name in _variables(rest) if not known.is_variable(name)]
    return found


def _set(file: Dockerfile, name: str) -> bool:
    return name in file.arguments or name == "PATH"


def _variables(rest: str) -> list[str]:
    return [word.partition("=")[0] for word in shlex.split(rest)]


def _copied(file: Dockerfile, words: list[str]) -> list[str]:
    options = [word for word in words if word.startswith("--")]
    sources = [word for word in words if not word.startswith("--")][:-1]
    for option in options:
        if option.startswith("--from="):
            stage = option.removeprefix("--from=")
            return [] if stage in file.stages else [f"{stage} is no stage"]
    found = [f"{source} is not there" for source in sources if not (ROOT / source).exists()]
    return found + [f"{source} does not travel: .dockerignore" for source in sources if not travels(source)]


def travels(path: str) -> bool:
    """Whether a path reaches the build: the last pattern that names it, or a folder above it, counts."""
    above = [Path(path), *Path(path).parents][:-1]
    kept = True
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        pattern = line.strip().removeprefix("!")
        if not pattern or pattern.startswith("#"):
            continue
        bare = pattern.removeprefix("**/")
        within = any(fnmatch(each.name if bare != pattern else str(each), bare) for each in above)
        # "*" of Docker does not cross a folder, and what lies above is asked for too.
        if within:
            kept = line.startswith("!")
    return kept


def test_what_the_dockerfile_refers_to_is_there(file: Dockerfile) -> None:
    assert problems(file) == []


@pytest.mark.parametrize("word", sorted({line.split()[0] for line in TEXT.splitlines() if re.match(r"[A-Z]+ ", line)}))
def test_a_misspelt_instruction_is_found(word: str) -> None:
    with pytest.raises(ValueError, match="is no instruction"):
        Dockerfile.of(re.sub(rf"^{word} ", f"{word}Z ", TEXT, flags=re.MULTILINE))


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("AS installed", "AS instaled"),
        ("ARG UID=1000", "ARG USERID=1000"),
        ("COPY constraints.txt", "COPY constraint.txt"),
        ("COPY stilts stilts", "COPY tests tests"),
        ("RAY_AUTH_MODE=", "RAY_AUTHMODE="),
        ("python:3.11.14-slim-bookworm AS build", "python:3-slim AS build"),
        ("python:3.11.14-slim-bookworm AS build", "python AS build"),
    ],
)
def test_a_wrong_reference_is_found(right: str, wrong: str) -> None:
    assert right in TEXT
    assert problems(Dockerfile.of(TEXT.replace(right, wrong))) != []


def test_the_images_run_a_python_that_stilts_runs_on_and_the_suite_is_run_with(file: Dockerfile) -> None:
    versions = set(re.findall(r"^FROM python:(\d+\.\d+)\.\d+", TEXT, flags=re.MULTILINE))
    tried = re.search(r"Python (\d+\.\d+)", (ROOT / "constraints.txt").read_text(encoding="utf-8"))
    assert tried and versions == {tried[1]}
    assert known.python_fits(tried[1])


def test_every_package_is_installed_with_the_constraints_and_has_a_version_there(file: Dockerfile) -> None:
    runs = [run for stage in file.stages.values() for run in stage.all("RUN") if "pip install" in run]
    assert len(runs) == 4
    for run in runs:
        words = shlex.split(run.partition("&&")[0])[2:]
        assert words[:2] == ["-c", "constraints.txt"]
        if "--index-url" in words:
            at = words.index("--index-url")
            del words[at : at + 2]
        for name in words[2:]:
            wanted = extras(name) if name.startswith(".") else [name]
            assert [each for each in wanted if known.normal(each) not in known.pins()] == []


def test_the_mlflow_image_has_what_the_extra_server_brings(file: Dockerfile) -> None:
    (run,) = file.stages["mlflow-installed"].all("RUN")
    assert sorted(shlex.split(run.partition("&&")[0])[4:]) == sorted(extras(".[server]", whole=True))


def extras(name: str, *, whole: bool = False) -> list[str]:
    """What extras of stilts install: KeyError for one that there is not."""
    chosen = re.fullmatch(r"\.\[([\w,]+)\]", name)
    assert chosen
    optional = known.project()["optional-dependencies"]
    found = [re.split(r"[<>=!~]", each)[0] for extra in chosen[1].split(",") for each in optional[extra]]
    return found if whole else [known.normal(each) for each in found]


def test_the_cluster_has_rays_job_server_and_the_bucket_its_file_system(file: Dockerfile) -> None:
    (run,) = [run for run in file.stages["installed"].all("RUN") if "pip install" in run]
    assert set(extras(shlex.split(run)[4])) >= {"ray", "s3fs"}


@pytest.mark.parametrize("target", ["ray", "mlflow"])
def test_an_image_ends_as_a_numbered_user_who_is_not_root_and_sends_no_statistics(
    file: Dockerfile, target: str
) -> None:
    stage: Stage = file.stages[target]
    last = [rest for word, rest in stage.instructions if word in ("USER", "RUN")][-1]
    assert last == "${UID}" and stage.all("USER") == ["${UID}"]
    assert int(file.arguments["UID"] or 0) > 0
    said = " ".join(stage.all("ENV"))
    assert "MLFLOW_DISABLE_TELEMETRY=true" in said
    if target == "ray":
        assert "RAY_AUTH_MODE=token" in said and "RAY_USAGE_STATS_ENABLED=0" in said


@pytest.mark.parametrize(
    "path",
    ".venv .git demo_store stilts_store mlflow.db mlruns tests docs benchmarks deploy/compose/secrets "
    "deploy/compose/.env search_spaces/__pycache__ stilts/cli/__pycache__ stilts/main.pyc".split(),
)
def test_no_store_data_secret_or_environment_travels(path: str) -> None:
    assert not travels(path)


def test_the_commands_of_the_header_build_what_there_is(file: Dockerfile) -> None:
    lines = [shlex.split(line[1:]) for line in TEXT.splitlines() if line.startswith("#   docker build")]
    assert len(lines) == 3
    for words in lines:
        assert (ROOT / words[words.index("-f") + 1]).is_file()
        assert words[words.index("--target") + 1] in file.stages
        assert re.fullmatch(rf"stilts-\w+:{re.escape(known.version())}(-\w+)?", words[words.index("-t") + 1])
