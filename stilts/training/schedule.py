"""The learning rate of every step: linear warm-up, then linear decay to zero."""

from __future__ import annotations

from stilts.study.config import TrainConfig


def learning_rate(config: TrainConfig, step: int) -> float:
    """The rate used by step ``step`` (counted from 0): a function of the step alone, so a resume cannot restart it.

    Rises over the first ``warmup_frac`` of the steps to ``learning_rate``, then falls linearly; the step after the last
    would have zero.
    """
    warmup = round(config.warmup_frac * config.steps)
    if step < warmup:
        return config.learning_rate * (step + 1) / warmup
    return config.learning_rate * (config.steps - step) / max(1, config.steps - warmup)
