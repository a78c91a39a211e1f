"""Datasets and tasks from a YAML file: a user's own, beside the study, and the catalogue's.

The file has two mappings, ``datasets`` and ``tasks``, each from a name to the fields of ``Dataset`` or ``Task``. Files
of its datasets lie below its ``root``; where it names none, in the folder of the YAML file, which is the named root
"tasks".
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal, Protocol, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, ValidationError

from stilts.errors import InputError, StudyError
from stilts.tasks.bounded_yaml import parsed_yaml, yaml_text
from stilts.tasks.kinds import kind_named, known_kinds
from stilts.tasks.listed import listed_in
from stilts.tasks.task import Dataset, FilesLayout, HubLayout, Part, SplitRef, Task, ToyLayout

USER_ROOT = "tasks"


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


def read_tasks(path: Path) -> TasksFile:
    """What the file declares, each value checked by itself; StudyError with the field and what is allowed there."""
    document = parsed_yaml(yaml_text(path), path, begins="datasets:")
    try:
        file = _File.model_validate(document)
    except ValidationError as error:
        raise _study_error(path, error) from None
    tasks = []
    for name, task in file.tasks.items():
        _check_metric(path, name, task)
        with _named(path, f"tasks.{name}"):
            tasks.append(task.value(name, path.parent))
    datasets = tuple(dataset.value(name, file.root) for name, dataset in file.datasets.items())
    return TasksFile(path=path, datasets=datasets, tasks=tuple(tasks))


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def _inside(pattern: str) -> str:
    for part in pattern.split("|"):
        path = PurePosixPath(part.strip())
        if not part.strip() or path.is_absolute() or ".." in path.parts:
            raise ValueError(f'"{part.strip()}" is no path below the folder of this file')
    return pattern


def _known_reader(name: str) -> str:
    formats = known_kinds().formats()
    if name not in formats:
        raise ValueError(f'no reader "{name}"; known: {", ".join(formats)}')
    return name


def _known_kind(name: str) -> str:
    names = [kind.name for kind in known_kinds().all()]
    if name not in names:
        raise ValueError(f'no kind "{name}"; known: {", ".join(names)}')
    return name


RelativePath: TypeAlias = Annotated[str, AfterValidator(_inside)]
Size: TypeAlias = Annotated[int, Field(ge=1)]
Name: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]+$", max_length=40)]
Text: TypeAlias = Annotated[str, Field(min_length=1)]


class _FilesLayout(_Strict):
    reader: Annotated[str, AfterValidator(_known_reader)]
    splits: dict[str, RelativePath]
    options: dict[str, JsonValue] = {}
    codes: dict[str, str] = {}
    root: str | None = None


class _HubLayout(_Strict):
    repo: Text
    splits: dict[str, str]
    columns: dict[str, str]
    config: str | None = None
    revision: str | None = None
    options: dict[str, JsonValue] = {}
    codes: dict[str, str] = {}


class _ToyLayout(_Strict):
    generator: Text
    sizes: dict[str, Size]
    options: dict[str, JsonValue] = {}


class _Dataset(_Strict):
    languages: dict[str, Annotated[list[Text], Field(min_length=1)]]
    files: _FilesLayout | None = None
    hub: _HubLayout | None = None
    toy: _ToyLayout | None = None
    licence: str = "unknown"
    domain: str = "unknown"
    citation: str = ""
    num_train: Size | None = None

    def value(self, name: str, root: str) -> Dataset:
        """The frozen value; ``root`` is where files lie that name none."""
        return Dataset(
            name=name,
            languages={split: tuple(codes) for split, codes in self.languages.items()},
            files=None if self.files is None else FilesLayout(**dict(self.files) | {"root": self.files.root or root}),
            hub=None if self.hub is None else HubLayout(**dict(self.hub)),
            toy=None if self.toy is None else ToyLayout(**dict(self.toy)),
            licence=self.licence,
            domain=self.domain,
            citation=self.citation,
            num_train=self.num_train,
        )


class _SplitRef(_Strict):
    dataset: str
    split: str
    part: Literal["all", "rest", "tenth", "half_select", "half_report"] = "all"

    def value(self) -> SplitRef:
        """The frozen value."""
        return SplitRef(dataset=self.dataset, split=self.split, part=Part(self.part))


class _Task(_Strict):
    kind: Annotated[str, AfterValidator(_known_kind)]
    metric: str
    labels: list[Text] = []
    labels_file: RelativePath | None = None
    train: _SplitRef | None = None
    dev: _SplitRef | None = None
    test: _SplitRef | None = None
    pool: _SplitRef | None = None
    group: str = ""
    on_overlap: Literal["refuse", "exclude"] = "refuse"
    trained_as: str = ""
    after: str = ""
    description: str = ""

    def value(self, name: str, folder: Path) -> Task:
        """The frozen value, its labels file below the folder; InputError where its fields do not fit together."""
        if self.labels and self.labels_file is not None:
            raise InputError("labels_file", "there are labels beside it", "", "Leave one of the two out")
        return Task(
            name=name,
            kind=kind_named(self.kind),
            metric=self.metric,
            labels=tuple(self.labels) if self.labels_file is None else listed_in(folder / self.labels_file),
            train=None if self.train is None else self.train.value(),
            dev=None if self.dev is None else self.dev.value(),
            test=None if self.test is None else self.test.value(),
            pool=None if self.pool is None else self.pool.value(),
            group=self.group,
            on_overlap=self.on_overlap,
            trained_as=self.trained_as,
            after=self.after,
            description=self.description,
        )


class _File(_Strict):
    datasets: dict[Name, _Dataset] = {}
    tasks: dict[Name, _Task] = {}
    root: str = USER_ROOT


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
        ("", 0): _File,
        ("datasets", 2): _Dataset,
        ("tasks", 2): _Task,
        ("files", 3): _FilesLayout,
        ("hub", 3): _HubLayout,
        ("toy", 3): _ToyLayout,
        ("train", 3): _SplitRef,
        ("dev", 3): _SplitRef,
        ("test", 3): _SplitRef,
        ("pool", 3): _SplitRef,
    }
    last = "" if not loc else str(loc[0] if len(loc) == 2 else loc[-1])
    model = models.get((last, len(loc)))
    return [] if model is None else list(model.model_fields)


def _check_metric(path: Path, name: str, task: _Task) -> None:
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
