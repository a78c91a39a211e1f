"""How long encoded examples are: what a plan's arithmetic asks of data."""

from __future__ import annotations

from collections.abc import Sequence

from stilts.data.encoded import Encoded
from stilts.study.workload import TextLengths


def lengths_of(parts: Sequence[Encoded], examples: int | None = None) -> TextLengths:
    """Mean and longest of what was encoded; ``examples``: of how many it is a sample, None of no more than itself."""
    looked_at = sum(part.num_examples for part in parts)
    rows = [part.ids.lengths for part in parts]
    return TextLengths(
        tokens=sum(int(lengths.sum()) for lengths in rows) / looked_at,
        longest=max(int(lengths.max()) for lengths in rows),
        rows=sum(map(len, rows)) / looked_at,
        examples=looked_at if examples is None else examples,
        units=sum(map(len, parts)) / looked_at,
        is_measured=True,
    )
