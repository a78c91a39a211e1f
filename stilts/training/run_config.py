"""RunConfig: how a stage is executed. Changes rounding at most, so it is recorded beside results, never hashed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """Execution settings of one process that runs stages.

    ``roots`` maps the named roots of data views and encoders to folders on this machine. ``threads`` counts torch's
    intra-op threads (None leaves torch's own); ``micro_batch`` is how many rows (sequences) go through the model at
    once, None the whole batch; ``eval_tokens`` caps padded tokens of an evaluation batch. ``cache_dir`` keeps
    tokenized data; None tokenizes in memory. ``scratch_dir`` holds what is being written; None takes the system's.
    ``checkpoint_every_s`` is the time between checkpoints in seconds.
    """

    device: str = "cpu"
    threads: int | None = None
    micro_batch: int | None = None
    eval_tokens: int = 8192
    deterministic: bool = True
    roots: Mapping[str, str] = field(default_factory=dict)
    cache_dir: str | None = None
    scratch_dir: str | None = None
    checkpoint_every_s: float = 30.0
