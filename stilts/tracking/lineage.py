"""Parameters and dataset inputs of a run, from the payloads that name its stages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stilts.fingerprint import Json, canonical_json
from stilts.tracking.run_view import DataInput, metric_name
from stilts.tracking.stored import mapping, sequence, text

# Settings of a train stage that lead a run's columns; all others follow below `<prefix>.config.`.
_LEADING = ("learning_rate", "steps", "precision")


def train_params(prefix: str, payload: Mapping[str, Json]) -> dict[str, str]:
    """How a train stage was done, every name below ``prefix`` (``intermediate`` or ``target``)."""
    config = mapping(payload.get("config"))
    params = {f"{prefix}.seed": text(payload.get("seed"))}
    for key, value in config.items():
        params[f"{prefix}.{key}" if key in _LEADING else f"{prefix}.config.{key}"] = text(value)
    for entry in sequence(payload.get("mixture")):
        part = mapping(entry)
        task = _task_name(part)
        params[metric_name(prefix, "weight", task)] = text(part.get("weight"))
        params[metric_name(prefix, "batch_size", task)] = text(mapping(part.get("config")).get("batch_size"))
        params[metric_name(prefix, "max_length", task)] = text(mapping(part.get("config")).get("max_length"))
    return params


def encoder_params(payload: Mapping[str, Json]) -> dict[str, str]:
    """The encoder by content."""
    return {"encoder.fingerprint": text(mapping(payload.get("encoder")).get("fingerprint"))}


def train_inputs(payload: Mapping[str, Json]) -> Iterator[DataInput]:
    """The views that a train stage learned from, and those that it evaluated on meanwhile."""
    for entry in sequence(payload.get("mixture")):
        part = mapping(entry)
        for use, context in (("train", "training"), ("select", "evaluation")):
            for view in sequence(part.get(use)):
                yield _data_input(_task_name(part), use, None, text(view), context)


def evaluate_input(task: str, use: str, language: str, key: str) -> DataInput:
    """The view that one evaluation scored; an output's key ends with 8 hex digits of the view's digest."""
    return _data_input(task, use, language, key.rpartition("-")[2], "evaluation")


def _data_input(task: str, use: str, language: str | None, view: str, context: str) -> DataInput:
    name = ".".join(part for part in (task, use, language) if part)
    source = canonical_json({"task": task, "use": use, "language": language, "view": view})
    return DataInput(name=name, digest=view, source=source, context=context)


def _task_name(part: Mapping[str, Json]) -> str:
    return text(mapping(part.get("task")).get("name"))
