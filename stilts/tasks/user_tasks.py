"""Datasets and tasks from a YAML file: a user's own, beside the study, and the catalogue's.

The file has two mappings, ``datasets`` and ``tasks``, each from a name to the fields of ``Dataset`` or ``Task``. Files
of its datasets lie below its ``root``; where it names none, in the folder of the YAML file, which is the named root
"tasks".
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pydantic import BaseModel, ValidationError

from stilts.errors import InputError, StudyError
from stilts.tasks.bounded_yaml import parsed_yaml, yaml_text
from stilts.tasks.kinds import kind_named, known_kinds
from stilts.tasks.task import Dataset, Task
from stilts.tasks.tasks_schema import (
    DatasetFields,
    FileFields,
    FilesFields,
    HubFields,
    SplitFields,
    TaskFields,
    ToyFields,
)


class Register(Protocol):
    """Where tasks and datasets go: a ``stilts.tasks.registry.Registry``."""

    def register_dataset(self, dataset: Dataset) -> None:
        """Add a dataset."""

    def register_task(self, task: Task) -> None:
        """Add a task."""

    def dataset(self, name: str) -> Dataset:
        """The dataset of that name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TasksFile:
    """What a tasks file declares; the tasks may name datasets of other files."""

    path: Path
    datasets: tuple[Dataset, ...]
    tasks: tuple[Task, ...]

    def register(self, registry: Register) -> None:
        """Add all to the registry; StudyError for a name that is taken or unknown, or a reader of another kind."""
        for dataset in self.datasets:
            with _named(self.path, f"datasets.{dataset.name}"):
                registry.register_dataset(dataset)
        for task in self.tasks:
            with _named(self.path, f"tasks.{task.name}"):
                registry.register_task(task)
            _check_readers(self.path, registry, task)


def load_user_tasks(path: Path, registry: Register) -> None:
    """Add the file's datasets and tasks to the registry.

    Raises StudyError that names the file, the field and what is allowed there, before anything is
    registered where the file's shape is wrong.
    """
    read_tasks(path).register(registry)


def read_tasks(path: Path, *, ships: bool = False) -> TasksFile:
    """What the file declares, each value checked by itself; StudyError with the field and what is allowed there.

    ``ships``: it is of the catalogue, whose releases a folder may hold in part.
    """
    document = parsed_yaml(yaml_text(path), path, begins="datasets:")
    try:
        file = FileFields.model_validate(document)
    except ValidationError as error:
        raise _study_error(path, error) from None
    tasks = []
    for name, task in file.tasks.items():
        _check_metric(path, name, task)
        with _named(path, f"tasks.{name}"):
            tasks.append(task.value(name, path.parent, file.scheme_of(task)))
    datasets = tuple(dataset.value(name, file.root, ships=ships) for name, dataset in file.datasets.items())
    return TasksFile(path=path, datasets=datasets, tasks=tuple(tasks))


@contextmanager
def _named(path: Path, field: str) -> Iterator[None]:
    """Errors of the registry, told as the file's."""
    try:
        yield
    except InputError as error:
        found = f"{error.asked}: {error.found}"
        raise StudyError(f"{path.name}: {field}", found, error.why, error.next_step) from error


def _study_error(path: Path, error: ValidationError) -> StudyError:
    """The first mistake, by its field's path, in words."""
    first = error.errors()[0]
    # Cut: a key or a text of the file may have any length.
    field = ".".join(str(part)[:60] for part in first["loc"] if part != "[key]") or "the whole file"
    more = error.error_count() - 1
    found = first["msg"].removeprefix("Value error, ")[:1000]
    allowed = ""
    if first["type"] == "extra_forbidden":
        found, allowed = "there is no such field", f"Allowed: {', '.join(_fields_at(first['loc'][:-1]))}"
    elif first["type"] == "missing":
        found = "the field is missing"
    elif first["type"] == "string_pattern_mismatch":
        found = "a name is letters, digits and _"
    return StudyError(
        f"{path.name}: {field}", found, allowed, f"{more} more mistakes after this one" if more else "Mend the field"
    )


def _fields_at(loc: tuple[int | str, ...]) -> list[str]:
    """The fields of the model that stands at a place of the file."""
    models: dict[tuple[str, int], type[BaseModel]] = {
        ("", 0): FileFields,
        ("datasets", 2): DatasetFields,
        ("tasks", 2): TaskFields,
        ("files", 3): FilesFields,
        ("hub", 3): HubFields,
        ("toy", 3): ToyFields,
        ("train", 3): SplitFields,
        ("dev", 3): SplitFields,
        ("test", 3): SplitFields,
        ("pool", 3): SplitFields,
    }
    last = "" if not loc else str(loc[0] if len(loc) == 2 else loc[-1])
    model = models.get((last, len(loc)))
    return [] if model is None else list(model.model_fields)


def _check_metric(path: Path, name: str, task: TaskFields) -> None:
    allowed = kind_named(task.kind).metrics
    if task.metric not in allowed:
        raise StudyError(
            f"{path.name}: tasks.{name}.metric",
            f'"{task.metric}" does not score a {task.kind} task',
            f"Allowed: {', '.join(allowed)}",
            "Write one of these",
        )


def _check_readers(path: Path, registry: Register, task: Task) -> None:
    formats = known_kinds().formats()
    for use in ("train", "dev", "test", "pool"):
        ref = getattr(task, use)
        files = None if ref is None else registry.dataset(ref.dataset).files
        if files is not None and formats[files.reader][0] is not task.kind:
            raise StudyError(
                f"{path.name}: tasks.{task.name}.{use}",
                f'the reader "{files.reader}" of dataset "{ref.dataset}" makes {formats[files.reader][0]} examples',
                f"The task's kind is {task.kind}",
                "Name a dataset of that kind, or another reader",
            )
