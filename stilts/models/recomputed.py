"""Gradient checkpointing: a layer keeps what it is given, and the backward pass computes the rest of it once more.

Chen et al. 2016, arXiv 1604.06174. Counted dropout drops in the second pass what it did in the first, so that gradients
are the same bits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from torch import is_grad_enabled, nn
from torch.utils.checkpoint import checkpoint

from stilts.models.dropout import DropoutStream
from stilts.models.model import StiltsModel


def recompute_layers(model: StiltsModel) -> None:
    """Has every layer of the encoder computed again in the backward pass of a training; to be said once, and first.

    Only a layer's own computation is repeated, not what hooks do around it: FSDP2 gathers its weights once a pass.
    """
    for layer in cast(nn.ModuleList, model.encoder.get_submodule(model.architecture.layers)):
        layer.forward = _recomputed(layer, layer.forward, model.stream)


def _recomputed(layer: nn.Module, forward: Callable[..., Any], stream: DropoutStream) -> Callable[..., Any]:
    def recomputed(*given: Any, **named: Any) -> Any:
        if not (layer.training and is_grad_enabled()):
            return forward(*given, **named)
        keys = stream.keys, stream.shared

        def as_at_first(*given: Any, **named: Any) -> Any:
            before = stream.keys, stream.shared
            stream.keys, stream.shared = keys
            try:
                return forward(*given, **named)
            finally:
                stream.keys, stream.shared = before

        # Nothing in a layer draws from torch's generators.
        return checkpoint(as_at_first, *given, use_reentrant=False, preserve_rng_state=False, **named)

    return recomputed
