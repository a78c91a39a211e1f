"""HostCopies: tensors of a device, copied where a thread may write them while the device goes on."""

from __future__ import annotations

from collections.abc import Mapping

import torch

Files = dict[str, dict[str, torch.Tensor]]


class HostCopies:
    """Copies in the host's memory, pinned and used again where tensors lie on a GPU, where pinning takes longest."""

    def __init__(self) -> None:
        self._pinned: Files = {}

    def copied(self, files: Mapping[str, Mapping[str, torch.Tensor]]) -> Files:
        """The tensors as they are now, by file and name; on a GPU they are overwritten by the next call."""
        found = {file: {name: self._one(file, name, each) for name, each in of.items()} for file, of in files.items()}
        if self._pinned:
            torch.cuda.current_stream().synchronize()
        return found

    def _one(self, file: str, name: str, tensor: torch.Tensor) -> torch.Tensor:
        if tensor.device.type != "cuda":
            return tensor.detach().to("cpu", copy=True)
        room = self._pinned.setdefault(file, {})
        if name not in room:
            room[name] = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
        return room[name].copy_(tensor.detach(), non_blocking=True)
