"""What plan and validate say of stages that train an adapter: how many weights that is, and its bytes on disk."""

from __future__ import annotations

from collections.abc import Iterator

from stilts.study.plan import Plan
from stilts.study.stage import TrainStage
from stilts.study.trained import adapter_bytes, trained_weights


def adapter_notes(plan: Plan) -> Iterator[str]:
    """A line for each task and adapter of the plan."""
    yield from dict.fromkeys(
        line for stage in plan.stages.values() if isinstance(stage, TrainStage) and (line := _line(stage))
    )


def _line(stage: TrainStage) -> str:
    adapter, shape = stage.config.adapter, stage.encoder.shape
    if adapter is None or shape is None:
        return ""
    weights, size = trained_weights(stage), adapter_bytes(stage)
    if weights is None or size is None:
        where = f"an adapter of rank {adapter.rank} at {', '.join(adapter.modules)}"
        return f"{stage.name}: {where}; how many weights that is, only the built encoder tells."
    return (
        f"{stage.name}: an adapter of rank {adapter.rank} at {', '.join(adapter.modules)} trains {weights:,} weights, "
        f"{weights / shape.weights:.2%} of the encoder's; its artifact has about {size / 2**20:.1f} MiB "
        f"({size / (4 * shape.weights):.2%}), heads included."
    )
