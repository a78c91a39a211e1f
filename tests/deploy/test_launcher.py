"""The launcher's file, by the schema that Ray ships, EC2's own model and the commands that it types."""

from __future__ import annotations

import copy
import itertools
import json
import os
import re
import shlex
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.deploy import known
from tests.deploy.files import DEPLOY, ROOT, Path_, load, schema_errors, unseen

PATH = DEPLOY / "ray" / "aws.yaml"
ENVIRONMENT = (DEPLOY / "ray" / "node.env").read_text(encoding="utf-8")
HOME = "/home/ubuntu"


@cache
def schema() -> Any:
    """Ray's, with the provider's keys closed: it lists them, and lets others pass."""
    text = (known.package("ray") / "autoscaler" / "ray-schema.json").read_text(encoding="utf-8")
    found = json.loads(text)
    found["properties"]["provider"]["additionalProperties"] = False
    return found


def problems(cluster: Any) -> list[str]:
    """What is wrong with a launcher's file."""
    found = schema_errors(cluster, schema())
    if found:
        return found
    types = cluster.get("available_node_types", {})
    if cluster.get("head_node_type") not in types or cluster.get("max_workers", 0) < 1:
        found.append("no head, or no workers")
    for name, kind in types.items():
        found += [f"{name}: {each}" for each in _of_instances(kind["node_config"])]
        found += [f"{name}: no resource {each}" for each in kind["resources"] if each not in ("CPU", "GPU")]
    found += [f"{local} is not there" for local in _mounts(cluster).values() if not _is_there(local)]
    found += [f"~/{each} is not mounted" for command in _commands(cluster) for each in _unmounted(command, cluster)]
    if _said("RAY_AUTH_TOKEN_PATH").replace("$HOME", HOME) not in _mounts(cluster):
        found.append("the nodes get no token")
    for command in [*cluster.get("head_start_ray_commands", []), *cluster.get("worker_start_ray_commands", [])]:
        error = known.command_error(shlex.split(command.rpartition("; ")[2]))
        found += [error] if error else []
    return found + _missing(cluster)


def _missing(cluster: Any) -> list[str]:
    wanted = "auth setup_commands head_start_ray_commands worker_start_ray_commands rsync_exclude rsync_filter".split()
    wanted += ["idle_timeout_minutes", "upscaling_speed", "head_setup_commands", "worker_setup_commands"]
    return [f"{name} is the launcher's default" for name in wanted if name not in cluster]


def _of_instances(config: Any) -> list[str]:
    """What EC2's RunInstances has against it."""
    validate, shape = _run_instances()
    report = validate({"MinCount": 1, "MaxCount": 1, **config}, shape)
    return [report.generate_report()] if report.has_errors() else []


@cache
def _run_instances() -> Any:
    session = pytest.importorskip("botocore.session", reason="`make venv` installs boto3")
    from botocore.validate import ParamValidator

    model = session.get_session().get_service_model("ec2").operation_model("RunInstances")
    return ParamValidator().validate, model.input_shape


def _mounts(cluster: Any) -> dict[str, str]:
    found: dict[str, str] = cluster.get("file_mounts", {})
    return found


def _is_there(local: str) -> bool:
    return local == "~/.ray/auth_token" or (ROOT / local).exists()


def _commands(cluster: Any) -> list[str]:
    return [each for name, value in cluster.items() if name.endswith("_commands") for each in value]


def _unmounted(command: str, cluster: Any) -> list[str]:
    own = {".bashrc", "venv", "ray_bootstrap_config.yaml", ".ray"}
    inside = {path.removeprefix(f"{HOME}/").split("/")[0] for path in _mounts(cluster)}
    return [each for each in re.findall(r"~/([\w.]+)", command) if each not in own | inside]


def free(place: Path_) -> bool:
    """A worker type's name is one's own; the head's is referred to."""
    return len(place) == 2 and place[0] == "available_node_types" and place[1] != "head"


@pytest.fixture(scope="module")
def cluster() -> Any:
    return load(PATH)


def test_the_file_is_one_for_the_launcher_and_for_ec2(cluster: Any) -> None:
    assert problems(cluster) == []


def test_a_misspelt_key_is_found_wherever_it_stands(cluster: Any) -> None:
    assert unseen(cluster, problems, free) == []


