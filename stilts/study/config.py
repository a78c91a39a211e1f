"""TrainConfig and TaskConfig: what of a stage's training bears on the weights beyond rounding.

Everything here is identity; what changes rounding only (device, threads, micro-batch, paths) is
``stilts.training.run_config.RunConfig``. They live on this floor, below torch, because a plan must name stages
without importing it (docs/decisions.md, 3).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import Literal, TypeAlias, TypedDict

from stilts.errors import InputError
from stilts.fingerprint import Json, plain
from stilts.tasks.adapter import AdapterConfig
from stilts.tasks.kind import TaskKind

# How the hidden states of a text become its vector: their mean, the first, the last, or the highest of each.
Pooling: TypeAlias = Literal["mean", "cls", "max", "last"]
# Which side of translations asks for its nearest on the other.
Direction: TypeAlias = Literal["from_english", "to_english"]
# What neighbours are ranked by: the cosine itself, or that less, or over, the cosines of those around.
Margin: TypeAlias = Literal["absolute", "distance", "ratio"]


class Precision(StrEnum):
    """The type of matrix products; weights, optimizer and losses stay in fp32.

    ``TF32`` rounds what goes into them to 10 bits, as GPUs can: 8192 times as coarse as fp32, so it is identity too.
    """

    FP32 = "fp32"
    TF32 = "tf32"
    BF16 = "bf16"


class Keep(StrEnum):
    """Which checkpoint a train stage publishes.

    ``LAST`` is the one after the last step; ``BEST`` the evaluated step with the highest mean selection
    score over the tasks of the mixture (each task the mean of its languages), the earliest among equals.
    """

    LAST = "last"
    BEST = "best"


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How a stage is optimised: AdamW, linear warm-up and linear decay to zero, gradient clipping.

    ``dropout`` and ``attention_dropout`` are probabilities; None takes the encoder's own. ``evaluate_every`` counts
    steps between evaluations on ``select``; 0 evaluates never, which needs ``keep: last``. With an ``adapter`` it and
    the heads are trained, and nothing else of the encoder.
    Defaults are jiant's, the authors' release of Phang et al. 2020 (DESIGN section 7).
    """

    steps: int
    learning_rate: float = 1e-5
    warmup_frac: float = 0.1
    weight_decay: float = 0.0
    adam_beta1: float = 0.9
    adam_beta2: float = 0.999
    adam_epsilon: float = 1e-8
    clip_norm: float = 1.0
    dropout: float | None = None
    attention_dropout: float | None = None
    precision: Precision = Precision.FP32
    keep: Keep = Keep.LAST
    evaluate_every: int = 0
    adapter: AdapterConfig | None = None

    def __post_init__(self) -> None:
        if self.keep is Keep.BEST and self.evaluate_every == 0:
            raise InputError(
                'train setting "keep: best"',
                "evaluate_every is 0, so no step is ever evaluated",
                "The best checkpoint is chosen among evaluated steps",
                'Set evaluate_every to a number of steps, or "keep: last"',
            )

    def payload(self) -> dict[str, Json]:
        """Identity fields as plain JSON."""
        return self._payload

    @cached_property
    def _payload(self) -> dict[str, Json]:
        names = (each.name for each in fields(self) if each.name != "adapter")
        payload = {name: plain(getattr(self, name), name) for name in names}
        return payload if self.adapter is None else {**payload, "adapter": self.adapter.payload()}


class Lengths(TypedDict):
    """Lengths in tokens; the last two retrieval's own, None where they are ``max_length``."""

    max_length: int
    doc_stride: int
    query_length: int | None
    candidate_length: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskConfig:
    """How one task's examples enter the model.

    ``batch_size`` is the global batch in examples; ``max_length`` and ``doc_stride`` count tokens (the stride is
    the overlap of neighbouring windows in span QA); ``layer`` is the hidden state pooled for
    retrieval, 0 the embedding layer; ``temperature`` divides the cosine in the in-batch softmax of a dual encoder.
    Of retrieval alone are the last five. ``query_length`` and ``candidate_length`` count tokens, None: ``max_length``.
    Translations are asked for from English, as XTREME's Tatoeba does, or ``to_english``. ``margin`` (Artetxe and
    Schwenk 2019) None: the task's own, none for nearest neighbours and ``ratio`` for mining.
    """

    batch_size: int = 32
    max_length: int = 256
    doc_stride: int = 128
    max_answer_tokens: int = 30
    mask_frac: float = 0.15
    layer: int = 0
    temperature: float = 0.05
    pooling: Pooling = "mean"
    direction: Direction = "from_english"
    margin: Margin | None = None
    query_length: int | None = None
    candidate_length: int | None = None

    @property
    def lengths(self) -> Lengths:
        """What an encoder of examples is told of lengths, in tokens."""
        return {
            "max_length": self.max_length,
            "doc_stride": self.doc_stride,
            "query_length": self.query_length,
            "candidate_length": self.candidate_length,
        }

    @lru_cache  # noqa: B019 - a study has few configurations, and a plan asks for them by the thousand
    def training_payload(self, kind: TaskKind) -> dict[str, Json]:
        """The fields that bear on the weights of a task of this kind, as plain JSON."""
        return self._payload(("batch_size", "max_length", *kind.settings.training), kind.settings.later_training)

    @lru_cache  # noqa: B019 - as above
    def scoring_payload(self, kind: TaskKind) -> dict[str, Json]:
        """The fields that bear on the scores of a task of this kind, as plain JSON."""
        return self._payload(("max_length", *kind.settings.scoring), kind.settings.later_scoring)

    def _payload(self, names: tuple[str, ...], later: tuple[str, ...]) -> dict[str, Json]:
        told = [name for name in later if getattr(self, name) != getattr(_USUAL, name)]
        return {name: plain(getattr(self, name), name) for name in (*names, *told)}


# What a payload leaves out of the fields that came later.
_USUAL = TaskConfig()
