"""Devices, threads and precision: turns RunConfig into torch's settings."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch

from stilts.fingerprint import Json
from stilts.study.config import Precision
from stilts.training.run_config import RunConfig


def set_up(run: RunConfig) -> torch.device:
    """The device to run on, after torch was told the threads and whether to be deterministic."""
    if run.threads is not None:
        torch.set_num_threads(run.threads)
    if run.deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS refuses determinism without it
    torch.use_deterministic_algorithms(run.deterministic)
    # Else determinism writes NaN into all new memory, a kernel for each, in search of what is read before it is set.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    # The memory-efficient attention kernel has no deterministic backward pass; the flash and the plain one have.
    torch.backends.cuda.enable_mem_efficient_sdp(not run.deterministic)
    return torch.device(run.device)


def autocast(device: torch.device, precision: Precision) -> Callable[[], AbstractContextManager[Any]]:
    """A maker of contexts in which matrix products have the precision asked for."""
    if precision is Precision.FP32:
        return nullcontext
    return lambda: torch.autocast(device.type, torch.bfloat16)


def execution_record(run: RunConfig) -> dict[str, Json]:
    """How a stage was executed, to stand beside its result: settings and versions, never paths."""
    versions: dict[str, Json] = {"python": platform.python_version(), "torch": torch.__version__}
    for package in ("transformers", "tokenizers", "numpy", "stilts"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = None
    return {
        "device": run.device,
        "device_name": torch.cuda.get_device_name() if run.device.startswith("cuda") else platform.machine(),
        "threads": torch.get_num_threads(),
        "micro_batch": run.micro_batch,
        **({"ranks": run.ranks, "sharding": run.sharding.value} if run.ranks > 1 else {}),
        "deterministic": run.deterministic,
        "versions": versions,
    }
