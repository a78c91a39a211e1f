"""Registry: the tasks and datasets that a study can name. An object, so that every test may build its own."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import entry_points

from stilts.errors import InputError, UnknownNameError
from stilts.tasks.catalog import register_catalog
from stilts.tasks.task import Dataset, SplitRef, Task

ENTRY_POINT_GROUP = "stilts.tasks"


class Registry:
    """Tasks and datasets by name; a dataset is registered before the tasks that use it."""

    def __init__(self) -> None:
        self._tasks: dict[str, Task] = {}
        self._datasets: dict[str, Dataset] = {}

    def register_dataset(self, dataset: Dataset) -> None:
        """Add a dataset; raises InputError when its name is taken."""
        _refuse_duplicate("dataset", dataset.name, self._datasets)
        self._datasets[dataset.name] = dataset

    def register_task(self, task: Task) -> None:
        """Add a task; raises InputError when its name is taken, UnknownNameError for an unknown dataset or split."""
        _refuse_duplicate("task", task.name, self._tasks)
        for use in ("train", "dev", "test", "pool"):
            ref = getattr(task, use)
            if ref is not None:
                self._check_ref(ref, where=f'task "{task.name}", {use}')
        self._tasks[task.name] = task

    def task(self, name: str) -> Task:
        """The task of that name; raises UnknownNameError with the closest one."""
        if name not in self._tasks:
            raise UnknownNameError("task", name, self._tasks)
        return self._tasks[name]

    def dataset(self, name: str) -> Dataset:
        """The dataset of that name; raises UnknownNameError with the closest one."""
        if name not in self._datasets:
            raise UnknownNameError("dataset", name, self._datasets)
        return self._datasets[name]

    def tasks(self) -> tuple[Task, ...]:
        """All tasks, by name."""
        return tuple(self._tasks[name] for name in sorted(self._tasks))

    def datasets(self) -> tuple[Dataset, ...]:
        """All datasets, by name."""
        return tuple(self._datasets[name] for name in sorted(self._datasets))

    def _check_ref(self, ref: SplitRef, *, where: str) -> None:
        if ref.dataset not in self._datasets:
            raise UnknownNameError("dataset", ref.dataset, self._datasets, where=where)
        languages = self._datasets[ref.dataset].languages
        if ref.split not in languages:
            raise UnknownNameError("split", ref.split, languages, where=f'{where}, of dataset "{ref.dataset}"')


def default_registry() -> Registry:
    """The catalogue that ships with stilts, and whatever installed packages add.

    A package adds tasks by an entry point of the group ``stilts.tasks``: a callable that is given the registry.
    """
    registry = Registry()
    register_catalog(registry)
    for entry in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda entry: entry.name):
        register = entry.load()
        register(registry)
    return registry


def _refuse_duplicate(what: str, name: str, taken: Mapping[str, object]) -> None:
    if name in taken:
        raise InputError(
            f'{what} "{name}"',
            f"a {what} of that name is registered already",
            "A study must be able to tell the two apart",
            "Give it another name",
        )
