"""Registry: the tasks and datasets that a study can name. An object, so that every test may build its own.

The catalogue's files are read when something of them is asked for, or when all is listed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

from stilts.errors import InputError, UnknownNameError
from stilts.tasks.catalog import Theme, themes
from stilts.tasks.declared import check_dataset, check_task
from stilts.tasks.task import Dataset, SplitRef, Task
from stilts.tasks.user_tasks import TasksFile, read_tasks

ENTRY_POINT_GROUP = "stilts.tasks"


class Registry:
    """Tasks and datasets by name; a dataset is registered before the tasks that use it.

    ``unread`` are files of the catalogue that count as registered.
    """

    def __init__(self, unread: Iterable[Theme] = ()) -> None:
        self._tasks: dict[str, Task] = {}
        self._datasets: dict[str, Dataset] = {}
        files = tuple(unread)
        self._shipped = frozenset(name for theme in files for name in (*theme.tasks, *theme.datasets))
        self._unread_tasks = {name: theme for theme in files for name in theme.tasks}
        self._unread_datasets = {name: theme for theme in files for name in theme.datasets}

    def register_dataset(self, dataset: Dataset) -> None:
        """Add a dataset; raises InputError when its name is taken, or it cannot be what it says (``declared.py``)."""
        _refuse_duplicate("dataset", dataset.name, self._datasets, self._unread_datasets)
        check_dataset(dataset)
        self._datasets[dataset.name] = dataset

    def register_task(self, task: Task) -> None:
        """Add a task; raises InputError when its name is taken, UnknownNameError for an unknown dataset or split."""
        _refuse_duplicate("task", task.name, self._tasks, self._unread_tasks)
        refs: dict[SplitRef, Dataset] = {}
        for use in ("train", "dev", "test", "pool"):
            ref = getattr(task, use)
            if ref is not None:
                self._check_ref(ref, where=f'task "{task.name}", {use}')
                refs[ref] = self._datasets[ref.dataset]
        check_task(task, refs)
        self._tasks[task.name] = task

    def task(self, name: str) -> Task:
        """The task of that name; raises UnknownNameError with the closest one."""
        if name in self._unread_tasks:
            self._read(self._unread_tasks[name])
        if name not in self._tasks:
            raise UnknownNameError("task", name, self._own_first(self._tasks, self._unread_tasks), in_order=True)
        return self._tasks[name]

    def dataset(self, name: str) -> Dataset:
        """The dataset of that name; raises UnknownNameError with the closest one."""
        return self._dataset(name, where="")

    def has_split(self, split: str) -> bool:
        """Whether there is a dataset with that split: ``<dataset>/<split>``."""
        name, _, part = split.partition("/")
        return (name in self._datasets or name in self._unread_datasets) and part in self.dataset(name).languages

    def tasks(self) -> tuple[Task, ...]:
        """All tasks, by name."""
        self._read_all()
        return tuple(self._tasks[name] for name in sorted(self._tasks))

    def datasets(self) -> tuple[Dataset, ...]:
        """All datasets, by name."""
        self._read_all()
        return tuple(self._datasets[name] for name in sorted(self._datasets))

    def _own_first(self, *names: Mapping[str, object]) -> list[str]:
        """All names, those that no file of the catalogue has before the others."""
        known = sorted({name for each in names for name in each})
        return sorted(known, key=lambda name: name in self._shipped)

    def _dataset(self, name: str, *, where: str) -> Dataset:
        if name in self._unread_datasets:
            self._read(self._unread_datasets[name])
        if name not in self._datasets:
            known = self._own_first(self._datasets, self._unread_datasets)
            raise UnknownNameError("dataset", name, known, where=where, in_order=True)
        return self._datasets[name]

    def _check_ref(self, ref: SplitRef, *, where: str) -> None:
        languages = self._dataset(ref.dataset, where=where).languages
        if ref.split not in languages:
            raise UnknownNameError("split", ref.split, languages, where=f'{where}, of dataset "{ref.dataset}"')

    def _read_all(self) -> None:
        while unread := [*self._unread_tasks.values(), *self._unread_datasets.values()]:
            self._read(unread[0])  # and with it those whose datasets its tasks name

    def _read(self, theme: Theme) -> None:
        for name in theme.tasks:
            self._unread_tasks.pop(name, None)
        for name in theme.datasets:
            self._unread_datasets.pop(name, None)
        _catalog_file(theme.path).register(self)


@cache
def _catalog_file(path: Path) -> TasksFile:
    """The values of a file that ships: frozen, so every registry may hold the same."""
    return read_tasks(path, ships=True)


def default_registry() -> Registry:
    """The catalogue that ships with stilts, and whatever installed packages add.

    A package adds tasks by an entry point of the group ``stilts.tasks``: a callable that is given the registry.
    """
    registry = Registry(themes())
    for entry in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda entry: entry.name):
        register = entry.load()
        register(registry)
    return registry


def _refuse_duplicate(what: str, name: str, *taken: Mapping[str, object]) -> None:
    if any(name in names for names in taken):
        raise InputError(
            f'{what} "{name}"',
            f"a {what} of that name is registered already",
            "A study must be able to tell the two apart",
            "Give it another name",
        )
