"""The resolved configuration of a run's stages as YAML: what decides weights and scores, and how it was executed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from stilts.fingerprint import Json, canonical_json
from stilts.study.record import Replicate
from stilts.tracking.stored import StoredStudy

CONFIG_FILE = "config.yaml"
# Keys that YAML reads as they stand: no number, no word like "no".
_PLAIN = re.compile(r"(?!(?i:true|false|null|yes|off)$)[A-Za-z_]{3,}[A-Za-z0-9_]*")


def recipe_config(stage: str, stored: StoredStudy) -> str:
    """The config of a trained recipe."""
    return _train_section("intermediate", stage, stored)


def replicate_config(replicate: Replicate, stored: StoredStudy) -> str:
    """Intermediate, target and evaluation of a replicate, each once it is done; empty before."""
    sections = [
        _train_section("intermediate", replicate.intermediate_stage, stored),
        _train_section("target", replicate.target_stage, stored),
        _evaluate_section(replicate, stored),
    ]
    return "".join(sections)


def _train_section(name: str, stage: str | None, stored: StoredStudy) -> str:
    result = stored.trainings.get(stage or "")
    if stage is None or result is None:
        return ""
    known = {"data": dict(result.data), "execution": dict(result.execution)}
    return _section(name, {"stage_id": stage, **stored.payload(stage), **{k: v for k, v in known.items() if v}})


def _evaluate_section(replicate: Replicate, stored: StoredStudy) -> str:
    """What the outputs share, and the views of every use whose languages are all there."""
    uses = {use: keys for use, keys in replicate.outputs.items() if stored.is_scored(keys)}
    if not uses:
        return ""
    first = next(iter(next(iter(uses.values())).values()))
    shared = {key: value for key, value in stored.payload(first).items() if key not in ("use", "view")}
    execution = dict(stored.evaluation(first).execution)
    head = {"stage_id": replicate.evaluate_stage, **shared, "execution": execution}
    views = {use: _views(stored.views(keys)) for use, keys in uses.items()}
    return _section("evaluate", head) + _section("data", views)


def _views(views: Mapping[str, Mapping[str, Json]]) -> Json:
    """The fields that all languages share, and each language's own: forty languages are forty lines."""
    first, *others = views.values()
    shared = {key: value for key, value in first.items() if all(view.get(key, ...) == value for view in others)}
    own: dict[str, Json] = {
        language: {key: value for key, value in view.items() if key not in shared}
        for language, view in sorted(views.items())
    }
    return {"shared": shared, "languages": own}


def _section(name: str, value: Mapping[str, Json]) -> str:
    return _written(name, canonical_json(dict(value)))


@lru_cache(maxsize=256)  # the data of a column and the recipe of a row recur in every run of theirs
def _written(name: str, value: str) -> str:
    return "\n".join(_lines(name, json.loads(value), depth=0)) + "\n"


def _lines(name: str, value: Json, *, depth: int) -> Iterator[str]:
    """YAML: mappings of mappings as blocks, all else in one line as JSON, which is YAML too.

    A YAML library takes longer over the configs of a thousand runs than MLflow over their metrics.
    """
    head = "  " * depth + (name if _PLAIN.fullmatch(name) else json.dumps(name)) + ":"
    if isinstance(value, dict) and any(isinstance(inner, dict | list) for inner in value.values()):
        yield head
        for key, inner in value.items():
            yield from _lines(key, inner, depth=depth + 1)
    else:
        yield f"{head} {json.dumps(value, ensure_ascii=False)}"
