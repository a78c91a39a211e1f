"""The Compose files: their schema, what they refer to, and that nothing is open which should not be."""

from __future__ import annotations

import copy
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.deploy import known
from tests.deploy.dockerfile import Dockerfile
from tests.deploy.files import DEPLOY, Path_, load, schema_errors, schema_file, unseen

FOLDER = DEPLOY / "compose"
# Keys that are names of the file's own, or that Compose hands on without a look.
_NAMES = ("services", "networks", "volumes", "secrets")


def merged() -> Any:
    """The stack with GPUs, as Compose merges it: mappings by key, the rest replaced."""
    return _merge(load(FOLDER / "compose.yaml"), load(FOLDER / "gpu.yaml"))


def _merge(below: Any, above: Any) -> Any:
    if isinstance(below, dict) and isinstance(above, dict):
        return below | {key: _merge(below.get(key), value) for key, value in above.items()}
    return copy.deepcopy(above)


def problems(stack: Any) -> list[str]:
    """What is wrong with a stack: its shape, its references, its variables and its commands."""
    found = schema_errors(stack, schema_file("compose.json"))
    if found:
        return found
    for name, service in stack.get("services", {}).items():
        found += [f"{name}: {each}" for each in _of_service(service, stack)]
    return found + _unused(stack)


def _of_service(service: Any, stack: Any) -> list[str]:
    found = []
    services = stack["services"]
    for needed, how in service.get("depends_on", {}).items():
        if needed not in services:
            found.append(f"depends on {needed}, which is no service")
        elif how["condition"] == "service_healthy" and "healthcheck" not in services[needed]:
            found.append(f"waits for the health of {needed}, which has no check")
    found += [f"{name} is no secret" for name in _secrets(service) if name not in stack.get("secrets", {})]
    found += [f"{name} is no network" for name in service.get("networks", []) if name not in stack["networks"]]
    found += [
        f"{name} is no volume"
        for name in (volume.partition(":")[0] for volume in service.get("volumes", []))
        if not name.startswith(".") and name not in stack["volumes"]
    ]
    found += [f"nothing reads {name}" for name in service.get("environment", {}) if not known.is_variable(name)]
    if "build" in service:
        found += Dockerfile.at(FOLDER / service["build"]["context"] / service["build"]["dockerfile"]).unmet(
            service["build"]
        )
    return found + _of_command(service)


def _secrets(service: Any) -> list[str]:
    return [each if isinstance(each, str) else each["source"] for each in service.get("secrets", [])]


def _of_command(service: Any) -> list[str]:
    command = service.get("command", [])
    words = shlex.split(command) if isinstance(command, str) else list(command)
    if service["image"].startswith("stilts-mlflow:"):
        words = ["mlflow", "server", *words]
    elif words[:1] != ["ray"]:
        return []
    error = known.command_error(words)
    return [error] if error else []


def _unused(stack: Any) -> list[str]:
    services = stack.get("services", {}).values()
    used = {
        "secrets": {name for service in services for name in _secrets(service)},
        "networks": {name for service in services for name in service.get("networks", [])},
        "volumes": {volume.partition(":")[0] for service in services for volume in service.get("volumes", [])},
    }
    return [
        f"no service uses {name} of {kind}" for kind in used for name in stack.get(kind, {}) if name not in used[kind]
    ]


def free(place: Path_) -> bool:
    """A service's name is one's own where no other refers to it; options go to the log driver as they are."""
    if place == ("name",) or str(place[0]).startswith("x-") or "options" in place[:-1]:
        return place != ("name",)
    return len(place) == 2 and place[0] == "services"


STACKS = {"compose.yaml": lambda: load(FOLDER / "compose.yaml"), "with gpu.yaml": merged}


@pytest.mark.parametrize("name", STACKS)
def test_a_stack_has_the_shape_of_compose_and_refers_to_what_there_is(name: str) -> None:
    assert problems(STACKS[name]()) == []


@pytest.mark.parametrize("name", STACKS)
def test_a_misspelt_key_is_found_wherever_it_stands(name: str) -> None:
    stack = {key: value for key, value in STACKS[name]().items() if not key.startswith("x-")}
    assert unseen(stack, problems, free) == []


def test_a_misspelt_key_of_the_gpu_file_alone_is_found() -> None:
    schema = schema_file("compose.json")
    assert unseen(load(FOLDER / "gpu.yaml"), lambda each: schema_errors(each, schema), _free_of_gpu) == []


def _free_of_gpu(place: Path_) -> bool:
    # Whether the service and the argument exist, the merged stack says.
    return place[-2:] == ("services", "ray-worker") or place[-2:-1] == ("args",)


@pytest.mark.parametrize("name", STACKS)
def test_ports_are_published_on_this_machine_only_and_as_they_are_inside(name: str) -> None:
    for service in STACKS[name]()["services"].values():
        for port in service.get("ports", []):
            assert re.fullmatch(r"127\.0\.0\.1:(\d+):\1", port), port


