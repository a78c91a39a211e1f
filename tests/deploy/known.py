"""What the files of deploy/ may say, asked of the code that will read it: versions, commands, options, variables."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import typer

from tests.deploy.files import ROOT

# Where Ray reads a variable, below its package.
_RAYS = {
    "RAY_AUTH_MODE": "_private/authentication/authentication_token_setup.py",
    "RAY_AUTH_TOKEN_PATH": "_private/runtime_env/image_uri.py",
    "RAY_USAGE_STATS_ENABLED": "_common/usage/usage_constants.py",
    "RAY_API_SERVER_ADDRESS": "dashboard/modules/job/cli.py",
    "RAY_TMPDIR": "_common/utils.py",
}
# What the images of others read, and where they say so.
_DOCUMENTED = {
    "AWS_DEFAULT_REGION": "botocore, configprovider",
    "AWS_ENDPOINT_URL": "AWS SDKs and tools reference, service-specific endpoints",
    "AWS_SHARED_CREDENTIALS_FILE": "botocore, configprovider",
    "NVIDIA_DRIVER_CAPABILITIES": "NVIDIA container toolkit",
    "NVIDIA_VISIBLE_DEVICES": "NVIDIA container toolkit",
    "PGDATA": "Docker's postgres image",
    "POSTGRES_DB": "Docker's postgres image",
    "POSTGRES_PASSWORD_FILE": "Docker's postgres image",
    "POSTGRES_USER": "Docker's postgres image",
    "PATH": "POSIX",
    "PYTHONUNBUFFERED": "Python",
    "PIP_NO_CACHE_DIR": "pip",
    "PIP_DISABLE_PIP_VERSION_CHECK": "pip",
}


def package(name: str) -> Path:
    """The folder of an installed package."""
    found = find_spec(name)
    assert found and found.submodule_search_locations
    return Path(next(iter(found.submodule_search_locations)))


@cache
def _stilts_source() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "stilts").rglob("*.py"))


def is_variable(name: str) -> bool:
    """Whether something reads an environment variable of this name."""
    if name in _DOCUMENTED:
        return True
    if name in _RAYS:
        return name in (package("ray") / _RAYS[name]).read_text(encoding="utf-8")
    if name.startswith("MLFLOW_"):
        import mlflow.environment_variables

        served = {"MLFLOW_BACKEND_STORE_URI", *_read_from_files()}
        return hasattr(mlflow.environment_variables, name) or name in served
    return f'"{name}"' in _stilts_source()


def _read_from_files() -> set[str]:
    script = (ROOT / "deploy/docker/mlflow-server.sh").read_text(encoding="utf-8")
    return {f"{name}_FILE" for name in re.findall(r"^from_file (\w+)$", script, flags=re.MULTILINE)}


@cache
def pins() -> dict[str, str]:
    """The versions of constraints.txt by normalised name."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("==") for line in lines if "==" in line and not line.startswith("#")]
    return {normal(name): version.strip() for name, version in pairs}


def normal(name: str) -> str:
    """A distribution's name without extras, as PyPI compares it."""
    return re.sub(r"[-_.]+", "-", name.partition("[")[0]).lower()


@cache
def project() -> Any:
    """The table ``project`` of pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def version() -> str:
    """The version of stilts."""
    found: str = project()["version"]
    return found


def python_fits(minor: str) -> bool:
    """Whether stilts runs on a Python such as 3.11."""
    from packaging.specifiers import SpecifierSet

    return minor in SpecifierSet(project()["requires-python"])


def command_error(words: Sequence[str]) -> str | None:
    """Why this command line of ray, mlflow, stilts or ours is none; None where it parses."""
    try:
        _parse(list(words))
    except Exception as error:  # typer brings a click of its own, Ray and MLflow have another
        return f"{shlex.join(words)}: {getattr(error, 'message', None) or error!r}"
    return None


def _parse(words: list[str]) -> None:
    command: Any
    match words:
        case ["python", script, *rest] if script.endswith("ray_jobs/run_study.py"):
            command, words = _stilts().commands["run"], rest
        case ["stilts", verb, *rest]:
            command, words = _stilts().commands[verb], rest
        case ["ray", "job", verb, *rest]:
            from ray.dashboard.modules.job.cli import job_cli_group

            command, words = job_cli_group.commands[verb], rest
        case ["ray", verb, *rest]:
            from ray.scripts.scripts import cli

            command, words = cli.commands[verb], rest
        case ["mlflow", "server", *rest]:
            from mlflow.cli import cli

            command, words = cli.commands["server"], rest
        case _:
            raise LookupError("no command that is known here")
    # Parsing alone raises for unknown options and for missing or surplus arguments; nothing is run.
    _understood(command, words)


def _understood(command: Any, words: list[str]) -> None:
    entrypoint: list[str] = []
    if "--" in words:
        at = words.index("--")
        entrypoint = words[at + 1 :]
    command.make_context(command.name, list(words), resilient_parsing=False).close()
    if entrypoint:
        _parse(entrypoint)


def _stilts() -> Any:
    from stilts.cli.main import app

    return typer.main.get_command(app)
