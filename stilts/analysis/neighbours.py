"""A cell's resolved configuration beside its neighbours': in which settings the rows of one target differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from stilts.fingerprint import Json, plain
from stilts.ledger.view import StudyView
from stilts.study.record import NONE_ROW, Replicate

# What makes two replicates of one row differ, and what is the same in the whole study.
_NOT_SETTINGS = ("parent", "seed", "encoder", "kind", "semantic_version")


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """The settings of a target's rows as text: ``rows`` maps a row to setting to value, the cell's own row first.

    ``differing`` names the settings in which rows differ; ``same`` holds the others. A row lacks a setting that it has
    no stage for; ``unknown`` names rows none of whose stages has left a payload yet.
    """

    differing: tuple[str, ...]
    rows: Mapping[str, Mapping[str, str]]
    same: Mapping[str, str]
    unknown: tuple[str, ...]

    def to_json(self) -> dict[str, Json]:
        """The table as plain JSON."""
        return {name: plain(value, name) for name, value in asdict(self).items()}


def neighbours_of(view: StudyView, row: str, standing: Mapping[str, Replicate]) -> Neighbours:
    """The settings of every row of a target; ``standing`` maps a row to the replicate that speaks for it."""
    order = [row, NONE_ROW, *(item.name for item in view.record.rows)]
    found = {name: _settings(standing[name], view) for name in dict.fromkeys(order) if name in standing}
    known = {name: settings for name, settings in found.items() if settings is not None}
    names = list(dict.fromkeys(name for settings in known.values() for name in settings))
    values = {name: {settings[name] for settings in known.values() if name in settings} for name in names}
    differing = tuple(name for name in names if len(values[name]) > 1)
    return Neighbours(
        differing=differing,
        rows={r: {name: settings[name] for name in differing if name in settings} for r, settings in known.items()},
        same={name: next(iter(values[name])) for name in names if len(values[name]) == 1},
        unknown=tuple(item.name for item in view.record.rows if item.name not in known),
    )


def _settings(replicate: Replicate, view: StudyView) -> dict[str, str] | None:
    """What a replicate's stages were made with; None where a stage has no payload yet."""
    settings: dict[str, str] = {}
    for prefix, stage in (("", replicate.intermediate_stage), ("target ", replicate.target_stage)):
        if stage is None:
            continue
        payload = view.payload(stage)
        if not payload:
            return None
        settings.update({f"{prefix}{name}": value for name, value in _flat(payload)})
    return settings


def _flat(payload: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    mixture = payload.get("mixture")
    parts = [part for part in mixture if isinstance(part, Mapping)] if isinstance(mixture, list) else []
    if parts:
        yield "tasks", " + ".join(_part(part, alone=len(parts) == 1) for part in parts)
        yield from _encodings(parts)
    for name, value in payload.items():
        if name == "config" and isinstance(value, Mapping):
            yield from ((field, _text(inner)) for field, inner in value.items())
        elif name not in (*_NOT_SETTINGS, "mixture"):
            yield name, _text(value)


def _part(part: Mapping[str, Json], *, alone: bool) -> str:
    task = part.get("task")
    name = str(task.get("learner")) if isinstance(task, Mapping) else ""
    return name if alone else f"{name} {_text(part.get('weight'))}"


def _encodings(parts: Sequence[Mapping[str, Json]]) -> Iterator[tuple[str, str]]:
    """Each setting of how examples enter the model: one value where all tasks share it, else one per task."""
    configs = [config for part in parts if isinstance(config := part.get("config"), Mapping)]
    for name in dict.fromkeys(field for config in configs for field in config):
        values = [_text(config[name]) if name in config else "-" for config in configs]
        yield name, values[0] if len(set(values)) == 1 else "/".join(values)


def _text(value: Json) -> str:
    return f"{value:g}" if isinstance(value, float) else "default" if value is None else str(value)
