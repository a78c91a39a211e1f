"""What labels a kind of task may have: checks that several kinds share."""

from __future__ import annotations

from stilts.errors import InputError


def at_least_two(task: str, labels: tuple[str, ...]) -> None:
    """Raises InputError for a task that tells fewer than two labels apart."""
    if len(labels) < 2:
        raise InputError(
            f'task "{task}", labels',
            f"{len(labels)} labels",
            "A task of its kind tells at least two labels apart",
            "List its labels",
        )
