"""Gradient checkpointing: a layer keeps what it is given, and the backward pass computes the rest of it once more.

Chen et al. 2016, arXiv 1604.06174. Counted dropout drops in the second pass what it did in the first, so that gradients
are the same bits.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, cast

from torch import is_grad_enabled, nn
from torch.utils.checkpoint import checkpoint

from stilts.models.dropout import DropoutStream


def recompute_layers(encoder: nn.Module, layers: str, stream: DropoutStream) -> None:
    """Has every layer of ``layers`` computed again in the backward pass of a training; to be said once, and first.

    Only a layer's own computation is repeated, not what hooks do around it: FSDP2 gathers its weights once a pass.
    ``layer.recompute`` is for who computes a layer by another function than its ``forward``.
    """
    for layer in cast(nn.ModuleList, encoder.get_submodule(layers)):
        layer.recompute = partial(_recomputed, layer, stream)  # type: ignore[assignment]
        layer.forward = _recomputed(layer, stream, layer.forward)


def _recomputed(layer: nn.Module, stream: DropoutStream, forward: Callable[..., Any]) -> Callable[..., Any]:
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
