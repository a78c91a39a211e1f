"""The files of deploy/: where they are, what stands in them, and which schema each kind has.

A schema here is strict: a key that it does not name is an error, as a misspelt one must be.
"""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
Path_ = tuple[str | int, ...]


class UniqueKeys(yaml.SafeLoader):
    """YAML in which a key stands once in a mapping: the second would silently win."""


def _mapping(loader: UniqueKeys, node: yaml.MappingNode) -> dict[Any, Any]:
    keys = [key.value for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
    twice = {key for key in keys if keys.count(key) > 1}
    if twice:
        raise yaml.YAMLError(f"{sorted(twice)} twice in one mapping, {node.start_mark}")
    loader.flatten_mapping(node)
    return {
        loader.construct_object(key, deep=True): loader.construct_object(value, deep=True) for key, value in node.value
    }


UniqueKeys.add_constructor("tag:yaml.org,2002:map", _mapping)


def load_all(path: Path) -> list[Any]:
    """The documents of a YAML file."""
    return [each for each in yaml.load_all(path.read_text(encoding="utf-8"), UniqueKeys) if each is not None]


def load(path: Path) -> Any:
    """The one document of a YAML file."""
    (document,) = load_all(path)
    return document


def schema_file(name: str) -> Any:
    """A schema of the shared folder; skips, with the reason, where it is absent."""
    folder = Path(os.environ.get("STILTS_SHARED", ROOT.parent / "shared")) / "schemas"
    if not (folder / name).is_file():
        pytest.skip(f"no {name} in {folder}; set STILTS_SHARED to the folder that holds schemas/")
    return json.loads((folder / name).read_text(encoding="utf-8"))


def schema_errors(document: Any, schema: Any) -> list[str]:
    """What the schema has against the document, each with its place."""
    validator = jsonschema.validators.validator_for(schema)(schema)
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in validator.iter_errors(document)]


METADATA = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string"},
        "namespace": {"type": "string"},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "annotations": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}


def tightened(schema: Any) -> Any:
    """An OpenAPI schema of a CRD that refuses what it does not list, where the CRD would drop it without a word."""
    if isinstance(schema, list):
        return [tightened(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: tightened(value) for key, value in schema.items() if key != "properties"}
    properties = schema.get("properties")
    if isinstance(properties, dict):
        made["properties"] = {name: tightened(value) for name, value in properties.items()}
        if properties.get("metadata") == {"type": "object"}:
            made["properties"]["metadata"] = METADATA
        if not schema.get("x-kubernetes-preserve-unknown-fields") and "additionalProperties" not in schema:
            made["additionalProperties"] = False
    return made


@cache
def ray_kind(kind: str) -> Any:
    """The tightened schema of RayCluster or RayJob."""
    found = schema_file(f"kuberay-{kind.lower()}s-v1.json")["schema"]
    return tightened(found.get("openAPIV3Schema", found))


def misspelt(document: Any, free: Callable[[Path_], bool] = lambda place: False) -> Iterator[tuple[Path_, Any]]:
    """Copies of the document, each with one key misspelt; keys that may be anything (``free``) are left out."""
    for place in _places(document):
        if free(place):
            continue
        changed = copy.deepcopy(document)
        inner = changed
        for step in place[:-1]:
            inner = inner[step]
        inner[f"{place[-1]}z"] = inner.pop(place[-1])
        yield place, changed


def _places(value: Any, before: Path_ = ()) -> Iterator[Path_]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*before, key)
            yield from _places(inner, (*before, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _places(inner, (*before, index))


def unseen(document: Any, problems: Callable[[Any], list[str]], free: Callable[[Path_], bool]) -> list[str]:
    """The keys that could be misspelt without a problem."""
    return ["/".join(map(str, place)) for place, changed in misspelt(document, free) if not problems(changed)]