@pytest.mark.parametrize("name", STACKS)
def test_every_ray_service_has_the_token_by_file_and_nothing_secret_in_its_environment(name: str) -> None:
    from stilts.addresses import has_secret, is_secret_variable

    for service in STACKS[name]()["services"].values():
        environment = service.get("environment", {})
        assert not [key for key in environment if is_secret_variable(key)]
        assert not [value for value in environment.values() if has_secret(value)]
        if service["image"].startswith("stilts-ray:"):
            assert environment["RAY_AUTH_MODE"] == "token"
            assert environment["RAY_AUTH_TOKEN_PATH"] == "/run/secrets/ray_token"
            assert "ray_token" in _secrets(service)


@pytest.mark.parametrize("name", STACKS)
def test_files_named_in_variables_are_secrets_of_the_service(name: str) -> None:
    for service in STACKS[name]()["services"].values():
        inside = {f"/run/secrets/{secret}" for secret in _secrets(service)}
        text = str(service.get("environment", {})) + str(service.get("command", ""))
        assert set(re.findall(r"/run/secrets/\w+", text)) <= inside


def test_images_are_pinned_by_a_version_and_ours_by_the_version_of_stilts() -> None:
    for service in merged()["services"].values():
        name, _, tag = service["image"].partition(":")
        assert re.search(r"\d", tag) and "latest" not in tag
        if name.startswith("stilts-"):
            assert tag.split("-")[0] == known.version()


def test_ports_agree_between_the_services() -> None:
    services = load(FOLDER / "compose.yaml")["services"]
    head, worker, mlflow, s3 = (services[name] for name in ("ray-head", "ray-worker", "mlflow", "s3"))
    gcs = re.search(r"--port=(\d+)", head["command"])
    dashboard = re.search(r"--dashboard-port=(\d+)", head["command"])
    assert gcs and dashboard
    assert f"--address=ray-head:{gcs[1]}" in worker["command"]
    assert head["environment"]["RAY_API_SERVER_ADDRESS"].endswith(f":{dashboard[1]}")
    assert head["ports"] == [f"127.0.0.1:{dashboard[1]}:{dashboard[1]}"]
    served = next(word.partition("=")[2] for word in mlflow["command"] if word.startswith("--port="))
    assert head["environment"]["MLFLOW_TRACKING_URI"] == f"http://mlflow:{served}"
    assert f"mlflow:{served}" in next(word for word in mlflow["command"] if word.startswith("--allowed-hosts="))
    assert f"localhost:{served}/health" in mlflow["healthcheck"]["test"][-1]
    bucket_port = next(word.partition("=")[2] for word in s3["command"] if word.startswith("-s3.port="))
    assert head["environment"]["AWS_ENDPOINT_URL"] == mlflow["environment"]["AWS_ENDPOINT_URL"]
    assert head["environment"]["AWS_ENDPOINT_URL"] == f"http://s3:{bucket_port}"


def test_the_bucket_that_is_made_is_the_one_of_store_and_artifacts() -> None:
    services = load(FOLDER / "compose.yaml")["services"]
    bucket = services["bucket"]["command"][-1]
    assert services["ray-head"]["environment"]["STILTS_STORE"].startswith(f"s3://{bucket}/")
    assert f"--artifacts-destination=s3://{bucket}/mlflow" in services["mlflow"]["command"]


def test_the_script_makes_every_secret_once_and_only_its_owner_can_read_them(tmp_path: Path) -> None:
    script = DEPLOY / "make-secrets.sh"
    subprocess.run([script, tmp_path / "secrets", "db.example"], check=True, capture_output=True)
    made = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "secrets").iterdir()}
    files = {Path(each["file"]).name for each in load(FOLDER / "compose.yaml")["secrets"].values()}
    assert files <= set(made)
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "secrets").iterdir()} == {0o600}
    assert f":{made['postgres_password']}@db.example:5432/" in made["mlflow_database"]
    assert (
        made["mlflow_password"] in made["mlflow_accounts.ini"] and made["mlflow_password"] in made["mlflow_credentials"]
    )
    subprocess.run([script, tmp_path / "secrets", "db.example"], check=True, capture_output=True)
    assert made == {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "secrets").iterdir()}


def test_the_databases_driver_is_in_the_extra_server(tmp_path: Path) -> None:
    from sqlalchemy.engine import make_url

    subprocess.run([DEPLOY / "make-secrets.sh", tmp_path], check=True, capture_output=True)
    url = make_url((tmp_path / "mlflow_database").read_text(encoding="utf-8"))
    # Without a driver SQLAlchemy would choose.
    assert url.drivername == "postgresql+psycopg2"
    server = known.project()["optional-dependencies"]["server"]
    assert any(each.startswith(f"{url.get_driver_name()}-binary") for each in server)


def test_mlflow_reads_the_accounts_and_the_client_its_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow.utils.credentials as credentials
    from mlflow.server.auth.config import read_auth_config

    subprocess.run([DEPLOY / "make-secrets.sh", tmp_path], check=True, capture_output=True)
    monkeypatch.setenv("MLFLOW_AUTH_CONFIG_PATH", str(tmp_path / "mlflow_accounts.ini"))
    monkeypatch.setattr(credentials, "_get_credentials_path", lambda: str(tmp_path / "mlflow_credentials"))
    server, client = read_auth_config(), credentials.read_mlflow_creds()
    assert (server.admin_username, server.admin_password) == (client.username, client.password)
    assert server.database_uri == (tmp_path / "mlflow_database").read_text(encoding="utf-8")
