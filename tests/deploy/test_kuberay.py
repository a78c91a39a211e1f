"""deploy/kuberay: every overlay's documents have the shape of their kind, refer to what there is, and let nobody in."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy import known
from tests.deploy.files import DEPLOY, Path_, UniqueKeys, load, load_all, ray_kind, schema_errors, unseen
from tests.deploy.kustomize import build

FOLDER = DEPLOY / "kuberay"
OVERLAYS = ("cpu", "gpu", "job-cpu", "job-gpu")
# What KubeRay labels the pods of a cluster with (ray-operator/controllers/ray/utils/constant.go).
RAYS_PODS = ({"ray.io/is-ray-node": "yes", "ray.io/node-type": "head"}, {"ray.io/is-ray-node": "yes"})
OPERATORS_PODS = ({"app.kubernetes.io/name": "kuberay-operator"},)
RESOURCES = frozenset({"cpu", "memory", "nvidia.com/gpu", "storage"})
UNPRIVILEGED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
KUBERNETES = "1.32"


@cache
def validators(kind: str, api: str) -> Any:
    """A validator of a core kind, from the strict schemas that kubernetes-validate carries."""
    validate = pytest.importorskip("kubernetes_validate", reason="`make venv` installs kubernetes-validate")
    from jsonschema import Draft202012Validator
    from referencing import Registry, Resource

    folder = Path(validate.__file__).parent / "kubernetes-json-schema" / f"v{KUBERNETES}.0-local-strict"
    api = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", api)
    schema = json.loads((folder / f"{kind.lower()}-{api}.json").read_text(encoding="utf-8"))
    definitions = json.loads((folder / "_definitions.json").read_text(encoding="utf-8"))
    registry: Any = Resource.from_contents(definitions) @ (Resource.from_contents(schema) @ Registry())
    return Draft202012Validator(schema, registry=registry)


def shape(document: Any) -> list[str]:
    """What the schema of its kind has against a document."""
    kind, api = document.get("kind"), document.get("apiVersion")
    if api == "ray.io/v1" and kind in ("RayCluster", "RayJob"):
        return schema_errors(document, ray_kind(kind))
    try:
        found = validators(str(kind), str(api)).iter_errors(document)
        return [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in found]
    except FileNotFoundError:
        return [f"no kind {kind} of {api}"]


def problems(documents: list[Any]) -> list[str]:
    """What is wrong with the documents of an overlay, apart and together."""
    found = [f"{one.get('kind')}: {error}" for one in documents for error in shape(one)]
    if found:
        return found
    for document in documents:
        for pod in pods(document):
            found += _of_pod(pod, documents)
        found += [f"no resource {name}" for name in quantities(document) if name not in RESOURCES]
        found += _of_kind(document, documents)
    return found


def quantities(value: Any) -> Iterator[str]:
    """The names of all that is requested or limited within."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("requests", "limits"):
                yield from inner
            else:
                yield from quantities(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from quantities(inner)


def pods(value: Any) -> Iterator[Any]:
    """Every pod template within."""
    if isinstance(value, dict):
        if "containers" in value.get("spec", {} if isinstance(value.get("spec"), dict) else {"": 0}):
            yield value
        for inner in value.values():
            yield from pods(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from pods(inner)


def every(documents: list[Any], kind: str) -> dict[str, Any]:
    """The documents of a kind by name."""
    return {one["metadata"]["name"]: one for one in documents if one["kind"] == kind}


def _of_pod(pod: Any, documents: list[Any]) -> list[str]:
    spec, found = pod["spec"], []
    volumes = {volume["name"] for volume in spec.get("volumes", [])}
    claims = every(documents, "StatefulSet").get("postgres", {}).get("spec", {}).get("volumeClaimTemplates", [])
    volumes |= {each["metadata"]["name"] for each in claims} if "postgres" in str(pod.get("metadata")) else set()
    for volume in spec.get("volumes", []):
        found += _of_volume(volume, documents)
    for container in spec["containers"]:
        found += [f"no volume {m['name']}" for m in container.get("volumeMounts", []) if m["name"] not in volumes]
        found += [f"nothing reads {e['name']}" for e in container.get("env", []) if not known.is_variable(e["name"])]
        found += _of_container(container, documents)
    return found


def _of_volume(volume: Any, documents: list[Any]) -> list[str]:
    if len(volume) != 2:
        return [f"volume {volume['name']} is of no kind"]
    secret, claim = volume.get("secret", {}).get("secretName"), volume.get("persistentVolumeClaim", {}).get("claimName")
    if secret is not None and secret not in secrets():
        return [f"no secret {secret}"]
    whole = "Namespace" in {one["kind"] for one in documents}
    return [f"no claim {claim}"] if claim and whole and claim not in every(documents, "PersistentVolumeClaim") else []


@cache
def secrets() -> dict[str, frozenset[str]]:
    """The keys of each secret that the script makes, or that a component says how to make."""
    text = (FOLDER / "make-secrets.sh").read_text(encoding="utf-8").replace("\\\n", " ")
    text += (
        (FOLDER / "components/bucket/kustomization.yaml").read_text(encoding="utf-8").replace("generic ", "\nsecret ")
    )
    lines = re.findall(r"^ *secret (stilts-\S+) (--from-file.*)$", text, flags=re.MULTILINE)
    return {name: frozenset(re.findall(r"--from-file=([\w.]+)=", rest)) for name, rest in lines}


def _of_container(container: Any, documents: list[Any]) -> list[str]:
    found = []
    whole = "Namespace" in {one["kind"] for one in documents}
    for each in container.get("envFrom", []):
        if "configMapRef" not in each or (
            whole and each["configMapRef"].get("name") not in every(documents, "ConfigMap")
        ):
            found.append(f"environment from {each}")
    if container["image"].startswith("stilts-mlflow:"):
        error = known.command_error(["mlflow", "server", *container.get("args", [])])
        found += [error] if error else []
    return found


def _of_kind(document: Any, documents: list[Any]) -> list[str]:
    spec, kind = document.get("spec", {}), document["kind"]
    if kind == "ConfigMap":
        return [f"nothing reads {name}" for name in document["data"] if not known.is_variable(name)]
    if kind in ("Deployment", "StatefulSet"):
        labels = spec["template"].get("metadata", {}).get("labels", {})
        found = [] if fits(spec["selector"]["matchLabels"], [labels]) else ["its own pods are not selected"]
        return (
            found
            if kind == "Deployment" or spec["serviceName"] in every(documents, "Service")
            else [*found, "no service"]
        )
    if kind == "Service":
        return _of_service(spec, documents)
    if kind == "NetworkPolicy":
        return _of_policy(spec, labels_of(documents))
    if kind == "RayJob":
        (policy,) = [one for one in load_all(FOLDER / "services/network.yaml") if one["metadata"]["name"] == "ray-jobs"]
        (peer, _) = policy["spec"]["ingress"][0]["from"]
        let_in = fits(peer["podSelector"]["matchLabels"], [spec["submitterPodTemplate"]["metadata"].get("labels", {})])
        return _of_cluster(spec["rayClusterSpec"]) + ([] if let_in else ["its submitter is not let in"])
    return _of_cluster(spec) if kind == "RayCluster" else []


def labels_of(documents: list[Any]) -> list[dict[str, str]]:
    """The labels of every pod that there may be."""
    submitter = load(FOLDER / "job/rayjob.yaml")["spec"]["submitterPodTemplate"]
    own = [pod.get("metadata", {}).get("labels", {}) for pod in pods([*documents, submitter])]
    return [*own, *RAYS_PODS, *OPERATORS_PODS]


def fits(wanted: dict[str, str], there: list[dict[str, str]]) -> bool:
    """Whether a selector selects anything."""
    return any(wanted.items() <= labels.items() for labels in there)


def _of_service(spec: Any, documents: list[Any]) -> list[str]:
    chosen = [pod for pod in pods(documents) if fits(spec["selector"], [pod.get("metadata", {}).get("labels", {})])]
    open_ports = {
        (port["name"], port["containerPort"])
        for pod in chosen
        for container in pod["spec"]["containers"]
        for port in container.get("ports", [])
    }
    return [f"no pod listens on {p}" for p in spec["ports"] if (p.get("targetPort"), p["port"]) not in open_ports]


def _of_policy(spec: Any, there: list[dict[str, str]]) -> list[str]:
    found = [] if spec.get("policyTypes") == ["Ingress"] else ["a policy that is not for ingress"]
    chosen = spec["podSelector"].get("matchLabels", {})
    if chosen and not fits(chosen, there):
        found.append(f"it is for no pod: {chosen}")
    for rule in spec.get("ingress", []):
        if not rule.get("from"):
            found.append("it lets everybody in")
        for peer in rule.get("from", []):
            labels = peer.get("podSelector", {}).get("matchLabels")
            if not labels or not fits(labels, there):
                found.append(f"it lets in {peer}")
    return found


def _of_cluster(cluster: Any) -> list[str]:
    found = []
    auth = cluster.get("authOptions", {})
    if auth.get("mode") != "token" or secrets().get(auth.get("secretName")) != {"auth_token"}:
        found.append("no token")
    if cluster.get("rayVersion") != known.pins()["ray"]:
        found.append("another Ray than that of constraints.txt")
    for group in [cluster["headGroupSpec"], *cluster.get("workerGroupSpecs", [])]:
        words = [word for key, value in group.get("rayStartParams", {}).items() for word in (f"--{key}", value)]
        error = known.command_error(["ray", "start", *words])
        found += [error] if error else []
    return found


def free(place: Path_) -> bool:
    """Labels that nothing selects by."""
    return place[-3:-1] == ("metadata", "labels") and len(place) == 4


@pytest.fixture(
    scope="module", params=[*OVERLAYS, "cpu+bucket", "gpu+bucket", "job-gpu+bucket", "cpu+kueue", "job-cpu+kueue"]
)
def overlay(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an overlay, as it is or with a component."""
    name, _, component = request.param.partition("+")
    if not component:
        return FOLDER / "overlays" / name
    copied = tmp_path_factory.mktemp("kuberay") / "kuberay"
    shutil.copytree(FOLDER, copied)
    path = copied / "overlays" / name / "kustomization.yaml"
    said = load(path)
    said["components"] = [*said.get("components", []), f"../../components/{component}"]
    path.write_text(yaml.safe_dump(said), encoding="utf-8")
    return path.parent


def test_the_documents_of_an_overlay_fit_their_kinds_and_each_other(overlay: Path) -> None:
    assert problems(build(overlay)) == []


def test_this_reading_of_kustomize_is_kubectls(overlay: Path) -> None:
    if not shutil.which("kubectl"):
        pytest.skip("no kubectl: the overlays were put together by tests/deploy/kustomize.py alone")
    done = subprocess.run(["kubectl", "kustomize", overlay], capture_output=True, text=True, check=True)
    theirs = list(yaml.load_all(done.stdout, UniqueKeys))
    assert sorted(map(_key, theirs)) == sorted(map(_key, build(overlay)))


def _key(document: Any) -> str:
    return json.dumps(document, sort_keys=True)


@pytest.mark.parametrize("name", ["cpu", "gpu", "job-cpu", "job-gpu"])
def test_a_misspelt_key_is_found_wherever_it_stands(name: str) -> None:
    documents = build(FOLDER / "overlays" / name)
    assert unseen(documents, problems, free) == []


def test_nobody_gets_in_by_default_and_only_rays_own_pods_reach_all_ports() -> None:
    policies = every(build(FOLDER / "overlays/cpu"), "NetworkPolicy")
    assert policies["nobody-by-default"]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress"]}
    for name, policy in policies.items():
        for rule in policy["spec"].get("ingress", []):
            if "ports" not in rule:
                only = {"podSelector": {"matchLabels": {"ray.io/is-ray-node": "yes"}}}
                assert rule["from"] == [only] and policy["spec"]["podSelector"] == only["podSelector"], name


@pytest.mark.parametrize("name", OVERLAYS)
def test_no_container_is_root_or_may_become_it_and_each_says_what_it_needs(name: str) -> None:
    documents = build(FOLDER / "overlays" / name)
    for pod in pods(documents):
        spec = pod["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True and spec["securityContext"]["runAsUser"] > 0
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
        for container in spec["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
            }
            assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
            assert "memory" in container["resources"]["limits"]
            image, _, tag = container["image"].partition(":")
            assert tag and (not image.startswith("stilts-") or tag.split("-")[0] == known.version())


def test_secrets_are_by_reference_and_no_document_holds_one(overlay: Path) -> None:
    from stilts.addresses import has_secret, is_secret_variable

    documents = build(overlay)
    assert every(documents, "Secret") == {}
    for pod in pods(documents):
        for container in pod["spec"]["containers"]:
            named = [(each["name"], each["value"]) for each in container.get("env", [])]
            assert not [name for name, value in named if is_secret_variable(name) or has_secret(value)]


def test_files_that_variables_name_are_keys_of_mounted_secrets(overlay: Path) -> None:
    documents = build(overlay)
    settings = every(documents, "ConfigMap").get("stilts-settings", {}).get("data", {})
    for pod in pods(documents):
        volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes", [])}
        for container in pod["spec"]["containers"]:
            files = {
                f"{mount['mountPath']}/{key}"
                for mount in container.get("volumeMounts", [])
                for key in secrets().get(volumes.get(mount["name"], {}).get("secret", {}).get("secretName"), ())
            }
            values = [each["value"] for each in container.get("env", [])]
            values += settings.values() if "envFrom" in container else []
            assert {value for value in values if value.startswith("/run/secrets/")} <= files


def test_ports_agree_with_the_images_and_each_other() -> None:
    documents = build(FOLDER / "overlays/cpu")
    settings = every(documents, "ConfigMap")["stilts-settings"]["data"]
    mlflow = every(documents, "Deployment")["mlflow"]["spec"]["template"]["spec"]["containers"][0]
    port = every(documents, "Service")["mlflow"]["spec"]["ports"][0]["port"]
    assert settings["MLFLOW_TRACKING_URI"] == f"http://mlflow:{port}"
    assert f"--port={port}" in mlflow["args"]
    assert f"mlflow:{port}" in next(each for each in mlflow["args"] if each.startswith("--allowed-hosts="))
    policies = every(documents, "NetworkPolicy")
    assert policies["mlflow-for-ray"]["spec"]["ingress"][0]["ports"] == [{"protocol": "TCP", "port": port}]
    database = every(documents, "Service")["postgres"]["spec"]["ports"][0]["port"]
    assert policies["postgres-for-mlflow"]["spec"]["ingress"][0]["ports"] == [{"protocol": "TCP", "port": database}]
    assert f"@$host:{database}/mlflow" in (DEPLOY / "make-secrets.sh").read_text(encoding="utf-8")
    head = every(documents, "RayCluster")["stilts"]["spec"]["headGroupSpec"]["template"]["spec"]["containers"][0]
    dashboard = {each["name"]: each["containerPort"] for each in head["ports"]}["dashboard"]
    assert policies["ray-jobs"]["spec"]["ingress"][0]["ports"] == [{"protocol": "TCP", "port": dashboard}]


@pytest.mark.parametrize("device", ["cpu", "gpu"])
def test_a_jobs_cluster_is_the_cluster_and_its_command_one_that_runs(device: str) -> None:
    (job,) = build(FOLDER / "overlays" / f"job-{device}")
    cluster = every(build(FOLDER / "overlays" / device), "RayCluster")["stilts"]
    assert job["kind"] == "RayJob" and job["spec"]["rayClusterSpec"] == cluster["spec"]
    words = shlex.split(job["spec"]["entrypoint"])
    assert known.command_error(words) is None
    inside = [word.removeprefix("/opt/stilts/") for word in words[1:]]
    assert all((DEPLOY.parent / path).is_file() for path in inside)
    # What fails is tried again, on a new cluster, and goes on from the store.
    assert job["spec"]["backoffLimit"] > 0 and job["spec"]["shutdownAfterJobFinishes"] is True


def test_gpus_are_asked_for_where_the_gpu_image_runs_and_nowhere_else() -> None:
    for name in OVERLAYS:
        for pod in pods(build(FOLDER / "overlays" / name)):
            for container in pod["spec"]["containers"]:
                holds = "nvidia.com/gpu" in container["resources"]["limits"]
                assert holds == container["image"].endswith("-gpu") == ("tolerations" in pod["spec"])


def test_the_script_makes_what_the_documents_name(tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    fake = tmp_path / "kubectl"
    fake.write_text(f'#!/bin/sh\necho "$*" >>{calls}\ncase "$*" in *" get secret "*) exit 1 ;; esac\n')
    fake.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run([FOLDER / "make-secrets.sh"], check=True, capture_output=True, env=environment)
    made = re.findall(r"create secret generic (\S+) (.*)", calls.read_text(encoding="utf-8"))
    assert {name: frozenset(re.findall(r"--from-file=([\w.]+)=", rest)) for name, rest in made} == {
        name: keys for name, keys in secrets().items() if name != "stilts-bucket"
    }


def test_the_queues_label_stands_where_kueue_looks_and_the_number_of_workers_is_fixed(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "kuberay")
    path = tmp_path / "kuberay/overlays/job-cpu/kustomization.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "components: [../../components/kueue]\n", encoding="utf-8")
    (job,) = build(path.parent)
    assert job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "stilts"
    assert job["spec"]["rayClusterSpec"]["enableInTreeAutoscaling"] is False


def test_files_are_named_by_a_kustomization() -> None:
    for folder in {path.parent for path in FOLDER.rglob("*.yaml")}:
        said = load(folder / "kustomization.yaml")
        others = {path.name for path in folder.glob("*.yaml")} - {"kustomization.yaml"}
        assert others == {name for name in said.get("resources", []) if name.endswith(".yaml")}
        assert all(load_all(folder / name) for name in others)
