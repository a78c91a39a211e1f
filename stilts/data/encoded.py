"""Encoded: one data view as token ids and labels, in flat arrays.

A *row* is one token sequence. A *unit* is what a batch counts: one sentence, one window of a context, or one
example of several rows (its choices, or a sentence and its translation). Rows of a unit are neighbours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int32]
FloatArray = NDArray[np.float32]
NumberT = TypeVar("NumberT", np.int32, np.float32)
IGNORED = -100  # the label that torch's cross entropy leaves out


@dataclass(frozen=True)
class Ragged:
    """Lists of whole numbers of unlike length: row ``i`` is ``values[offsets[i]:offsets[i + 1]]``."""

    values: IntArray
    offsets: NDArray[np.int64]

    @classmethod
    def of(cls, rows: Iterable[Sequence[int] | IntArray]) -> Ragged:
        """The rows, laid end to end."""
        listed = [np.asarray(row, dtype=np.int32) for row in rows]
        offsets = np.zeros(len(listed) + 1, dtype=np.int64)
        np.cumsum([len(row) for row in listed], out=offsets[1:])
        return cls(np.concatenate(listed) if listed else np.zeros(0, np.int32), offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> IntArray:
        return self.values[self.offsets[row] : self.offsets[row + 1]]

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        """How long each row is."""
        return np.diff(self.offsets)


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """A view ready for batches.

    ``ids``: token ids by row. ``unit_example``: (units,) which example a unit is of. ``labels``: (units,) classes or
    right choices, None where there are none. ``row_labels``: ids-shaped labels by token (tagging; IGNORED elsewhere).
    ``spans``: (units, 2) first and last token of the answer, twice a special token where the window holds none.
    ``words``: ids-shaped index of the word that a token stands for, -1 elsewhere. ``chars``: ids-shaped pairs laid as
    ``2i, 2i + 1``: character span of a context's token in the context, -1 elsewhere. ``targets``: (units, outputs)
    numbers to be met: the value of a regression, or 1 for every label that applies and 0 for the others.
    """

    ids: Ragged
    rows_per_unit: int
    unit_example: IntArray
    num_examples: int
    num_truncated: int
    labels: IntArray | None = None
    row_labels: Ragged | None = None
    spans: IntArray | None = None
    words: Ragged | None = None
    chars: Ragged | None = None
    targets: FloatArray | None = None

    def __len__(self) -> int:
        """How many units there are."""
        return len(self.unit_example)

    @cached_property
    def unit_lengths(self) -> NDArray[np.int64]:
        """(units,) tokens of the longest row of each unit."""
        lengths = self.ids.lengths.reshape(-1, self.rows_per_unit)
        return np.asarray(lengths.max(axis=1) if len(lengths) else np.zeros(0, np.int64))

    def rows_of(self, units: NDArray[np.int64]) -> NDArray[np.int64]:
        """The rows of some units, in order."""
        return (units[:, None] * self.rows_per_unit + np.arange(self.rows_per_unit)).reshape(-1)


def join(parts: Sequence[Encoded]) -> Encoded:
    """Several encoded views of one task as one; examples are numbered on through the parts."""
    if len(parts) == 1:
        return parts[0]
    starts = np.cumsum([0, *(part.num_examples for part in parts)])
    arrays: Mapping[str, IntArray | None] = {
        name: _stack([getattr(part, name) for part in parts]) for name in ("labels", "spans")
    }
    ragged: Mapping[str, Ragged | None] = {
        name: _chain([getattr(part, name) for part in parts]) for name in ("row_labels", "words", "chars")
    }
    ids = _chain([part.ids for part in parts])
    assert ids is not None
    return Encoded(
        ids=ids,
        rows_per_unit=parts[0].rows_per_unit,
        unit_example=np.concatenate([p.unit_example + s for p, s in zip(parts, starts, strict=False)]).astype(np.int32),
        num_examples=int(starts[-1]),
        num_truncated=sum(part.num_truncated for part in parts),
        labels=arrays["labels"],
        spans=arrays["spans"],
        row_labels=ragged["row_labels"],
        words=ragged["words"],
        chars=ragged["chars"],
        targets=_stack([part.targets for part in parts]),
    )


def _stack(arrays: Sequence[NDArray[NumberT] | None]) -> NDArray[NumberT] | None:
    present = [array for array in arrays if array is not None]
    return np.concatenate(present) if present else None


def _chain(parts: Sequence[Ragged | None]) -> Ragged | None:
    present = [part for part in parts if part is not None]
    if not present:
        return None
    starts = np.cumsum([0, *(len(part.values) for part in present)])
    offsets = [part.offsets[:-1] + start for part, start in zip(present, starts, strict=False)]
    return Ragged(np.concatenate([p.values for p in present]), np.concatenate([*offsets, starts[-1:]]))
