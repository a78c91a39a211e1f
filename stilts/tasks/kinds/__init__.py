"""The task kinds by name: a file of this folder for each that ships, and whatever installed packages add.

A package adds kinds by an entry point of the group ``stilts.kinds``, which names a TaskKind, or a program by
``register_kind``. Nothing else lists kinds: ``tests/test_architecture.py`` sees to it.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import entry_points

from stilts.errors import InputError, UnknownNameError
from stilts.metrics.metric import Metric
from stilts.tasks.kind import Format, TaskKind, kinds_in

ENTRY_POINT_GROUP = "stilts.kinds"


class Kinds:
    """Task kinds by name, with the metrics and the formats that they bring; each name stands for one thing."""

    def __init__(self) -> None:
        self._kinds: dict[str, TaskKind] = {}

    def register(self, kind: TaskKind) -> None:
        """Add a kind; raises InputError where its name, or that of a metric or format, is taken by another."""
        known = self._kinds.get(kind.name)
        if known is kind:
            return
        if known is not None:
            raise _taken("task kind", kind.name, known.module)
        metrics, formats = self.metrics(), self.formats()
        for scoring in kind.scored_by:
            if metrics.get(scoring.measure.name, scoring.measure) is not scoring.measure:
                raise _taken("metric", scoring.measure.name, "another kind")
        for name in kind.formats:
            if name in formats:
                raise _taken("reader", name, formats[name][0].module)
        self._kinds[kind.name] = kind

    def named(self, name: str) -> TaskKind:
        """The kind of that name; UnknownNameError with the closest one."""
        if name not in self._kinds:
            raise UnknownNameError("task kind", name, self._kinds)
        return self._kinds[name]

    def all(self) -> tuple[TaskKind, ...]:
        """All kinds, by name."""
        return tuple(self._kinds[name] for name in sorted(self._kinds))

    def metrics(self) -> Mapping[str, Metric]:
        """Every metric that some kind is scored by."""
        return {one.measure.name: one.measure for kind in self._kinds.values() for one in kind.scored_by}

    def formats(self) -> Mapping[str, tuple[TaskKind, Format]]:
        """Every format, with the kind of the examples that it holds."""
        return {name: (kind, form) for kind in self._kinds.values() for name, form in kind.formats.items()}


@lru_cache(maxsize=1)
def known_kinds() -> Kinds:
    """The kinds that ship, and those of installed packages."""
    kinds = Kinds()
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        for kind in kinds_in(module.name).values():
            kinds.register(kind)
    for entry in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda entry: entry.name):
        kinds.register(entry.load())
    return kinds


def register_kind(kind: TaskKind) -> None:
    """Make a kind known to this process; raises InputError where its name is taken."""
    known_kinds().register(kind)


def kind_named(name: str) -> TaskKind:
    """The kind of that name; UnknownNameError with the closest one."""
    return known_kinds().named(name)


def metric_named(name: str) -> Metric:
    """The metric of that name, whichever kind brings it; UnknownNameError with the closest one."""
    metrics = known_kinds().metrics()
    if name not in metrics:
        raise UnknownNameError("metric", name, metrics)
    return metrics[name]


def _taken(what: str, name: str, by: str) -> InputError:
    return InputError(
        f'{what} "{name}"',
        f"{by} has that name already",
        "What a study or a store calls by it must be one thing",
        "Give it another name",
    )