def test_ray_itself_takes_the_file(cluster: Any) -> None:
    from ray.autoscaler._private.util import fillout_defaults, validate_config

    filled = fillout_defaults(copy.deepcopy(cluster))
    validate_config(filled)
    for key in (each for each in cluster if each.endswith("_commands")):
        assert filled[key] == cluster[key]


def test_every_node_gets_the_token_and_asks_for_it(cluster: Any) -> None:
    place = _said("RAY_AUTH_TOKEN_PATH").replace("$HOME", HOME)
    assert _mounts(cluster)[place] == "~/.ray/auth_token"
    assert _said("RAY_AUTH_MODE") == "token"
    starts = [*cluster["head_start_ray_commands"], *cluster["worker_start_ray_commands"]]
    assert all(command.startswith(". ~/node.env; ") for command in starts)
    assert "chmod 600 ~/.ray/auth_token" in cluster["setup_commands"][0]


def _said(name: str) -> str:
    found = re.search(rf'^export {name}="?([^"\n]*)"?$', ENVIRONMENT, flags=re.MULTILINE)
    assert found, name
    return found[1]


def test_the_environment_names_what_is_read_and_no_secret() -> None:
    from stilts.addresses import is_secret_variable

    names = re.findall(r"^export (\w+)=", ENVIRONMENT, flags=re.MULTILINE)
    assert [name for name in names if not known.is_variable(name) or is_secret_variable(name)] == []


def test_workers_are_spot_instances_and_the_head_is_not(cluster: Any) -> None:
    for name, kind in cluster["available_node_types"].items():
        market = kind["node_config"].get("InstanceMarketOptions", {}).get("MarketType")
        assert market == (None if name == cluster["head_node_type"] else "spot")


def test_ports_and_regions_agree(cluster: Any) -> None:
    head, worker = cluster["head_start_ray_commands"][-1], cluster["worker_start_ray_commands"][-1]
    gcs = re.search(r" --port=(\d+)", head)
    assert gcs and f"--address=$RAY_HEAD_IP:{gcs[1]} " in worker
    assert "--dashboard-host=127.0.0.1" in head
    region = cluster["provider"]["region"]
    assert _said("AWS_DEFAULT_REGION") == region
    assert all(zone[:-1] == region for zone in cluster["provider"]["availability_zone"].split(","))


def test_the_nodes_run_a_python_that_stilts_runs_on_with_the_constraints(cluster: Any) -> None:
    installs = [each for each in cluster["setup_commands"] + cluster["head_setup_commands"] if "pip install" in each]
    assert installs and all("-c ~/stilts/constraints.txt" in each for each in installs)
    (minor,) = set(re.findall(r"python(3\.\d+)", " ".join(cluster["setup_commands"])))
    assert known.python_fits(minor)
    extras = re.search(r"stilts\[([\w,]+)\]", " ".join(installs))
    assert extras and set(extras[1].split(",")) <= known.project()["optional-dependencies"].keys()


def test_the_roles_that_are_made_are_those_of_the_nodes_and_no_larger(tmp_path: Path, cluster: Any) -> None:
    calls = tmp_path / "calls"
    fake = tmp_path / "aws"
    fake.write_text(f'#!/bin/sh\nfor each in "$@"; do printf "%s\\0" "$each"; done >>{calls}\necho 123456789012\n')
    fake.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run([DEPLOY / "ray/make-roles.sh", "my-bucket"], check=True, capture_output=True, env=environment)
    words = calls.read_text(encoding="utf-8").split("\0")
    policies = [json.loads(after) for word, after in itertools.pairwise(words) if word.endswith("-document")]
    assert len(policies) == 5
    made = {after for word, after in itertools.pairwise(words) if word == "--instance-profile-name"}
    kinds = cluster["available_node_types"].values()
    assert made == {kind["node_config"]["IamInstanceProfile"]["Name"] for kind in kinds}
    launch = policies[-1]["Statement"]
    assert {"ec2:ResourceTag/ray-cluster-name": cluster["cluster_name"]} in [
        each.get("Condition", {}).get("StringEquals") for each in launch
    ]
    named = [each["Resource"] for policy in policies[:-1] for each in policy["Statement"] if "Resource" in each]
    assert {"arn:aws:s3:::my-bucket/*", "arn:aws:s3:::my-bucket"} == set(named)
