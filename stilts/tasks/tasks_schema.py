"""The fields of a tasks file, each with what may stand there: the shape of ``datasets`` and ``tasks``."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue

from stilts.errors import InputError
from stilts.tasks.kinds import kind_named, known_kinds
from stilts.tasks.listed import listed_in
from stilts.tasks.tag_labels import are_bio
from stilts.tasks.task import ENGLISH, Dataset, FilesLayout, HubLayout, Part, SplitRef, Task, ToyLayout

USER_ROOT = "tasks"


class Fields(BaseModel):
    """What the parts of a tasks file have in common: no field more, and values of their own type."""

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


def _options(given: Any) -> Any:
    """The options with what they say of labels as text: a release's numbers are names of labels like any other."""
    if not isinstance(given, dict) or not isinstance(given.get("label_map"), dict):
        return given
    return given | {"label_map": {_label(key): _label(value) for key, value in given["label_map"].items()}}


def _labels(given: Any) -> Any:
    return [_label(each) for each in given] if isinstance(given, list) else given


def _label(value: Any) -> Any:
    """A label that was written as a number, as text; true and false are as Python writes them ("True")."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, int) else value


Options: TypeAlias = Annotated[dict[str, JsonValue], BeforeValidator(_options)]
Labels: TypeAlias = Annotated[list[Text], BeforeValidator(_labels)]


class FilesFields(Fields):
    """How a dataset lies in files."""

    reader: Annotated[str, AfterValidator(_known_reader)]
    splits: dict[str, RelativePath]
    options: Options = {}
    codes: dict[str, str] = {}
    root: str | None = None


class HubFields(Fields):
    """A dataset as a repository of the hub."""

    repo: Text
    splits: dict[str, str]
    columns: dict[str, str]
    config: str | None = None
    revision: str | None = None
    options: Options = {}
    codes: dict[str, str] = {}


class ToyFields(Fields):
    """The artificial stand-in of a dataset."""

    generator: Text
    sizes: dict[str, Size]
    options: dict[str, JsonValue] = {}


class DatasetFields(Fields):
    """A dataset: languages of each split, and where its examples come from."""

    languages: dict[str, Annotated[list[Text], Field(min_length=1)]]
    files: FilesFields | None = None
    hub: HubFields | None = None
    toy: ToyFields | None = None
    licence: str = "unknown"
    domain: str = "unknown"
    citation: str = ""
    num_train: Size | None = None

    def value(self, name: str, root: str, *, ships: bool) -> Dataset:
        """The frozen value; ``root`` is where files lie that name none, ``ships``: it is of the catalogue."""
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
            is_release=ships,
        )


class SplitFields(Fields):
    """A split of a dataset, or a part of one."""

    dataset: str
    split: str
    part: Literal["all", "rest", "tenth", "half_select", "half_report"] = "all"

    def value(self) -> SplitRef:
        """The frozen value."""
        return SplitRef(dataset=self.dataset, split=self.split, part=Part(self.part))


class TaskFields(Fields):
    """A task: its kind, labels, metric, and the splits it uses."""

    kind: Annotated[str, AfterValidator(_known_kind)]
    metric: str
    scheme: str = ""
    labels: Labels = []
    labels_file: RelativePath | None = None
    train: SplitFields | None = None
    dev: SplitFields | None = None
    test: SplitFields | None = None
    pool: SplitFields | None = None
    group: str = ""
    on_overlap: Literal["refuse", "exclude"] = "refuse"
    trained_as: str = ""
    after: str = ""
    train_language: str = ENGLISH
    order_decides: bool = False
    description: str = ""

    def value(self, name: str, folder: Path, files_scheme: str) -> Task:
        """The frozen value, its labels file below the folder; InputError where its fields do not fit together.

        ``files_scheme`` is the scheme of tags that its files are said to have, "" where none is.
        """
        if self.labels and self.labels_file is not None:
            raise InputError("labels_file", "there are labels beside it", "", "Leave one of the two out")
        labels = tuple(self.labels) if self.labels_file is None else listed_in(folder / self.labels_file)
        return Task(
            name=name,
            kind=kind_named(self.kind),
            metric=self._metric(labels, files_scheme),
            labels=labels,
            train=None if self.train is None else self.train.value(),
            dev=None if self.dev is None else self.dev.value(),
            test=None if self.test is None else self.test.value(),
            pool=None if self.pool is None else self.pool.value(),
            group=self.group,
            on_overlap=self.on_overlap,
            trained_as=self.trained_as,
            after=self.after,
            train_language=self.train_language,
            order_decides=self.order_decides,
            description=self.description,
        )

    def _metric(self, labels: tuple[str, ...], files_scheme: str) -> str:
        """The metric, of the scheme where one is named, here or by the reader of labels that are no BIO tags."""
        kind = kind_named(self.kind)
        if self.scheme and kind.in_scheme is None:
            raise InputError(f'scheme "{self.scheme}"', f"a {kind} task has no tags", "", "Take it out")
        scheme = self.scheme or (files_scheme if not are_bio(labels) else "")
        if not scheme or kind.in_scheme is None or (self.metric != "span_f1" and not self.scheme):
            return self.metric
        return kind.in_scheme(self.metric, scheme)


class FileFields(Fields):
    """A whole tasks file."""

    datasets: dict[Name, DatasetFields] = {}
    tasks: dict[Name, TaskFields] = {}
    root: str = USER_ROOT

    def scheme_of(self, task: TaskFields) -> str:
        """The scheme of tags that a reader of the task's data is told, "" where none is."""
        for ref in (task.test, task.dev, task.train):
            dataset = None if ref is None else self.datasets.get(ref.dataset)
            if dataset is not None and dataset.files is not None and "scheme" in dataset.files.options:
                return str(dataset.files.options["scheme"])
        return ""
