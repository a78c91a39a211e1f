"""How fast a stage is expected to run where nothing like it was measured: assumed rates, by device and precision.

Matrix products and the optimizer are told apart: a step of AdamW moves every weight through memory, however few
tokens the step has.
"""

from __future__ import annotations

from dataclasses import dataclass

from stilts.fingerprint import digest
from stilts.study.config import Precision
from stilts.study.memory import fills_a_card
from stilts.study.slots import Resources
from stilts.study.stage import EstimateStage, EvaluateStage, MergeStage, Stage, StageKind, TrainStage
from stilts.study.trained import trained_weights
from stilts.study.workload import LengthsOf, assumed_lengths, workload

# AdamW reads weight, gradient and two moments and writes all but the gradient; clipping reads the gradient: fp32.
_BYTES_PER_STEP = 32.0
# Reading, tokenizing, loading and publishing: what a stage takes beside its steps, in seconds. Measured, on small data,
# in a process that has run a stage before; the first one loads its libraries for some five seconds more.
_AROUND_S = {StageKind.TRAIN: 3.0, StageKind.EVALUATE: 0.6, StageKind.ESTIMATE: 3.0}
# Bytes of weights that a merge reads, adds and writes in a second: assumed, a plain disk's.
_DISK = 2e8


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Useful floating-point operations and bytes moved per second, and what the figures rest on."""

    flops: float
    bytes: float
    source: str


# One core of a server CPU with AVX-512: training loops of 6, 46 and 134 million weights did 63 to 87 (fp32) and 114 to
# 166 GFLOP/s (bf16 by its BF16 instructions), forward and backward, on an AMD EPYC (benchmarks/RESULTS.md).
_CPU = {
    Precision.FP32: Rate(flops=72e9, bytes=8e9, source="72 GFLOP/s a core"),
    Precision.TF32: Rate(flops=72e9, bytes=8e9, source="72 GFLOP/s a core"),
    Precision.BF16: Rate(flops=140e9, bytes=8e9, source="140 GFLOP/s a core"),
}
# One data-centre GPU (A100 by its data sheet: 312 TFLOP/s in bf16, 156 in TF32, 19.5 in fp32, 1.6 TB/s) at 40 %
# utilisation. Assumed: no GPU was at hand to measure on.
_GPU = {
    Precision.FP32: Rate(flops=7.8e12, bytes=1.3e12, source="40 % of an A100's 19.5 TFLOP/s (fp32)"),
    Precision.TF32: Rate(flops=6.2e13, bytes=1.3e12, source="40 % of an A100's 156 TFLOP/s (TF32)"),
    Precision.BF16: Rate(flops=1.25e14, bytes=1.3e12, source="40 % of an A100's 312 TFLOP/s (bf16)"),
}


def assumed_rate(precision: Precision, gpus: float) -> Rate:
    """The rate of one CPU core, or of one GPU where a stage holds any."""
    return (_GPU if gpus > 0 else _CPU)[precision]


def rates_digest() -> str:
    """Names what is assumed here: figures that were set against it mean nothing once it changes."""
    rates = [(rate.flops, rate.bytes) for rates in (_CPU, _GPU) for rate in rates.values()]
    return digest([[list(one) for one in rates], _BYTES_PER_STEP, list(_AROUND_S.values())])


def precision_of(stage: Stage) -> Precision:
    """The precision of a stage's products; an estimate has fp32."""
    if isinstance(stage, TrainStage):
        return stage.config.precision
    return stage.precision if isinstance(stage, EvaluateStage) else Precision.FP32


def assumed_seconds(
    stage: Stage,
    held: Resources,
    *,
    gradient_checkpointing: bool = False,
    lengths: LengthsOf = assumed_lengths,
) -> float:
    """A stage's seconds by arithmetic alone, on the cores or GPUs that it holds."""
    weights = stage.encoder.shape.weights if stage.encoder.shape is not None else 0
    if isinstance(stage, MergeStage):  # the start and each recipe are read, the sum is written
        return _AROUND_S[stage.kind] + (len(stage.merged) + 2) * 4 * weights / _DISK
    cpus, gpus = held.cpus, held.gpus
    work = workload(stage, lengths, gradient_checkpointing=gradient_checkpointing)
    rate = assumed_rate(precision_of(stage), gpus)
    working = min(gpus, 1.0) if isinstance(stage, EstimateStage) else gpus  # an estimate works on one of its GPUs
    devices = working if gpus > 0 else max(cpus, 1.0)
    trained = (trained_weights(stage) or 0) if isinstance(stage, TrainStage) else 0
    moved = work.steps * _BYTES_PER_STEP * trained
    sharing = max(1.0, gpus) if fills_a_card(weights, trained) else 1.0  # else each GPU updates all weights
    return _AROUND_S[stage.kind] + work.flops / (rate.flops * devices) + moved / (rate.bytes * sharing)
