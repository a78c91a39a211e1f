"""One sentence on a profile: what takes most of the stage, and what to try."""

from __future__ import annotations

from stilts.execute.profiling import IN_EVALUATIONS, Profile
from stilts.study.config import Precision
from stilts.study.stage import EvaluateStage, TrainStage
from stilts.training.clock import StagePhase

# From here on padding is worth a word.
_MUCH_PADDING = 0.3
# Fewer tokens in a step leave most of a GPU without work.
_FEW_TOKENS = 4096
_START = "start"


def limit_of(profile: Profile, stage: TrainStage | EvaluateStage) -> str:
    """What limits the stage as a whole, and what to try."""
    parts = {
        _START: (profile.weights_s, profile.data_s),
        "data": (profile.expected(StagePhase.DATA),),
        "model": (profile.expected(StagePhase.FORWARD), profile.expected(StagePhase.BACKWARD)),
        "optimizer": (profile.expected(StagePhase.OPTIMIZER),),
        "evaluation": tuple(map(profile.expected, IN_EVALUATIONS)),
        "checkpoint": (profile.expected(StagePhase.CHECKPOINT),),
        "idle": (profile.expected(StagePhase.IDLE),),
    }
    seconds = {name: sum(each) for name, each in parts.items()}
    most = max(seconds, key=lambda name: seconds[name])
    share = seconds[most] / max(sum(seconds.values()), 1e-9)
    if most == "evaluation":
        return _evaluating(profile, stage, share)
    said = {
        _START: "Loading weights and reading and encoding data take {}: the stage is short, so give it more steps, or "
        "run it again to see how much the store's cache of tokenized data saves",
        "data": "Making batches takes {}: {}",
        "model": "The model's passes take {}: {}",
        "optimizer": "The optimizer takes {}, which goes by the number of weights and not of tokens: try a larger "
        "batch_size with fewer steps, or an adapter",
        "checkpoint": "Checkpoints take {}: try a longer --checkpoint-every, or a faster disk for temporary files",
        "idle": "What is none of these takes {}: the host is the limit, so see what else runs on it, and give stages "
        "more CPUs (resources.cpus) or more rows at once",
    }
    way = _data_way(profile) if most == "data" else _model_way(profile)
    return said[most].format(f"{share:.0%} of the stage", way) + "."


def _data_way(profile: Profile) -> str:
    if profile.device.startswith("cuda"):
        return "the GPU waits for the host, so give the stage more CPUs (resources.cpus), or rows a shorter max_length"
    return "try a shorter max_length, or another precision for what is left"


def _model_way(profile: Profile) -> str:
    if profile.padding > _MUCH_PADDING:
        return (
            f"{profile.padding:.0%} of its tokens are padding, so try a smaller batch_size, whose rows are more alike"
        )
    if profile.precision is Precision.FP32:
        return "try precision: bf16, and attention_dropout: 0.0"
    on_gpu = profile.device.startswith("cuda")
    if on_gpu and profile.steps and profile.tokens / profile.steps < _FEW_TOKENS:
        return (
            "a step has few tokens for a GPU, so let stages share it (resources.gpus below 1), or take larger batches"
        )
    if on_gpu:
        return "that is what a stage is for; more GPUs (resources.gpus) make it shorter"
    return "that is what a stage is for; a GPU, more CPUs for it, or fewer steps make it shorter"


def _evaluating(profile: Profile, stage: TrainStage | EvaluateStage, share: float) -> str:
    most = max(IN_EVALUATIONS, key=profile.expected)
    told = f"Evaluating takes {share:.0%} of the stage, most of it to {most.value.partition(': ')[2]}: "
    if isinstance(stage, TrainStage):
        return f"{told}try a larger evaluate_every, or limits.select."
    if most is StagePhase.PREDICT:
        way = "bf16" if profile.precision is Precision.FP32 else "a GPU" if profile.device == "cpu" else "more GPUs"
        return f"{told}try {way}, or limits.report."
    if most is StagePhase.ENCODE:
        return f"{told}what is tokenized is kept in the store's cache, so the next stage on these data is quicker."
    return f"{told}that is the metric's work on the host, which limits.report makes less."
