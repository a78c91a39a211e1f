"""FSDP2: weights, gradients and moments cut into rows, a part on each rank, gathered layer by layer as they are used.

What is written is whole: checkpoints and artifacts are those of one process, and any number of ranks reads them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import nn

from stilts.models.model import StiltsModel
from stilts.models.shards import is_shard
from stilts.study.memory import fills_a_card
from stilts.training.run_config import RunConfig, Sharding

# The methods by which a model is used; FSDP2 gathers the root's weights (embeddings, heads) around them.
_FORWARD = ("hidden", "hidden_at", "masked_logits")


def is_sharded(model: nn.Module, run: RunConfig) -> bool:
    """Whether the ranks of a stage share this model's weights."""
    if run.ranks == 1 or run.sharding is not Sharding.AUTO:
        return run.ranks > 1 and run.sharding is Sharding.FSDP
    weights = sum(parameter.numel() for parameter in model.parameters())
    trained = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    return fills_a_card(weights, trained)


def shard(model: StiltsModel, device: torch.device, ranks: int) -> None:
    """Leaves on each rank its rows of every weight, on the device; gradients are summed, not averaged.

    Weights are frozen or trained as they were. What several layers use stays whole between a forward pass and its
    backward pass: embeddings and heads.
    """
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import FSDPModule, fully_shard, register_fsdp_forward_method

    mesh = init_device_mesh(device.type, (ranks,))
    for layer in _layers(model.encoder):
        fully_shard(layer, mesh=mesh)
    fully_shard(model, mesh=mesh)
    for module in model.modules():
        if isinstance(module, FSDPModule):
            module.set_gradient_divide_factor(1.0)
            module.set_force_sum_reduction_for_comms(True)  # gloo has no other
    for name in _FORWARD:
        register_fsdp_forward_method(model, name)


def _layers(encoder: nn.Module) -> list[nn.Module]:
    """The encoder's layers: of its lists of modules the one with the most weights."""
    lists = [list(module) for module in encoder.modules() if isinstance(module, nn.ModuleList)]
    return max(lists, key=lambda layers: sum(one.numel() for layer in layers for one in layer.parameters()))


def release(model: nn.Module) -> None:
    """Lets go of weights that a forward pass without a backward pass left gathered."""
    reshard = getattr(model, "reshard", None)  # what FSDP2 gives a module that it shards
    if reshard is not None:
        reshard()


def gathered(tensors: Mapping[str, torch.Tensor]) -> Iterator[tuple[str, torch.Tensor]]:
    """The tensors by name, whole and on the CPU, one at a time; a collective of all ranks, in one order."""
    for name, tensor in tensors.items():
        yield name, _whole(tensor).detach().cpu().contiguous()


def like(tensor: torch.Tensor, parameter: torch.Tensor) -> torch.Tensor:
    """A whole tensor laid out as a parameter is: the rank's rows of it, where that is sharded. No communication."""
    from torch.distributed.tensor import DTensor, distribute_tensor

    on_device = tensor.to(parameter.device)
    if isinstance(parameter, DTensor) and tensor.shape == parameter.shape:
        return distribute_tensor(on_device, parameter.device_mesh, parameter.placements, src_data_rank=None)
    return on_device


def _whole(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.full_tensor() if is_shard(tensor) else tensor  # type: ignore[attr-defined]
