"""The tasks that a study can name, as plain values, and which of their data are at hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stilts.app.workspace import assemble
from stilts.errors import DataError
from stilts.study.study import Study
from stilts.tasks.registry import Registry, default_registry
from stilts.tasks.resolve import Resolver
from stilts.tasks.task import SplitRef, Task


def task_lines(study: str | None, root: str | None = None, text_root: str | None = None) -> list[dict[str, Any]]:
    """One mapping per task. Where a study or a root says where data are, ``available`` lists the languages of its
    evaluation (or training) data, and ``trains`` says whether what it learns from is there; both are None elsewhere.
    """
    resolver = assemble(Study.load(study)).resolved.resolver if study else _resolver_of(root, text_root)
    registry = resolver.registry if resolver else default_registry()
    return [_task_line(task, registry, resolver) for task in sorted(registry.tasks(), key=lambda task: task.name)]


def _resolver_of(root: str | None, text_root: str | None) -> Resolver | None:
    """The catalogue on releases' folders; DataError where a folder is none."""
    roots = {name: Path(path) for name, path in (("data", root), ("text", text_root)) if path is not None}
    for name, path in roots.items():
        if not path.is_dir():
            option = "--root" if name == "data" else "--text-root"
            raise DataError(path, f"no such folder, for {option}", next_step="Give the folder that holds the releases")
    return Resolver(default_registry(), roots) if roots else None


def _task_line(task: Task, registry: Registry, resolver: Resolver | None) -> dict[str, Any]:
    ref = task.test or task.train
    assert ref is not None
    dataset = registry.dataset(ref.dataset)
    role = " and ".join(
        name for name, is_one in (("intermediate", task.train is not None), ("target", task.test is not None)) if is_one
    )
    return {
        "task": task.name,
        "kind": task.kind.name,
        "metric": task.metric,
        "role": role,
        "labels": list(task.labels),
        "num_train": registry.dataset(task.train.dataset).num_train if task.train else None,
        "languages": list(dataset.languages[ref.split]),
        "available": list(_available(task, ref, resolver)) if resolver else None,
        "trains": _trains(task, resolver) if resolver else None,
        "sources": [name for name in ("hub", "files", "toy") if getattr(dataset, name) is not None],
        "licence": dataset.licence,
        "domain": dataset.domain,
        "citation": dataset.citation,
        "group": task.group,
        "description": task.description,
    }


def _trains(task: Task, resolver: Resolver) -> bool | None:
    """Whether the data are there that a task is learned from; None for a task that is not learned."""
    if task.train is None:
        return None
    before = resolver.registry.task(task.after).train if task.after else None
    return all(resolver.available_languages(ref) for ref in (task.train, before) if ref is not None)


def _available(task: Task, ref: SplitRef, resolver: Resolver) -> tuple[str, ...]:
    """The languages that the data at hand have: of a target those that it can be evaluated in."""
    return resolver.available_languages(ref) if task.test is None else resolver.target_languages(task)
