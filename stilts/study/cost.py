"""What a plan will cost: stages, hours, disk, price. Given what is done and what its like took, as values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass

from stilts.study.plan import Plan
from stilts.study.slots import Resources
from stilts.study.stage import Stage, TrainStage


@dataclass(frozen=True, slots=True, kw_only=True)
class StillToCome:
    """What a searched row adds to its plan later: recipes not drawn yet, and those to be confirmed.

    Each of ``proposals`` is trained under ``seeds`` seeds at first. ``confirming`` maps columns to the replicates that
    confirm a recipe there ({}: nothing is left to confirm): of ``recipes`` recipes each on all of them, or with
    ``per_column`` of one recipe per column.
    """

    row: str
    proposals: int
    seeds: int
    confirming: Mapping[str, int]
    recipes: int = 1
    per_column: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Counts of stages by kind, and what running the rest takes.

    ``seconds`` sums the stages to run, one after the other; ``hours`` divides it by ``concurrent``, and is at least the
    longest chain of stages that wait for one another. Stages of several classes run one class after the other, each as
    many at once as it can. ``measured_frac`` is the share of those seconds that rests on measured stages rather than on
    assumptions; ``stale`` counts stages that the store has under an earlier SEMANTIC_VERSION only, ``given_up`` those
    that were pruned with all that would start from them. ``later`` counts the stages that ``open_proposals`` recipes
    still to be drawn, and ``open_confirmations`` replicates that confirm chosen ones, add at most: columns may choose
    the same recipe. ``price`` is None without a price. ``basis`` says at which rates it was assumed. ``notes`` are what
    a reader should know of rows.
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
    open_confirmations: int
    later: int
    seconds: float
    hours: float
    measured_frac: float
    disk_bytes: int
    gpu_hours: float
    price: float | None
    basis: str = ""
    notes: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """The stages that a run counts to: those planned, and those that searches will add."""
        return self.stages + self.later


def estimate(
    plan: Plan,
    done: Set[str],
    gone: Set[str],
    *,
    pruned: Set[str] = frozenset(),
    measured: Callable[[Stage], float | None],
    assumed: Callable[[Stage], float],
    held: Callable[[Stage], Resources],
    concurrent: Callable[[Resources], int],
    gpu_hour_price: float | None,
    artifact_bytes: Callable[[TrainStage], int],
    coming: Sequence[Stage] = (),
    open_proposals: int = 0,
    open_confirmations: int = 0,
) -> Cost:
    """The cost of finishing a plan.

    ``pruned`` are stages that a pruning policy stopped. ``measured`` gives a stage's expected seconds from its like,
    None where nothing alike was measured, and ``assumed`` those by arithmetic; ``held`` is what it holds, of which so
    many run at once as ``concurrent`` says. ``artifact_bytes`` is the size of what a train stage publishes. ``coming``
    are the stages that ``open_proposals`` and ``open_confirmations`` will add.
    """
    given_up = {stage_id for stage_id in plan.with_below(pruned) if not plan.is_done(stage_id, done)}
    needed = plan.needed(done, gone, given_up)
    known = {stage_id: measured(plan.stages[stage_id]) for stage_id in needed}
    seconds = {i: s if s is not None else assumed(plan.stages[i]) for i, s in known.items()}
    later = [(measured(stage), assumed(stage)) for stage in coming]
    later_s = [guess if found is None else found for found, guess in later]
    total = sum(seconds.values()) + sum(later_s)
    sure = sum(seconds[stage_id] for stage_id, found in known.items() if found is not None)
    sure += sum(found for found, _ in later if found is not None)
    kinds = [plan.stages[stage_id].kind.value for stage_id in plan.stages]
    by_class: dict[Resources, float] = {}
    for stage, took in [*((plan.stages[i], s) for i, s in seconds.items()), *zip(coming, later_s, strict=True)]:
        by_class[held(stage)] = by_class.get(held(stage), 0.0) + took
    gpu_hours = sum(took * one.gpus for one, took in by_class.items()) / 3600
    busy_s = sum(took / max(1, concurrent(one)) for one, took in by_class.items())
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
        open_proposals=open_proposals,
        open_confirmations=open_confirmations,
        later=len(coming),
        seconds=total,
        # Stages that wait for one another: no number of machines makes it less.
        hours=max([busy_s, *plan.seconds_to_end(seconds).values()]) / 3600,
        measured_frac=sure / total if total else 1.0,
        disk_bytes=sum(artifact_bytes(one) for i in needed if isinstance(one := plan.stages[i], TrainStage)),
        gpu_hours=gpu_hours,
        price=None if gpu_hour_price is None else gpu_hours * gpu_hour_price,
    )


def like_stages(still: StillToCome, plan: Plan) -> list[tuple[Stage, float]]:
    """Stages that are like those that a row will add, each with how many of them there will be, on average."""
    drawn = _recipes(plan, still.row)
    if still.per_column:
        trainings = float(sum(still.confirming.values()))
    else:
        trainings = float(still.recipes * max(still.confirming.values(), default=0))
    found: list[tuple[Stage, float]] = []
    for recipe, cells in drawn:
        share = 1.0 / len(drawn)
        searched = float(still.proposals * still.seeds)
        found += [(plan.stages[one], share * (searched + trainings)) for one in recipe]
        for column, stages in cells.items():
            times = searched + still.recipes * still.confirming.get(column, 0)
            found += [(plan.stages[one], share * times) for one in stages]
    return [(stage, count) for stage, count in found if count]


def _recipes(plan: Plan, row: str) -> list[tuple[list[str], dict[str, list[str]]]]:
    """Of each recipe of a row under each seed its own stage, and by column those that follow."""
    found: dict[tuple[int | None, int | None], tuple[list[str], dict[str, list[str]]]] = {}
    for one in plan.replicates:
        if one.row == row:
            recipe, cells = found.setdefault((one.proposal, one.intermediate_seed), ([], {}))
            recipe[:] = [one.intermediate_stage] if one.intermediate_stage is not None else []
            cells.setdefault(one.column, [*plan.record.target_stages(one), *one.scoring_stages])
    return list(found.values())
