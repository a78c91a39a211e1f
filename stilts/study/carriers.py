"""Which artifacts hold a stage's weights: one, or where an adapter was trained also those below it.

An artifact of an adapter holds the adapter alone. What it lies on is read with it, so it may not go before it.
"""

from __future__ import annotations

from collections.abc import Mapping

from stilts.study.stage import MergeStage, Stage, TrainStage
from stilts.tasks.adapter import ParentAdapter

Below = Mapping[str, tuple[str, ...]]


def rests_on(stages: Mapping[str, Stage]) -> dict[str, tuple[str, ...]]:
    """The stages without whose artifacts the weights of each are not whole, nearest first; parents stand before.

    Empty for what holds all its weights, and where nothing lies below but the pretrained encoder.
    """
    found: dict[str, tuple[str, ...]] = {}
    for stage_id, stage in stages.items():
        has_adapter = isinstance(stage, TrainStage) and stage.config.adapter is not None
        found[stage_id] = _start(stage, found) if has_adapter else ()
    return found


def reads(stages: Mapping[str, Stage], below: Below) -> dict[str, tuple[str, ...]]:
    """The stages whose artifacts each reads its first weights from, nearest first; empty: the encoder's own."""
    return {stage_id: _start(stage, below) for stage_id, stage in stages.items()}


def _start(stage: Stage, below: Below) -> tuple[str, ...]:
    if isinstance(stage, MergeStage):
        return tuple(dict.fromkeys(one for parent in stage.parents for one in (parent, *below[parent])))
    if stage.parent is None:
        return ()
    if isinstance(stage, TrainStage) and stage.parent_adapter is ParentAdapter.DROP:
        return below[stage.parent]
    return (stage.parent, *below[stage.parent])
