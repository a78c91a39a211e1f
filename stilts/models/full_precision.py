"""full_precision: where numbers are compared or a loss is taken, products are fp32 whatever a stage's precision is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """Products of fp32 tensors in fp32 for a while, also within autocast and where TF32 is allowed.

    bf16 has steps of 0.004 between cosines near 1, which a temperature of 0.05 makes steps of 0.08 of a logit.
    """
    products = torch.backends.cuda.matmul
    before = products.allow_tf32
    products.allow_tf32 = False
    try:
        with torch.autocast(device.type, enabled=False):
            yield
    finally:
        products.allow_tf32 = before
