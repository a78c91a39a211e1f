"""Estimating: the stages behind a study's cheap estimates, and which artifacts make the estimate of which cell.

Every row whose recipe is not searched is estimated by its recipe of seed 0, on every column that trains. A dataset is
embedded and counted once, whatever rows and columns use it; ``estimates.py`` puts the figures together again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from stilts.study.chains import evaluation_stage, fine_tuning_stage, recipe_stage
from stilts.study.config import Keep, TrainConfig
from stilts.study.record import EstimateOutput
from stilts.study.resolved_study import ResolvedStudy
from stilts.study.resolved_target import ResolvedTarget
from stilts.study.stage import (
    LABELLED,
    Estimate,
    EstimateData,
    EstimateStage,
    EvaluateStage,
    MixturePart,
    Stage,
    TrainStage,
    Use,
)
from stilts.tasks.kind import TaskKind

# A model looks at so many training examples of a dataset, those with the smallest content hash: LogME's own curves are
# flat beyond some hundreds per class, and a forward pass over them takes seconds.
MOST_EXAMPLES = 1000
# Text overlap reads more, since it needs no model: enough that the commoner word triples are met.
MOST_TEXTS = 20_000
# A probe fine-tunes for 200 steps (issue 4), or for a tenth of the target's own where that is less: a fidelity that
# costs a fifth of the cell, or half of it, is no cheap estimate.
PROBE_STEPS, PROBE_FRAC = 200, 0.1

_NO_LABELS = "its kind has no labels that features could be judged by"
_NO_SELECT = "it has no selection score"


def why_absent(estimate: Estimate, kind: TaskKind, *, has_select: bool) -> str | None:
    """Why a column that trains has no such estimate, or None where it has one."""
    if estimate in LABELLED and not kind.has_linear_labels:
        return _NO_LABELS
    return _NO_SELECT if estimate is Estimate.PROBE and not has_select else None


def add_estimates(
    resolved: ResolvedStudy, stages: dict[str, Stage], requested: dict[str, int]
) -> tuple[EstimateOutput, ...]:
    """Adds the stages behind the study's estimates to a plan's, and says which artifacts belong to which cells."""
    outputs: dict[EstimateOutput, None] = {}
    for estimate in map(Estimate, resolved.study.file.estimates):
        for chain, output in _MAKERS[estimate](_Estimating(resolved=resolved, estimate=estimate)):
            for stage in chain:
                stages.setdefault(stage.stage_id, stage)
                requested[stage.stage_id] = requested.get(stage.stage_id, 0) + 1
            outputs[output] = None
    return tuple(outputs)


_Made = tuple[list[Stage], EstimateOutput]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Estimating:
    """One estimate of one study."""

    resolved: ResolvedStudy
    estimate: Estimate

    def rows(self) -> Iterator[tuple[str, TrainStage | None]]:
        """The rows that are not searched or merged, each with its recipe of seed 0; ``none`` has no recipe."""
        for name, content in self.resolved.study.rows.items():
            if content.search is None and not content.merged_rows:
                yield name, recipe_stage(self.resolved, name, None, 0)

    def targets(self) -> Iterator[ResolvedTarget]:
        """The columns that train and that the estimate can speak of."""
        for name in self.resolved.study.columns:
            target = self.resolved.target(name)
            kind, has_select = target.task.kind, bool(target.views.select)
            if target.task.is_trained and why_absent(self.estimate, kind, has_select=has_select) is None:
                yield target

    def start(self, recipe: TrainStage | None) -> list[TrainStage]:
        """The stages that a row's encoder comes from, parents first: pretraining, and its recipe."""
        pretraining = self.resolved.pretraining
        return [stage for stage in (pretraining, recipe) if stage is not None]

    def stage(self, *data: EstimateData, parent: str | None = None) -> EstimateStage:
        return EstimateStage(estimate=self.estimate, parent=parent, encoder=self.resolved.encoder, data=data)


def _labelled(at: _Estimating) -> Iterator[_Made]:
    """Features of the target's examples by each row's encoder, judged by their labels."""
    for target in at.targets():
        data = _target_data(target, MOST_EXAMPLES)
        for row, recipe in at.rows():
            chain = at.start(recipe)
            stage = at.stage(data, parent=chain[-1].stage_id if chain else None)
            yield [*chain, stage], _output(at, row, target.name, stage.stage_id)


