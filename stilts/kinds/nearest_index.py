"""The index for nearest-neighbour search beside numpy's: torch on a device. Both are exact.

An index is execution, never identity: it changes rounding only (``metrics.neighbours.Index`` is the contract).
"""

from __future__ import annotations

import numpy as np
import torch

from stilts.metrics.neighbours import Found, Index, Lookup, UnitVectors, exact_index
from stilts.models.full_precision import full_precision


def device_index(device: torch.device) -> Index:
    """Torch's index on an accelerator; numpy's on the CPU, so that figures there stay what they are."""
    return exact_index if device.type == "cpu" else torch_index(device)


def torch_index(device: torch.device) -> Index:
    """An index that holds one block of candidates on the device and compares every query with it."""

    def index(candidates: UnitVectors) -> Lookup:
        pool = torch.from_numpy(candidates).to(device).T

        def look_up(queries: UnitVectors, k: int) -> Found:
            with full_precision(device):
                similarity = torch.from_numpy(queries).to(device) @ pool  # (queries, candidates)
            best, places = [], []
            for _ in range(k):
                # argmax names the first among equals; topk promises no order.
                place = similarity.argmax(dim=1, keepdim=True)
                best.append(similarity.gather(1, place))
                places.append(place)
                similarity.scatter_(1, place, -torch.inf)
            return torch.cat(best, 1).cpu().numpy(), torch.cat(places, 1).cpu().numpy().astype(np.intp)

        return look_up

    return index
