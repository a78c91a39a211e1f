"""RunConfig: how a stage is executed. Changes rounding at most, so it is recorded beside results, never hashed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from stilts.study.eval_tokens import usual_eval_tokens
from stilts.study.slots import Resources


class Sharding(StrEnum):
    """What the ranks of a stage share: nothing but gradients (``ALL_REDUCE``), or weights and moments too (``FSDP``).

    ``AUTO`` goes by the size of the model (``sharding.py``).
    """

    AUTO = "auto"
    ALL_REDUCE = "all_reduce"
    FSDP = "fsdp"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """Execution settings of one process that runs stages.

    ``roots`` maps the named roots of data views and encoders to folders on this machine. ``threads`` counts torch's
    intra-op threads of a stage (None leaves torch's own), which its ranks share; ``micro_batch`` is how many rows
    (sequences) go through the model of a rank at once, None the whole batch; ``eval_tokens`` caps padded tokens of an
    evaluation batch, None takes the device's (``tokens_at_once``). ``cache_dir`` keeps tokenized data, ``~`` being the
    home on the machine that runs; None tokenizes in memory. ``scratch_dir`` holds what is being written; None takes the
    system's. ``checkpoint_every_s`` is the least time between checkpoints in seconds: they take at most 3 % of the
    time, but with 0 each step has its own.
    ``gradient_checkpointing``: layers are computed again in the backward pass, which keeps their inputs only.
    ``gpu_frac`` is the part of a GPU's memory that the process may take, 1 where it has it alone.

    ``ranks`` is how many processes train or evaluate one stage together, on ``cuda:0`` and the next ones where
    ``device`` is cuda; ``sharding`` is what they share. ``held`` is what a stage holds of the cluster, and ``job`` the
    submission id of the Ray job that it runs for: both to be recorded.
    """

    device: str = "cpu"
    threads: int | None = None
    micro_batch: int | None = None
    eval_tokens: int | None = None
    gradient_checkpointing: bool = False
    deterministic: bool = True
    roots: Mapping[str, str] = field(default_factory=dict)
    cache_dir: str | None = None
    scratch_dir: str | None = None
    checkpoint_every_s: float = 30.0
    ranks: int = 1
    sharding: Sharding = Sharding.AUTO
    gpu_frac: float = 1.0
    held: Resources | None = None
    job: str | None = None

    @property
    def tokens_at_once(self) -> int:
        """Padded tokens of an evaluation batch: what a CPU's caches hold (measured), or enough for a GPU."""
        return self.eval_tokens or usual_eval_tokens(on_cpu=self.device == "cpu")