def _embedding(at: _Estimating) -> Iterator[_Made]:
    """Each dataset as the untrained encoder sees it."""
    base = at.start(None)
    parent = base[-1].stage_id if base else None
    for row, column, data, weight in _sides(at):
        stage = at.stage(data, parent=parent)
        yield [*base, stage], _output(at, row, column, stage.stage_id, weight)


def _size(at: _Estimating) -> Iterator[_Made]:
    """How many training examples each task of a row has: the same for every target."""
    targets = [target.name for target in at.targets()]
    for row, recipe in at.rows():
        for part in recipe.mixture if recipe else ():
            stage = at.stage(_part_data(part, None))
            for column in targets:
                yield [stage], _output(at, row, column, stage.stage_id, part.weight)


def _text_overlap(at: _Estimating) -> Iterator[_Made]:
    """The target's text within that of each task of a row."""
    for target in at.targets():
        wanted = _target_data(target, MOST_TEXTS)
        for row, recipe in at.rows():
            for part in recipe.mixture if recipe else ():
                stage = at.stage(_part_data(part, MOST_TEXTS), wanted)
                yield [stage], _output(at, row, target.name, stage.stage_id, part.weight)


def _probe(at: _Estimating) -> Iterator[_Made]:
    """A short fine-tuning of each row on the target, scored on ``select``: existing kinds of stages, so shared."""
    for target in at.targets():
        for row, recipe in at.rows():
            start = at.start(recipe)
            tuned = fine_tuning_stage(at.resolved, target.name, start[-1] if start else None, 0)
            chain = _shortened(tuned, evaluation_stage(at.resolved, target.name, tuned.stage_id))
            scored = chain[-1]
            assert isinstance(scored, EvaluateStage)
            for key in scored.outputs:
                yield [*start, *chain], _output(at, row, target.name, key, 1.0 / len(scored.outputs))


_MAKERS: Mapping[Estimate, Callable[[_Estimating], Iterator[_Made]]] = {
    Estimate.LOGME: _labelled,
    Estimate.H_SCORE: _labelled,
    Estimate.EMBEDDING: _embedding,
    Estimate.PROBE: _probe,
    Estimate.TEXT_OVERLAP: _text_overlap,
    Estimate.SIZE: _size,
}


def probe_config(config: TrainConfig) -> TrainConfig:
    """A target's training cut to a probe: the schedule shrinks with it, and nothing is evaluated on the way."""
    steps = max(1, min(PROBE_STEPS, round(PROBE_FRAC * config.steps)))
    return replace(config, steps=steps, keep=Keep.LAST, evaluate_every=0)


def _shortened(tuned: TrainStage, evaluation: EvaluateStage) -> list[Stage]:
    short = replace(tuned, config=probe_config(tuned.config))
    items = tuple(item for item in evaluation.items if item.use is Use.SELECT)
    return [short, replace(evaluation, parent=short.stage_id, items=items)]


def _sides(at: _Estimating) -> Iterator[tuple[str | None, str | None, EstimateData, float]]:
    """(row, column, data, weight): the tasks of every row, and the data of every column."""
    for row, recipe in at.rows():
        for part in recipe.mixture if recipe else ():
            yield row, None, _part_data(part, MOST_EXAMPLES), part.weight
    for target in at.targets():
        yield None, target.name, _target_data(target, MOST_EXAMPLES), 1.0


def _part_data(part: MixturePart, limit: int | None) -> EstimateData:
    return _limited(EstimateData(task=part.task, config=part.config, views=part.train), limit)


def _target_data(target: ResolvedTarget, limit: int | None) -> EstimateData:
    return _limited(EstimateData(task=target.task, config=target.config, views=target.views.train), limit)


def _limited(data: EstimateData, limit: int | None) -> EstimateData:
    """At most ``limit`` examples of all views together."""
    if limit is None:
        return data
    each = max(1, limit // len(data.views))
    return replace(data, views=tuple(replace(view, limit=min(view.limit or each, each)) for view in data.views))


def _output(at: _Estimating, row: str | None, column: str | None, key: str, weight: float = 1.0) -> EstimateOutput:
    return EstimateOutput(row=row, column=column, estimate=at.estimate.value, key=key, weight=weight)
