"""Memory of the device that a model runs on: what says that it is full, and what gives it back."""

from __future__ import annotations

import ctypes
import gc
import resource
import sys
from collections.abc import Callable
from functools import lru_cache

import torch

from stilts.errors import NoMemoryError

# Of libraries that report a full device by a RuntimeError of their own, and of torch's CPU allocator.
_FULL = ("out of memory", "_status_alloc_failed", "defaultcpuallocator: can't allocate memory")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory, the device's or the host's, was not enough for what was asked at once."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(mark in str(error).lower() for mark in _FULL)


def one_is_too_much(asked: str, rows: int, tokens: int, told: str) -> NoMemoryError:
    """The error of what does not fit with one example at a time, of so many rows; ``told`` is what torch said."""
    return NoMemoryError(
        asked,
        f"memory is not enough for one example at a time ({rows} rows of {tokens} tokens): "
        f"{' '.join(told.split())[:200]}",
        "The batch was halved down to that, and a smaller one there is not",
        "Lower max_length, train with resources.gradient_checkpointing: true, take a smaller encoder, or give the "
        "stage a device with more memory (resources.gpus)",
    )


def give_back(device: torch.device) -> None:
    """Frees what nothing refers to any more, and gives a GPU's cached blocks back to whoever shares it."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()


def begin_peak(device: torch.device) -> None:
    """Begins to measure the peak anew: a warm process has run other stages before. Of a process it cannot be reset."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def peak_gib(device: torch.device) -> float:
    """The most memory held at once, in GiB: the device's since ``begin_peak``, else the process's resident set."""
    if device.type == "cuda":
        return round(torch.cuda.max_memory_allocated(device) / 2**30, 3)
    unit = 1 if sys.platform == "darwin" else 1024  # ru_maxrss counts bytes on macOS, KiB on Linux
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30, 3)


def give_back_host() -> None:
    """Gives the host what this process freed and its allocator kept: after a stage that is most of what it took.

    Where the C library has no such call (macOS, musl) nothing is done.
    """
    trim = _malloc_trim()
    if trim is not None:
        trim(0)


@lru_cache
def _malloc_trim() -> Callable[[int], int] | None:
    """glibc's ``malloc_trim``; None where there is none."""
    return getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
