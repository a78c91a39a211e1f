"""Batch: some units as padded tensors, and masked-LM masking."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from stilts.data.counter_hash import keys, uniform
from stilts.data.encoded import IGNORED, Encoded, Ragged

# Of the chosen tokens, 80 % become <mask>, 10 % a random token, 10 % stay (Devlin et al. 2019, section 3.1).
_MASKED, _RANDOM = 0.8, 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Padded tensors of some units; rows are padded at their ends.

    ``ids``, ``mask`` (True where a token is), ``types`` (1 in the second text of a pair), ``row_labels``:
    (rows, tokens). ``labels``: (units,). ``spans``: (units, 2). ``targets``: (units, outputs), fp32. ``places``:
    (masked,) the masked tokens' numbers, row after row, found on the CPU because a device would have to be waited for.
    ``rows`` and ``units`` are the numbers of what is in it, for whoever writes results back. ``is_full`` says, where it
    is known, that no row is padded.
    """

    ids: torch.Tensor
    mask: torch.Tensor
    units: NDArray[np.int64]
    rows: NDArray[np.int64]
    rows_per_unit: int
    places: torch.Tensor | None = None
    types: torch.Tensor | None = None
    labels: torch.Tensor | None = None
    row_labels: torch.Tensor | None = None
    spans: torch.Tensor | None = None
    targets: torch.Tensor | None = None
    is_full: bool = False

    @property
    def seen(self) -> torch.Tensor | None:
        """(rows, tokens) True where attention may look; None where it may everywhere, for which there are kernels."""
        return None if self.is_full else self.mask

    def to(self, device: torch.device) -> Batch:
        """The batch with its tensors on the device."""
        return self if device.type == "cpu" else self._with(lambda tensor: tensor.to(device, non_blocking=True))

    def pinned(self) -> Batch:
        """The batch in memory that a GPU fetches from while the host goes on."""
        return self._with(lambda tensor: tensor.pin_memory())

    def _with(self, change: Callable[[torch.Tensor], torch.Tensor]) -> Batch:
        changed: dict[str, Any] = {
            each.name: change(value)
            for each in fields(self)
            if isinstance(value := getattr(self, each.name), torch.Tensor)
        }
        return replace(self, **changed)


def present(tensor: torch.Tensor | None) -> torch.Tensor:
    """The labels of a batch whose kind always has them."""
    assert tensor is not None, "encoded data of this kind carry these labels"
    return tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """What masking and padding must know of a tokenizer: sizes and special ids.

    ``mask`` is None where there is no such token. ``between`` ends the first text of a pair where the second has token
    type 1, None where types are not told apart. ``reads_from_end``: the last token stands for a text.
    """

    size: int
    pad: int
    mask: int | None
    special: tuple[int, ...]
    between: int | None = None
    reads_from_end: bool = False


def collate(encoded: Encoded, units: NDArray[np.int64], vocabulary: Vocabulary, *, pad_to: int | None = None) -> Batch:
    """The units padded to their longest row (or to ``pad_to`` tokens)."""
    rows = encoded.rows_of(units)
    width = max(int(encoded.ids.lengths[rows].max()), pad_to or 0)
    ids = _padded(encoded.ids, rows, width, vocabulary.pad)
    present = np.arange(width)[None, :] < encoded.ids.lengths[rows][:, None]
    row_labels = None if encoded.row_labels is None else _padded(encoded.row_labels, rows, width, IGNORED)
    return Batch(
        ids=torch.from_numpy(ids),
        mask=torch.from_numpy(present),
        units=units,
        rows=rows,
        rows_per_unit=encoded.rows_per_unit,
        types=None if vocabulary.between is None else torch.from_numpy(_types(ids, present, vocabulary.between)),
        labels=_tensor(None if encoded.labels is None else encoded.labels[units]),
        row_labels=_tensor(row_labels),
        spans=_tensor(None if encoded.spans is None else encoded.spans[units]),
        targets=None if encoded.targets is None else torch.from_numpy(np.array(encoded.targets[units])),
        is_full=bool(present.all()),
    )


def mask_tokens(batch: Batch, vocabulary: Vocabulary, seed: int, step: int, frac: float) -> Batch:
    """The batch with a share ``frac`` of its tokens masked, and their ids as ``row_labels``.

    What is masked derives from (seed, step, row, place), so it is the same in any micro-batch. Special tokens
    never are. A row in which chance chose nothing gets its luckiest token masked.
    """
    ids = batch.ids.numpy()
    place = np.arange(ids.shape[1])[None, :]
    key = keys(seed, step, batch.rows[:, None], place)
    draw = np.where(np.isin(ids, vocabulary.special), np.inf, uniform(key))
    chosen = draw < frac
    lucky = draw.argmin(axis=1)
    chosen[np.arange(len(ids)), lucky] |= np.isfinite(draw.min(axis=1))
    assert vocabulary.mask is not None, "only encoders that were pretrained by masked LM are asked"
    how = uniform(key + np.uint32(1))
    other = (uniform(key + np.uint32(2)) * vocabulary.size).astype(ids.dtype)
    replaced = np.where(how < _MASKED, vocabulary.mask, np.where(how < _RANDOM, other, ids))
    return Batch(
        ids=torch.from_numpy(np.where(chosen, replaced, ids)),
        mask=batch.mask,
        units=batch.units,
        rows=batch.rows,
        rows_per_unit=batch.rows_per_unit,
        places=torch.from_numpy(np.flatnonzero(chosen)),
        types=batch.types,
        row_labels=torch.from_numpy(np.where(chosen, ids, IGNORED)),
        is_full=batch.is_full,
    )


def _types(ids: NDArray[np.int64], present: NDArray[np.bool_], between: int) -> NDArray[np.int64]:
    """1 for tokens of a second text: all behind the first token ``between``."""
    ends = ids == between
    return np.asarray((np.cumsum(ends, axis=1) - ends > 0) & present, np.int64)


def _padded(ragged: Ragged, rows: NDArray[np.int64], width: int, fill: int) -> NDArray[np.int64]:
    out = np.full((len(rows), width), fill, np.int64)
    for i, row in enumerate(rows):
        values = ragged[int(row)]
        out[i, : len(values)] = values
    return out


def _tensor(array: NDArray[np.integer] | None) -> torch.Tensor | None:
    return None if array is None else torch.from_numpy(np.asarray(array, np.int64))
