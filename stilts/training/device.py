"""Devices, threads and precision: turns RunConfig into torch's settings, and refuses a device that cannot do it."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from stilts.errors import DeviceError
from stilts.fingerprint import Json, plain
from stilts.models.compiled_sites import SITES
from stilts.study.config import Precision
from stilts.training.run_config import RunConfig

# What a process holds on a GPU beside torch's allocator (its context, cuBLAS): assumed.
_CONTEXT_BYTES = 600 * 2**20
# Kernels that oneDNN keeps, one for each product of each shape: with its own 1,024 a warm worker grows by 100 MB more
# (measured, four stages of the mini encoder), and no stage is quicker.
_KEPT_KERNELS = "128"


def set_up(run: RunConfig, precision: Precision = Precision.FP32) -> torch.device:
    """The device to run on, after torch was told the threads, the precision and whether to be deterministic.

    DeviceError where the device is not there, or does not compute in that precision.
    """
    device = torch.device(run.device)
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", _KEPT_KERNELS)  # read at the first product on a CPU
    check_device(device, precision)
    if run.threads is not None:
        torch.set_num_threads(run.threads)
    if run.deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS refuses determinism without it
    torch.use_deterministic_algorithms(run.deterministic)
    # Else determinism writes NaN into all new memory, a kernel for each, in search of what is read before it is set.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    # The memory-efficient attention kernel has no deterministic backward pass; the flash and the plain one have.
    torch.backends.cuda.enable_mem_efficient_sdp(not run.deterministic)
    torch.backends.cuda.matmul.allow_tf32 = precision is Precision.TF32
    if device.type == "cuda":
        _keep_to_its_part(device, run.gpu_frac)
    SITES.folder = Path(run.cache_dir).expanduser() if run.cache_dir is not None else None
    return device


def check_device(device: torch.device, precision: Precision) -> None:
    """Raises DeviceError for a device that is not there, or one on which the precision is none of its own."""
    if precision is Precision.TF32 and device.type == "cpu":
        raise _refused(device, "CPUs have no such products", 'Set "precision: fp32", or run it where there is a GPU')
    if device.type != "cuda":
        return
    if not torch.cuda.is_available():
        built = "is built for CPUs only" if torch.version.cuda is None else "finds no GPU here"
        why = f"torch {torch.__version__} {built}"
        raise _refused(device, why, "Install torch with CUDA on every node that offers GPUs, or pass --device cpu")
    if precision is Precision.BF16 and not torch.cuda.is_bf16_supported(including_emulation=False):
        why = f"{torch.cuda.get_device_name(device)} has no bf16"
        raise _refused(device, why, 'Set "precision: fp32" under defaults, or use cards from Ampere on')


def autocast(device: torch.device, precision: Precision) -> Callable[[], AbstractContextManager[Any]]:
    """A maker of contexts in which matrix products have the precision asked for."""
    if precision is not Precision.BF16:
        return nullcontext
    return lambda: torch.autocast(device.type, torch.bfloat16)


def execution_record(run: RunConfig) -> dict[str, Json]:
    """How, where and for which job a stage was executed, to stand beside its result: no paths, no addresses."""
    versions: dict[str, Json] = {"python": platform.python_version(), "torch": torch.__version__}
    for package in ("transformers", "tokenizers", "numpy", "stilts"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = None
    on_gpu = run.device.startswith("cuda")
    if on_gpu:
        versions["cuda"] = torch.version.cuda
    return {
        **({"job": run.job} if run.job is not None else {}),
        "node": platform.node(),
        "device": run.device,
        "device_name": torch.cuda.get_device_name() if on_gpu else _processor(),
        **({"capability": "{}.{}".format(*torch.cuda.get_device_capability())} if on_gpu else {}),
        "threads": torch.get_num_threads(),
        "micro_batch": run.micro_batch,
        **({"gradient_checkpointing": True} if run.gradient_checkpointing else {}),
        **({"ranks": run.ranks, "sharding": run.sharding.value} if run.ranks > 1 else {}),
        **({"held": {"cpus": run.held.cpus, "gpus": run.held.gpus}} if run.held is not None else {}),
        "deterministic": run.deterministic,
        **({"uncompiled": plain(SITES.uncompiled)} if SITES.uncompiled else {}),
        "versions": versions,
    }


@cache
def _processor() -> str:
    """The name of this machine's processor as Linux tells it; elsewhere, and where it tells none, its architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "") or platform.machine()


def _keep_to_its_part(device: torch.device, frac: float) -> None:
    """Bounds what torch takes of a shared GPU, so that a stage that is too large fails, and not its neighbour."""
    total = torch.cuda.get_device_properties(device).total_memory
    within = 1.0 if frac >= 1 else max(0.0, frac - _CONTEXT_BYTES / total)
    torch.cuda.set_per_process_memory_fraction(within, device)


def _refused(device: torch.device, found: str, next_step: str) -> DeviceError:
    return DeviceError(
        f'device "{device.type}" of {platform.node()}',
        found,
        "Every stage of the study would fail in the same way",
        next_step,
    )
