"""How many weights a train stage moves, and how large what it publishes is: all, or an adapter and heads."""

from __future__ import annotations

from stilts.study.stage import TrainStage

_BYTES = 4  # of a weight: all are stored in fp32
# adapter.json, and the headers of the files: a name and a shape of some 150 bytes for each tensor.
_SETTINGS, _HEADER = 1000, 150


def trained_weights(stage: TrainStage) -> int | None:
    """The weights of the encoder, or of its adapter, that training moves; heads are not counted. None: not known."""
    adapter, linear = stage.config.adapter, stage.encoder.adapter_sites.linear
    if adapter is not None:
        return None if linear is None else adapter.num_weights(linear)
    return stage.encoder.shape.weights if stage.encoder.shape is not None else None


def adapter_bytes(stage: TrainStage) -> int | None:
    """Bytes of an adapter's artifact, at most one square matrix a head, as sentence heads have; None without one.

    None, too, where the encoder's layers are not known before it is built.
    """
    adapter, shape, linear = stage.config.adapter, stage.encoder.shape, stage.encoder.adapter_sites.linear
    if adapter is None or shape is None or linear is None:
        return None
    tensors = 2 * sum(map(adapter.adapts, linear))
    heads = shape.width**2 * len({part.task.learner for part in stage.mixture})
    if any(part.task.kind.self_supervised for part in stage.mixture):
        heads += shape.vocabulary
    return _BYTES * (adapter.num_weights(linear) + heads) + _HEADER * tensors + _SETTINGS
