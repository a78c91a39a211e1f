"""What ``kubectl kustomize`` makes of a folder: as much of it as deploy/kuberay uses; anything else raises."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import yaml

from tests.deploy.files import UniqueKeys, load, load_all

_KEYS = frozenset("apiVersion kind resources components patches replacements images".split())
_OPERATIONS = frozenset({"test", "add", "replace", "remove"})


def build(folder: Path) -> list[Any]:
    """The documents that a folder with a kustomization.yaml stands for."""
    said = load(folder / "kustomization.yaml")
    unknown = said.keys() - _KEYS
    if unknown or said["kind"] != "Kustomization":
        raise ValueError(f"{folder}: {sorted(unknown)} of a {said['kind']}")
    documents = _resources(folder, said)
    for each in said.get("components", []):
        documents = _component(folder / each, documents)
    return _changed(said, documents)


def _resources(folder: Path, said: Any) -> list[Any]:
    made: list[Any] = []
    for each in said.get("resources", []):
        made += build(folder / each) if (folder / each).is_dir() else load_all(folder / each)
    names = [(one["kind"], one["metadata"]["name"]) for one in made]
    if len(set(names)) != len(names):
        raise ValueError(f"{folder}: a resource twice")
    # Aliases are one object in what PyYAML loads; a patch must not reach through them.
    return [_separate(one) for one in made]


def _separate(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _separate(inner) for key, inner in value.items()}
    return [_separate(inner) for inner in value] if isinstance(value, list) else value


def _component(folder: Path, documents: list[Any]) -> list[Any]:
    said = load(folder / "kustomization.yaml")
    if said.keys() - _KEYS or said["kind"] != "Component":
        raise ValueError(f"{folder}: {sorted(said.keys() - _KEYS)} of a {said['kind']}")
    return _changed(said, documents)


def _changed(said: Any, documents: list[Any]) -> list[Any]:
    for patch in said.get("patches", []):
        documents = _patched(patch, documents)
    for replacement in said.get("replacements", []):
        _replaced(replacement, documents)
    for image in said.get("images", []):
        for document in documents:
            _rename(image, document)
    return documents


def _patched(patch: Any, documents: list[Any]) -> list[Any]:
    if patch.keys() != {"target", "patch"}:
        raise ValueError(f"a patch of {sorted(patch)}")
    operations = yaml.load(patch["patch"], UniqueKeys)
    chosen = [one for one in documents if _matches(patch["target"], one)]
    if isinstance(operations, dict):
        if operations.get("$patch") != "delete":
            raise ValueError("only patches that delete, and lists of operations")
        return [one for one in documents if one not in chosen]
    for one in chosen:
        for operation in operations:
            _operate(operation, one)
    return documents


def _matches(target: Any, document: Any) -> bool:
    if target.keys() - {"kind", "name"}:
        raise ValueError(f"a target by {sorted(target)}")
    return document["kind"] == target["kind"] and target.get("name") in (None, document["metadata"]["name"])


def _operate(operation: Any, document: Any) -> None:
    """RFC 6902, without moving and copying."""
    if operation["op"] not in _OPERATIONS or operation.keys() - {"op", "path", "value"}:
        raise ValueError(f"operation {operation}")
    *steps, last = [step.replace("~1", "/").replace("~0", "~") for step in operation["path"].split("/")[1:]]
    inner = document
    for step in steps:
        inner = inner[int(step) if isinstance(inner, list) else step]
    key = int(last) if isinstance(inner, list) else last
    if operation["op"] != "add":
        inner[key]
    if operation["op"] == "test" and inner[key] != operation["value"]:
        raise ValueError(f"{operation['path']} is {inner[key]!r}, not {operation['value']!r}")
    if operation["op"] in ("add", "replace"):
        inner[key] = copy.deepcopy(operation["value"])
    if operation["op"] == "remove":
        del inner[key]


def _replaced(replacement: Any, documents: list[Any]) -> None:
    source = replacement["source"]
    (found,) = [one for one in documents if _matches({"kind": source["kind"], "name": source["name"]}, one)]
    for target in replacement["targets"]:
        (chosen,) = [one for one in documents if _matches(target["select"], one)]
        for path in target["fieldPaths"]:
            *steps, last = path.split(".")
            inner = chosen
            for step in steps:
                inner = inner[step]
            inner[last]
            inner[last] = copy.deepcopy(found[source["fieldPath"]])


def _rename(image: Any, value: Any) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "image" and isinstance(inner, str) and inner.partition(":")[0] == image["name"]:
                value[key] = f"{image['newName']}:{inner.partition(':')[2]}"
            _rename(image, inner)
    elif isinstance(value, list):
        for inner in value:
            _rename(image, inner)
