"""Hidden vectors with labels that a linear head would have to read from them: what LogME and H-score judge."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from stilts.data.collate import Batch

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
# Vectors (n, width), labels (n,) as whole numbers, and keys (n,) by which the first so many are drawn.
Labelled: TypeAlias = tuple[FloatArray, IntArray, NDArray[np.uint32]]


def token_means(hidden: torch.Tensor, batch: Batch) -> FloatArray:
    """(rows, width) the mean over each row's tokens of hidden states (rows, tokens, width)."""
    weights = batch.mask.unsqueeze(-1).to(hidden.dtype)
    mean: FloatArray = ((hidden * weights).sum(1) / weights.sum(1)).double().cpu().numpy()
    return mean
