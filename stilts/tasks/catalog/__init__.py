"""The tasks that ship with stilts: XTREME's targets, the paper's intermediates, text for masked LM.

Start at ``targets.py``. Every dataset has three sources: ``files`` in the release's own format, ``hub`` as Parquet, and
``toy``, an artificial stand-in. Figures and overlaps that a declaration rests on stand beside it.
"""

from __future__ import annotations

from typing import Protocol

from stilts.tasks.catalog import intermediates, targets, text
from stilts.tasks.task import Dataset, Task


class Register(Protocol):
    """Where declarations go: a ``stilts.tasks.registry.Registry``."""

    def register_task(self, task: Task) -> None:
        """Add a task."""

    def register_dataset(self, dataset: Dataset) -> None:
        """Add a dataset."""


def register_catalog(registry: Register) -> None:
    """Add everything to the registry, datasets before the tasks that name them."""
    for module in (intermediates, targets, text):
        for dataset in module.DATASETS:
            registry.register_dataset(dataset)
    for module in (intermediates, targets, text):
        for task in module.TASKS:
            registry.register_task(task)
