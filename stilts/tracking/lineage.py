"""Parameters and dataset inputs of a run, from the payloads that name its stages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from stilts.fingerprint import Json, canonical_json, digest
from stilts.ledger.results import TrainResult
from stilts.tracking.run_view import DataInput, metric_name
from stilts.tracking.stored import mapping, sequence, text

# Settings of a train stage that lead a run's columns; all others follow below `training.<stage>.setting.`. MLflow's
# page that compares runs opens with the first three parameters, by the alphabet, of those that differ: the cell first.
_LEADING = ("learning_rate", "steps", "precision")


def train_params(stage: str, payload: Mapping[str, Json]) -> dict[str, str]:
    """How a train stage was done, every name below ``training.<stage>`` (``intermediate`` or ``target``)."""
    config, prefix = mapping(payload.get("config")), f"training.{stage}"
    params = {f"{prefix}.seed": text(payload.get("seed"))}
    for key, value in config.items():
        params[f"{prefix}.{key}" if key in _LEADING else f"{prefix}.setting.{key}"] = text(value)
    for entry in sequence(payload.get("mixture")):
        part = mapping(entry)
        task, of_task = _task_name(part), mapping(part.get("config"))
        params[metric_name("training", stage, "task", task, "weight")] = text(part.get("weight"))
        params[metric_name("training", stage, "task", task, "batch_size")] = text(of_task.get("batch_size"))
        params[metric_name("training", stage, "task", task, "max_length")] = text(of_task.get("max_length"))
    return params


def encoder_params(payload: Mapping[str, Json]) -> dict[str, str]:
    """The encoder by content."""
    return {"encoder.fingerprint": text(mapping(payload.get("encoder")).get("fingerprint"))}


def train_inputs(payload: Mapping[str, Json], result: TrainResult) -> Iterator[DataInput]:
    """What a train stage learned from, and what it evaluated on meanwhile: one input per task and use.

    The payload names views by their digest; ``data`` in the result, where it is there, says what they are.
    """
    for entry in sequence(payload.get("mixture")):
        part = mapping(entry)
        for use, context in (("train", "training"), ("select", "evaluation")):
            views = sequence(part.get(use))
            if views:
                whole = text(views[0]) if len(views) == 1 else digest(views)
                yield _input(_task_name(part), use, context, whole, views, _datasets(views, result.data))


def evaluate_input(task: str, use: str, views: Mapping[str, Mapping[str, Json]]) -> DataInput:
    """What one use of a target was scored on: all its languages together, each by its view's digest.

    One input and not one per language: a list of a hundred runs carries all their inputs. ``views`` are the views'
    identity fields by language; they are written out in the run's ``config.yaml``.
    """
    digests: dict[str, Json] = {language: digest(dict(view)) for language, view in sorted(views.items())}
    names: dict[str, Json] = {str(key): dict(views[language]) for language, key in digests.items()}
    return _input(task, use, "evaluation", digest(digests), digests, _datasets(list(names), names))


def _datasets(views: Sequence[Json], known: Mapping[str, Json]) -> list[Json]:
    """``<dataset>/<split>`` of those views that are known, each once."""
    found = [mapping(known.get(text(view))) for view in views]
    names: list[Json] = []
    names += sorted({f"{view['dataset']}/{view.get('split')}" for view in found if "dataset" in view})
    return names


def _input(task: str, use: str, context: str, digest: str, views: Json, datasets: list[Json]) -> DataInput:
    source = canonical_json({"task": task, "use": use, "datasets": datasets, "views": views})
    return DataInput(name=f"{task}.{use}", digest=digest, source=source, context=context)


def _task_name(part: Mapping[str, Json]) -> str:
    """A train payload names what is learned, not the target that it is learned for."""
    task = mapping(part.get("task"))
    return text(task.get("learner", task.get("name")))
