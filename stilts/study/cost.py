"""What a plan will cost: stages, hours, disk, price. Given what is done and what its like took, as values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from statistics import fmean

from stilts.study.plan import Plan
from stilts.study.stage import MODEL_FREE, EstimateStage, Stage, TrainStage

# Assumed until the store has measured stages of its own: useful floating-point operations per second of one CPU core
# and of one data-centre GPU in bf16 at a common 40 % of its peak (A100: 312 TFLOP/s by its data sheet).
_CPU_FLOPS, _GPU_FLOPS = 2e10, 1.2e14
# Forward and backward, two operations per multiply-add (Kaplan et al. 2020, arXiv 2001.08361, section 2.1).
_FLOPS_PER_WEIGHT = 6.0
# How full an average sequence is of ``max_length``: batches are bucketed by length. Assumed.
_FILL_FRAC = 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Counts of stages by kind, and what running the rest takes.

    ``seconds`` sums the stages to run, one after the other; ``hours`` divides it by ``concurrent``. ``measured_frac``
    is the share of those seconds that rests on measured stages rather than on assumptions; ``stale`` counts stages
    that the store has under an earlier SEMANTIC_VERSION only, ``given_up`` those that were pruned with all that would
    start from them. ``price`` is None without a price.
    """

    stages: int
    train: int
    evaluate: int
    estimate: int
    shared: int
    done: int
    given_up: int
    stale: int
    to_run: int
    train_to_run: int
    open_proposals: int
    seconds: float
    hours: float
    measured_frac: float
    disk_bytes: int
    gpu_hours: float
    price: float | None


def estimate(
    plan: Plan,
    done: Set[str],
    gone: Set[str],
    *,
    pruned: Set[str] = frozenset(),
    measured: Callable[[Stage], float | None],
    gpus: float,
    concurrent: int,
    gpu_hour_price: float | None,
    artifact_bytes: int,
    open_proposals: Mapping[str, int],
    open_seeds: Mapping[str, int] | None = None,
) -> Cost:
    """The cost of finishing a plan.

    ``pruned`` are stages that a pruning policy stopped. ``measured`` gives a stage's expected seconds from its like,
    None where nothing alike was measured; ``artifact_bytes`` is the size of one train stage's weights;
    ``open_proposals`` counts, by searched row, recipes not drawn yet, each under ``open_seeds`` seeds at first: each is
    taken to cost what a drawn recipe of its row does, or where none is drawn the mean over the recipes of the study's
    other rows.
    """
    given_up = {stage_id for stage_id in plan.with_below(pruned) if not plan.is_done(stage_id, done)}
    needed = plan.needed(done, gone, given_up)
    known = {stage_id: measured(plan.stages[stage_id]) for stage_id in needed}
    seconds = {i: s if s is not None else assumed_seconds(plan.stages[i], gpus) for i, s in known.items()}
    to_draw = {row: count * (open_seeds or {}).get(row, 1) for row, count in open_proposals.items()}
    drawn_later = _still_to_draw(plan, to_draw, lambda stage: assumed_seconds(stage, gpus), measured)
    total = sum(seconds.values()) + drawn_later
    sure = sum(seconds[stage_id] for stage_id, found in known.items() if found is not None)
    sure += _still_to_draw(plan, to_draw, lambda stage: 0.0, measured)
    kinds = [plan.stages[stage_id].kind.value for stage_id in plan.stages]
    gpu_hours = total * gpus / 3600
    return Cost(
        stages=len(plan.stages),
        train=kinds.count("train"),
        evaluate=kinds.count("evaluate"),
        estimate=kinds.count("estimate"),
        shared=sum(count > 1 for count in plan.requested.values()),
        done=len(plan.stages) - len(needed) - len(given_up),
        given_up=len(given_up),
        stale=len(plan.stale(done)),
        to_run=len(needed),
        train_to_run=sum(isinstance(plan.stages[stage_id], TrainStage) for stage_id in needed),
        open_proposals=sum(open_proposals.values()),
        seconds=total,
        hours=total / 3600 / max(1, concurrent),
        measured_frac=sure / total if total else 1.0,
        disk_bytes=artifact_bytes * sum(isinstance(plan.stages[i], TrainStage) for i in needed),
        gpu_hours=gpu_hours,
        price=None if gpu_hour_price is None else gpu_hours * gpu_hour_price,
    )


def _still_to_draw(
    plan: Plan,
    to_draw: Mapping[str, int],
    assumed: Callable[[Stage], float],
    measured: Callable[[Stage], float | None],
) -> float:
    """Seconds that ``to_draw`` recipes of each row, each under one seed, will take, by what those in the plan take.

    ``assumed`` gives the seconds of a stage that nothing alike was ``measured`` of.
    """
    by_row: dict[str, list[float]] = {}
    for (row, _, _), stages in _recipes(plan).items():
        known = [(measured(plan.stages[i]), plan.stages[i]) for i in stages]
        by_row.setdefault(row, []).append(sum(assumed(stage) if found is None else found for found, stage in known))
    every = [seconds for found in by_row.values() for seconds in found]
    likes = {row: by_row.get(row, every) for row in to_draw}
    return sum(count * fmean(likes[row]) for row, count in to_draw.items() if likes[row])


def _recipes(plan: Plan) -> dict[tuple[str, int | None, int | None], set[str]]:
    """The stages from each recipe on, under each seed, by row, proposal and seed; what lies before it is shared."""
    found: dict[tuple[str, int | None, int | None], set[str]] = {}
    for one in plan.replicates:
        if one.intermediate_stage is not None:
            line = plan.of(one)
            of = found.setdefault((one.row, one.proposal, one.intermediate_seed), set())
            of.update(line[line.index(one.intermediate_stage) :])
    return found


def assumed_seconds(stage: Stage, gpus: float) -> float:
    """A stage's seconds by arithmetic alone: 6 x weights x tokens over an assumed speed."""
    speed = gpus * _GPU_FLOPS if gpus > 0 else _CPU_FLOPS
    weights = max(stage.encoder.num_parameters, 1)
    if isinstance(stage, TrainStage):
        tokens = sum(part.weight * part.config.batch_size * part.config.max_length for part in stage.mixture)
        return _FLOPS_PER_WEIGHT * weights * tokens * _FILL_FRAC * stage.config.steps / speed
    if isinstance(stage, EstimateStage):
        return _assumed_estimate(stage, speed, weights)
    items = sum(item.view.limit or 1000 for item in stage.items)
    return _FLOPS_PER_WEIGHT / 3 * weights * items * stage.config.max_length * _FILL_FRAC / speed


def _assumed_estimate(stage: EstimateStage, speed: float, weights: int) -> float:
    """One forward pass over the examples looked at; a second where there is no model."""
    if stage.estimate in MODEL_FREE:
        return 1.0
    tokens = sum((view.limit or 1000) * data.config.max_length for data in stage.data for view in data.views)
    return _FLOPS_PER_WEIGHT / 3 * weights * tokens * _FILL_FRAC / speed
