"""The tasks that ship with stilts: targets of XTREME and others, English intermediates, text for masked LM.

Start at ``targets.py``; ``retrieval.py``, ``mlqa_pairs.py`` and ``low_resource.py`` have further ones. Intermediates
stand by theme, in ``nli.py``, ``paraphrase.py``, ``questions.py``, ``choices.py``, ``tagging.py``, ``morphology.py``
and ``domains.py``. Every dataset has ``files`` in the release's own format (or, where it says so, as it was recast),
most have ``hub`` as Parquet and ``toy``, an artificial stand-in. Figures and overlaps that a declaration rests on stand
beside it.
"""

from __future__ import annotations

from typing import Protocol

from stilts.tasks.catalog import (
    choices,
    domains,
    low_resource,
    mlqa_pairs,
    morphology,
    nli,
    paraphrase,
    questions,
    retrieval,
    tagging,
    target_datasets,
    targets,
    text,
)
from stilts.tasks.task import Dataset, Task

_OTHERS = (low_resource, mlqa_pairs, retrieval, text)
_THEMES = (nli, paraphrase, questions, choices, tagging, morphology, domains)


class Register(Protocol):
    """Where declarations go: a ``stilts.tasks.registry.Registry``."""

    def register_task(self, task: Task) -> None:
        """Add a task."""

    def register_dataset(self, dataset: Dataset) -> None:
        """Add a dataset."""


def register_catalog(registry: Register) -> None:
    """Add everything to the registry, datasets before the tasks that name them."""
    for datasets in (target_datasets.DATASETS, *(module.DATASETS for module in (*_OTHERS, *_THEMES))):
        for dataset in datasets:
            registry.register_dataset(dataset)
    for tasks in (targets.TASKS, *(module.TASKS for module in (*_OTHERS, *_THEMES))):
        for task in tasks:
            registry.register_task(task)
