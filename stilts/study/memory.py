"""How much memory a stage needs at its peak, by arithmetic: to be known before a card is out of it.

The parts are exact (weights, gradients, moments) or counted (what the backward pass keeps: tests hold the coefficients
to what torch saves); what the process itself takes was measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from stilts.study.config import Keep, Precision
from stilts.study.eval_tokens import usual_eval_tokens
from stilts.study.schema import StudyResources
from stilts.study.slots import Resources
from stilts.study.stage import MODEL_FREE, EstimateStage, EvaluateStage, MergeStage, MixturePart, Stage, TrainStage
from stilts.study.trained import trained_weights
from stilts.study.workload import LengthsOf, assumed_lengths
from stilts.tasks.encoder_shape import EncoderShape

# Bytes of a weight in fp32, of its gradient, and of AdamW's two moments.
_WEIGHT, _GRADIENT, _MOMENTS = 4, 4, 8
# A process that has imported torch, transformers and a tokenizer; a CUDA context with cuBLAS's workspace.
_PROCESS, _CONTEXT = 0.62 * 2**30, 0.75 * 2**30
# What allocators hold beyond what is asked of them, as a share of activations: blocks of many lengths.
_FRAGMENTS = 0.15
# Above it the ranks of a stage share weights, gradients and moments: 40 % of an 80 GB card, which leaves the rest for
# activations. XLM-R Large holds 9 GB, XL 56, XXL 171. Below, one all-reduce a step is less than three collectives of
# each layer.
_WHOLE_BYTES = 32e9


def fills_a_card(weights: float, trained: float) -> bool:
    """Whether training holds so much for that many weights, ``trained`` among them, that several ranks share it."""
    return weights * _WEIGHT + trained * (_GRADIENT + _MOMENTS) > _WHOLE_BYTES


class Kept(NamedTuple):
    """Bytes a token of one layer keeps for the backward pass: per channel, per inner channel, per probability."""

    width: int
    inner: int
    probability: int


# A layer of BERT's shape with counted dropout, by precision of its products. Counted with saved_tensors_hooks.
KEPT = {Precision.FP32: Kept(34, 8, 9), Precision.TF32: Kept(34, 8, 9), Precision.BF16: Kept(26, 4, 7)}
# What a layer that is computed again keeps of a token: its input, per channel, in fp32 under every precision.
INPUT = 4
# What one layer needs beside while it runs: a few copies of its widest tensors, in fp32.
_PASSING = Kept(12, 8, 16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Bytes at a stage's peak on one device, by what holds them; ``total`` is their sum."""

    process: float
    weights: float
    gradients: float = 0.0
    moments: float = 0.0
    casts: float = 0.0
    activations: float = 0.0

    @property
    def total(self) -> float:
        """All of it."""
        return self.process + self.weights + self.gradients + self.moments + self.casts + self.activations


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """How a stage is executed, as far as it bears on memory.

    ``micro_batch`` rows go through a model at once (None: the batch), ``eval_tokens`` tokens in an evaluation (None:
    the usual number); ``ranks`` devices share what training holds where ``is_sharded``, or where it would fill a card;
    with ``gradient_checkpointing`` layers keep their inputs, and one at a time what it keeps else.
    """

    on_gpu: bool
    micro_batch: int | None = None
    eval_tokens: int | None = None
    ranks: int = 1
    is_sharded: bool = False
    gradient_checkpointing: bool = False


def placed(held: Resources, resources: StudyResources) -> Placed:
    """How a stage that holds so much is executed, by what its study says of all."""
    return Placed(
        on_gpu=held.gpus > 0,
        micro_batch=resources.micro_batch,
        ranks=max(1, int(held.gpus)),
        gradient_checkpointing=resources.gradient_checkpointing,
    )


def peak_memory(stage: Stage, placed: Placed, lengths: LengthsOf = assumed_lengths) -> Memory | None:
    """The peak of a stage on each of its devices, in bytes; None where no model runs, or its sizes are not known."""
    shape = stage.encoder.shape
    if shape is None or (isinstance(stage, EstimateStage) and stage.estimate in MODEL_FREE):
        return None
    process = _CONTEXT if placed.on_gpu else _PROCESS
    if isinstance(stage, MergeStage):  # a few of its largest tensors at a time
        return Memory(process=_PROCESS, weights=4 * _WEIGHT * shape.embedding_weights)
    if not isinstance(stage, TrainStage):
        return _looking(stage, shape, placed, process)
    weights = shape.weights
    moved = trained_weights(stage) or 0
    is_sharded = placed.is_sharded or (placed.ranks > 1 and fills_a_card(weights, moved))
    parts = placed.ranks if is_sharded else 1
    held, trained = weights / parts, moved / parts
    gathered = 2 * shape.layer_weights + shape.embedding_weights if is_sharded else 0
    best = trained * _WEIGHT if stage.config.keep is Keep.BEST else 0.0
    bf16 = stage.config.precision is Precision.BF16
    return Memory(
        process=process,
        weights=(held + gathered) * _WEIGHT + best,
        gradients=trained * _GRADIENT,
        moments=trained * _MOMENTS,
        casts=2.0 * (shape.layer_weights * 2 if is_sharded else shape.body_weights) if bf16 else 0.0,
        activations=(1 + _FRAGMENTS) * max(_activations(stage, part, shape, placed, lengths) for part in stage.mixture),
    )


def _activations(
    stage: TrainStage, part: MixturePart, shape: EncoderShape, placed: Placed, lengths: LengthsOf
) -> float:
    """What the backward pass of the largest micro-batch needs, bytes."""
    found = lengths(part.task, part.config, part.train)
    rows = part.config.batch_size * found.rows / found.units / placed.ranks
    if placed.micro_batch is not None:  # of each rank
        rows = min(rows, placed.micro_batch)
    layers = min(part.config.layer, shape.layers) if part.task.kind.learns_to_a_layer else shape.layers
    one = _by_token(KEPT[stage.config.precision], shape, found.longest)
    kept = layers * INPUT * shape.width + one if placed.gradient_checkpointing else layers * one
    tokens = rows * found.longest
    logits = 0.0
    if part.task.kind.self_supervised:  # logits in the product's precision and in fp32, and their gradient
        logits = part.config.mask_frac * shape.vocabulary * (10 if stage.config.precision is Precision.BF16 else 12)
    return tokens * (kept + _by_token(_PASSING, shape, found.longest) + logits)


def _looking(stage: EvaluateStage | EstimateStage, shape: EncoderShape, placed: Placed, process: float) -> Memory:
    """A forward pass without a backward one: one layer's tensors at a time."""
    config = stage.config if isinstance(stage, EvaluateStage) else stage.data[0].config
    tokens = placed.eval_tokens or usual_eval_tokens(on_cpu=not placed.on_gpu)
    passing = tokens * _by_token(_PASSING, shape, config.max_length)
    return Memory(process=process, weights=shape.weights * _WEIGHT, activations=(1 + _FRAGMENTS) * passing)


def _by_token(kept: Kept, shape: EncoderShape, row: int) -> float:
    inner = shape.inner * (2 if shape.is_gated else 1)
    return kept.width * shape.width + kept.inner * inner + kept.probability * shape.heads * row
