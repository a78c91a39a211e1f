"""Which columns are targets, and which only watch the encoder.

A masked-LM column is never trained and never advised on: it shows what an intermediate does to the pretrained encoder
(``negative_transfer.py``). It enters no average, no objective and no answer.
"""

from __future__ import annotations

from stilts.study.record import Column, StudyRecord


def is_probe(column: Column) -> bool:
    """Whether the column is a diagnostic of the encoder rather than a target."""
    return column.task_kind.self_supervised


def targets_of(record: StudyRecord) -> tuple[Column, ...]:
    """The columns that are targets, in the study's order."""
    return tuple(column for column in record.columns if not is_probe(column))
