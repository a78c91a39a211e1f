"""LoRA layers in an encoder, by peft: injected, frozen but for the one that trains, and read out again.

Their dropout is the counted one, at sites of their own, so that no other mask moves. peft takes seconds to import:
only stages that train an adapter do.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from stilts.errors import InputError
from stilts.models.adapter_files import A, B
from stilts.models.dropout import CountedDropout, DropoutStream
from stilts.models.transfer import check_match
from stilts.seeds import derive_seed
from stilts.tasks.adapter import AdapterConfig

# Dropout sites of adapters, behind those of encoders and heads; each adapter of a stack has as many.
_ADAPTER_SITE, _SITES = 20_000, 10_000


class AdapterDropout(CountedDropout):
    """An adapter's dropout; within ``for_all_rows`` it thins what all rows have in common."""

    is_shared = False

    def _thinned(self, x: torch.Tensor) -> torch.Tensor:
        if not self.is_shared:
            return super()._thinned(x)
        return self._stream.thinned_alike(x, self.site, self.p)


@contextmanager
def for_all_rows(module: nn.Module) -> Iterator[None]:
    """What goes through a module's adapters meanwhile, (1, places, channels), belongs to all rows of a step."""
    dropouts = [each for each in module.modules() if isinstance(each, AdapterDropout)]
    for each in dropouts:
        each.is_shared = True
    try:
        yield
    finally:
        for each in dropouts:
            each.is_shared = False


def add_adapter(encoder: nn.Module, config: AdapterConfig, stream: DropoutStream, depth: int) -> None:
    """Gives linear layers of an encoder low-rank matrices beside them; ``depth`` counts those that are there before.

    All adapters are applied, the weights of none but the new one have gradients, and nothing else of the encoder.
    InputError where one of the adapter's modules names no linear layer.
    """
    linear = _linear(encoder)
    if unknown := config.unknown(linear):
        raise InputError(
            f"adapter at {unknown[0]}",
            "it ends the name of no linear layer of the encoder",
            "An adapter stands at linear layers",
            f"Set adapter.modules to some of these: {', '.join(sorted({one.rpartition('.')[2] for one in linear}))}",
        )
    from peft import LoraConfig, inject_adapter_in_model
    from peft.tuners.lora import LoraLayer

    modules = [module for module in linear if config.adapts(module)]
    lora = LoraConfig(r=config.rank, lora_alpha=config.alpha, target_modules=modules, lora_dropout=0.0, bias="none")  # type: ignore[arg-type]
    # Its own draws are replaced: they would follow the version of peft. A second adapter is meant, and no mistake.
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Already found a `peft_config`")
        inject_adapter_in_model(lora, encoder, _name(depth))
    first = _ADAPTER_SITE + _SITES * depth
    for number, module in enumerate(modules):
        layer: Any = encoder.get_submodule(module)
        assert isinstance(layer, LoraLayer)
        layer.lora_dropout[_name(depth)] = AdapterDropout(stream, first + number, config.dropout)
    for each in encoder.modules():  # peft has turned off those of before, also where the new one does not stand
        if isinstance(each, LoraLayer):
            each.set_adapter(list(each.lora_A))
    own = {id(parameter) for parameter in _parameters(encoder, depth).values()}
    for parameter in encoder.parameters():
        parameter.requires_grad_(id(parameter) in own)


def initialise(encoder: nn.Module, depth: int, seed: int) -> None:
    """Draws an adapter's A from ``seed`` and each layer's name, uniformly within 1 / sqrt(inputs); B is 0.

    That is what peft and LoRA's own code do, whose draws depend on the order of layers.
    """
    for name, parameter in _parameters(encoder, depth).items():
        with torch.no_grad():
            if f".{B}." in name:
                parameter.zero_()
                continue
            generator = torch.Generator().manual_seed(derive_seed("adapter", name, seed))
            bound = parameter.shape[1] ** -0.5
            drawn = torch.empty(parameter.shape).uniform_(-bound, bound, generator=generator)
            parameter.copy_(drawn)


def load_adapter(encoder: nn.Module, depth: int, tensors: Mapping[str, torch.Tensor], *, what: str) -> int:
    """Puts an adapter's tensors in; returns how many. TransferError unless names and shapes match both ways."""
    own = _parameters(encoder, depth)
    check_match(tensors, {name: tuple(parameter.shape) for name, parameter in own.items()}, what=what)
    with torch.no_grad():
        for name, parameter in own.items():
            parameter.copy_(tensors[name])
    return len(own)


def adapter_tensors(encoder: nn.Module, depth: int) -> dict[str, torch.Tensor]:
    """An adapter's tensors by the names that artifacts have them under: ``<module>.lora_A.weight`` and ``lora_B``."""
    return {name: parameter.detach() for name, parameter in _parameters(encoder, depth).items()}


def _parameters(encoder: nn.Module, depth: int) -> dict[str, nn.Parameter]:
    ends = {f".{part}.{_name(depth)}.weight": f".{part}.weight" for part in (A, B)}
    return {
        name.removesuffix(end) + short: parameter
        for name, parameter in encoder.named_parameters()
        for end, short in ends.items()
        if name.endswith(end)
    }


def _linear(encoder: nn.Module) -> list[str]:
    """The linear layers by name, whatever adapters stand beside them."""
    found = [name for name, module in encoder.named_modules() if isinstance(module, nn.Linear)]
    plain = (name.removesuffix(".base_layer") for name in found if f".{A}." not in name and f".{B}." not in name)
    return list(dict.fromkeys(plain))


def _name(depth: int) -> str:
    return f"adapter{depth}"
