"""A second device for a machine without a GPU: torch's slot for devices of others, named ``gpu``, kept in main memory.

A tensor on it is a wrapper about a CPU tensor. It computes with that tensor's real numbers, but says that it lies on
``gpu:0``, and refuses what CUDA refuses: tensors of two devices in one operation, and numpy. What a device does by
itself (streams, choice of kernels, memory) it does not show. ``install`` changes torch for the whole process.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
import torch.utils._foreach_utils
from torch.utils._pytree import tree_iter, tree_map_only
from torch.utils.backend_registration import _DummyBackendModule, _setup_privateuseone_for_python_backend

DEVICE = "gpu:0"
# Operations between two devices by their nature, and those whose index CUDA also takes from the CPU.
_ACROSS = frozenset({"copy_", "_to_copy", "index", "index_put", "index_put_", "_index_put_impl_"})
# torch makes these by resizing, which a wrapper cannot follow; torch.tensor copies with subclasses switched off.
_DIRECT = ("copy_ arange arange.start arange.start_step eye eye.m linspace randperm randperm.generator").split()


@dataclass(frozen=True, slots=True)
class Call:
    """One operation on the device: its overload, what it was given and what came of it."""

    op: Any
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    out: Any

    @property
    def name(self) -> str:
        """The operation without namespace and overload."""
        return _name(self.op)


_watchers: list[Callable[[Call], None]] = []
# Where the numbers lie: main memory, or nowhere ("meta").
_backing = "cpu"


class GpuTensor(torch.Tensor):
    """A tensor that says it is on the device; ``raw`` holds its numbers."""

    raw: torch.Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, raw: torch.Tensor) -> GpuTensor:
        new = torch.Tensor._make_wrapper_subclass(
            cls, raw.shape, strides=raw.stride(), storage_offset=raw.storage_offset(), dtype=raw.dtype, device=DEVICE
        )
        new.raw = raw
        return new

    @classmethod
    def __torch_dispatch__(cls, op: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(op, args, kwargs or {})

    def __repr__(self, **_: Any) -> str:  # type: ignore[override]
        return f"on {DEVICE}: {self.raw!r}"


class _Backend(_DummyBackendModule):
    def get_amp_supported_dtype(self) -> list[torch.dtype]:
        return [torch.bfloat16, torch.float16]


_libraries: list[torch.library.Library] = []


def install() -> torch.device:
    """The device, after torch was told of it; what is done again does nothing."""
    if not _libraries:
        from tests.pretend_gpu.autocast import autocast_library

        _setup_privateuseone_for_python_backend("gpu", backend_module=_Backend())
        fallback = torch.library.Library("_", "IMPL", "PrivateUse1")
        fallback.fallback(lambda op, *args, **kwargs: _run(op, args, kwargs), "PrivateUse1")
        _libraries.extend([fallback, _direct_library(), *autocast_library()])
        # Lists of these tensors go where lists of CUDA's go.
        torch.utils._foreach_utils._foreach_supported_types.append(GpuTensor)
        # Tensors made in inference mode and wrappers do not go together.
        torch.inference_mode = _no_grad  # type: ignore[assignment,misc]
    return torch.device(DEVICE)


def _no_grad(mode: bool = True) -> AbstractContextManager[Any]:
    return torch.no_grad() if mode else nullcontext()


def _direct_library() -> torch.library.Library:
    """The operations that the fallback does not see whole, as torch has kernels of its own for every device."""
    library = torch.library.Library("aten", "IMPL", "PrivateUse1")
    for name in _DIRECT:
        operation, _, overload = name.partition(".")
        op = getattr(getattr(torch.ops.aten, operation), overload or "default")
        library.impl(name, partial(_called, op))
    return library


def _called(op: Any, *args: Any, **kwargs: Any) -> Any:
    return _run(op, args, kwargs)


@contextmanager
def watched(watcher: Callable[[Call], None]) -> Iterator[None]:
    """Tells ``watcher`` of every operation on the device for a while."""
    _watchers.append(watcher)
    try:
        yield
    finally:
        _watchers.remove(watcher)


@contextmanager
def without_numbers() -> Iterator[None]:
    """For a while new tensors on the device have shapes only, so that large models cost nothing; a number read is 1."""
    global _backing
    _backing = "meta"
    try:
        yield
    finally:
        _backing = "cpu"


def line() -> str:
    """The innermost line of the product that is being run, as file:line; "backward" where autograd runs by itself."""
    frame = sys._getframe(1)
    while frame is not None:
        path = frame.f_code.co_filename
        if "/stilts/" in path and "site-packages" not in path and "/tests/" not in path:
            return f"stilts/{path.rsplit('/stilts/', 1)[1]}:{frame.f_lineno}"
        frame = frame.f_back  # type: ignore[assignment]
    return "backward"


def _run(op: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """The operation on the tensors inside; what comes of it is on the device unless it was asked for elsewhere."""
    _check_one_device(op, args, kwargs)
    target = kwargs.get("device")
    to_device = None if target is None else torch.device(target).type == "gpu"
    out = _raw_result(op, args, kwargs, to_device)
    stays = args[0].__class__ is GpuTensor if _name(op) == "copy_" else to_device is not False
    if stays:
        out = _written(op, args, kwargs, out)
    if _watchers:
        call = Call(op, args, kwargs, out)
        for watcher in tuple(_watchers):
            watcher(call)
    return out


def _raw_result(op: Any, args: Sequence[Any], kwargs: Mapping[str, Any], to_device: bool | None) -> Any:
    raw_args, raw_kwargs = tree_map_only(GpuTensor, lambda tensor: tensor.raw, (tuple(args), dict(kwargs)))
    is_meta = any(tensor.is_meta for tensor in tree_iter((raw_args, raw_kwargs)) if isinstance(tensor, torch.Tensor))
    if to_device:
        raw_kwargs["device"] = _backing
    if is_meta and _name(op) == "_local_scalar_dense":
        return 1.0 if raw_args[0].is_floating_point() else 1
    if is_meta and (to_device is False or (_name(op) == "copy_" and not raw_args[0].is_meta)):
        return torch.ones_like(raw_args[0], dtype=raw_kwargs.get("dtype"), device="cpu")
    if is_meta and _name(op) == "_fused_adamw_":
        return None
    return op(*raw_args, **raw_kwargs)


def _written(op: Any, args: Sequence[Any], kwargs: Mapping[str, Any], out: Any) -> Any:
    """The results as tensors of the device; what an operation writes into is given back as it came."""
    returns, arguments = op._schema.returns, op._schema.arguments
    if op._schema.is_mutable and returns:
        given = {argument.name: value for argument, value in zip(arguments, args, strict=False)} | dict(kwargs)
        names = [argument.name for argument in arguments if argument.alias_info and argument.alias_info.is_write]
        written = [given[name] for name in names if isinstance(given.get(name), torch.Tensor)]
        if any(tensor.shape != tensor.raw.shape for tensor in written):
            raise NotImplementedError(f"{_name(op)} at {line()}: the pretend device cannot resize a tensor in place")
        if len(written) == len(returns):
            return written[0] if len(written) == 1 else tuple(written)
    return tree_map_only(
        torch.Tensor, lambda tensor: tensor if isinstance(tensor, GpuTensor) else GpuTensor(tensor), out
    )


def _check_one_device(op: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """Raises RuntimeError where tensors of both devices meet; a single number may come from the CPU."""
    if _name(op) in _ACROSS:
        return
    tensors = [each for each in tree_iter((tuple(args), dict(kwargs))) if isinstance(each, torch.Tensor)]
    elsewhere = [tuple(each.shape) for each in tensors if not isinstance(each, GpuTensor) and each.dim()]
    if elsewhere and len(elsewhere) < len(tensors):
        raise RuntimeError(f"{_name(op)} at {line()}: tensors on {DEVICE} and on the CPU, of shapes {elsewhere}")


def _name(op: Any) -> str:
    return str(op._schema.name).partition("::")[2]
