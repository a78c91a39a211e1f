"""The group of a stage's ranks: who they are, how they find one another, and which device each has."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist

from stilts.errors import InputError
from stilts.training.run_config import RunConfig

# No rank waits in a collective for longer than others need for their part of a step, which may compile first.
_TIMEOUT = timedelta(minutes=10)
# All ranks are on one machine, and a host's name need not lead anywhere.
_HOST = "127.0.0.1"


def of_rank(run: RunConfig, rank: int) -> RunConfig:
    """How one of the ranks runs: on its device, with its part of the stage's threads."""
    if run.ranks == 1:
        return run
    device = f"cuda:{rank}" if run.device.startswith("cuda") else run.device
    return replace(run, device=device, threads=None if run.threads is None else max(1, run.threads // run.ranks))


def open_door() -> tuple[Any, int]:
    """The store over which the ranks meet, at rank 0, and its port; other ranks open theirs with ``find``."""
    store = dist.TCPStore(_HOST, 0, is_master=True, wait_for_workers=False, timeout=_TIMEOUT)  # type: ignore[attr-defined]
    return store, store.port


def find(port: int) -> Any:
    """Rank 0's store, for another rank."""
    return dist.TCPStore(_HOST, port, is_master=False, timeout=_TIMEOUT)  # type: ignore[attr-defined]


def join(store: Any, *, rank: int, size: int, device: torch.device) -> dist.ProcessGroup | None:
    """Makes the default group of all ranks, NCCL's on CUDA and gloo's on CPUs; the group for numbers on the host.

    None stands for the default group. InputError where this process is in another group already.
    """
    if dist.is_initialized():
        raise InputError(
            f"a stage on {size} ranks",
            "this process is part of a torch.distributed group already",
            "A process has one such group, and the ranks of a stage need their own",
            "Run the study from a process that opened none, or with ranks=1",
        )
    if device.type == "cuda":
        torch.cuda.set_device(device)
    backend = "nccl" if device.type == "cuda" else "gloo"
    dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=_TIMEOUT)
    return None if backend == "gloo" else dist.new_group(backend="gloo", timeout=_TIMEOUT)


def give_up_waiting() -> None:
    """Breaks off a collective that another thread waits in: NCCL does not see that a rank is gone, gloo does."""
    if dist.is_initialized() and dist.get_backend() == "nccl":
        dist.distributed_c10d._abort_process_group()


def leave() -> None:
    """Takes this process out of the group."""
    if dist.is_initialized():
        dist.destroy_process_group()
