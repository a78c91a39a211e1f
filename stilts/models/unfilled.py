"""Models whose weights are about to be replaced, built without making any."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from unittest.mock import patch

import torch
from torch import nn


@contextmanager
def without_weights() -> Iterator[None]:
    """Parameters that are made meanwhile have shapes and no numbers: nothing is drawn at random. Buffers are whole."""
    register = nn.Module.register_parameter

    def on_meta(module: nn.Module, name: str, param: nn.Parameter | None) -> None:
        if param is not None and not param.is_meta:
            param = nn.Parameter(param.to("meta"), requires_grad=param.requires_grad)
        register(module, name, param)

    with patch.object(nn.Module, "register_parameter", on_meta):
        yield


def fill(module: nn.Module, weights: Mapping[str, torch.Tensor]) -> None:
    """Gives every parameter a copy of the weights under its name, in the parameter's type; what was tied stays tied."""
    names: dict[nn.Parameter, list[str]] = {}
    for name, parameter in module.named_parameters(remove_duplicate=False):
        names.setdefault(parameter, []).append(name)
    for parameter, (name, *others) in names.items():
        # A copy: memory of its own, aligned as all of torch's, and no file that stays mapped.
        copied = weights[name].detach().to(parameter.dtype, copy=True)
        filled = nn.Parameter(copied, requires_grad=parameter.requires_grad)
        for each in (name, *others):
            owner, _, own = each.rpartition(".")
            module.get_submodule(owner)._parameters[own] = filled
    with torch.no_grad():
        for name, buffer in module.named_buffers():
            if name in weights:
                buffer.copy_(weights[name])
