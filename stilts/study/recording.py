"""The record of a plan: what the store keeps of a study, so that its matrix can be read without its data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from stilts.study.mixing import is_mixture_searched
from stilts.study.record import Column, EstimateOutput, Replicate, Row, StageFacts, StudyRecord
from stilts.study.search_space import Proposal
from stilts.study.stage import Stage, TrainStage
from stilts.tasks.overlaps import Ledger

if TYPE_CHECKING:
    from stilts.study.planner import Planner


def make_record(
    planner: Planner,
    stages: Mapping[str, Stage],
    replicates: Sequence[Replicate],
    estimates: Sequence[EstimateOutput] = (),
    proposals: Mapping[str, Sequence[Proposal]] = MappingProxyType({}),
) -> StudyRecord:
    """The planner's study with these stages, replicates and estimates, and the proposals of its searched rows."""
    study = planner.study
    training_data = _training_data(planner)
    searched = {replicate.intermediate_stage for replicate in replicates if replicate.proposal is not None}
    return StudyRecord(
        name=study.name,
        encoder=planner.encoder.name,
        toy="toy" in planner.encoder.location or study.file.data.source == "toy",
        selection=study.file.selection,
        rows=tuple(describe_row(planner, name, proposals.get(name, ())) for name in study.rows),
        columns=tuple(describe_column(planner, name) for name in study.columns),
        replicates=tuple(replicates),
        stages=_described(stages, searched),
        overlaps=tuple(_overlaps(planner)),
        settings=study.file.model_dump(mode="json", exclude_unset=True),
        text=study.text,
        training_data=training_data,
        datasets={name: _dataset(planner, name) for names in training_data.values() for name in names},
        estimates=tuple(estimates),
    )


def _described(stages: Mapping[str, Stage], searched: Set[str | None]) -> dict[str, StageFacts]:
    """The stages as a record has them; a searched recipe with its shares, which its row does not say."""
    found: dict[str, StageFacts] = {}
    for stage_id, stage in stages.items():
        found[stage_id] = {
            "kind": stage.kind.value,
            "name": stage.name,
            "parent": stage.parent,
            "outputs": list(stage.outputs),
        }
        if isinstance(stage, TrainStage) and stage_id in searched:
            found[stage_id]["mixture"] = {part.task.name: part.weight for part in stage.mixture}
    return found


def describe_row(planner: Planner, name: str, proposals: Sequence[Proposal] = ()) -> Row:
    """A row with every task that it may train on; a searched mixture has weights 0 until a proposal is drawn."""
    content = planner.study.rows[name]
    search = content.search
    fixed = not is_mixture_searched(content)
    weights = dict(planner.mixture(name, None)) if fixed else dict.fromkeys(planner.tasks(name), 0.0)
    return Row(
        name=name,
        mixture=weights,
        searched=search is not None,
        num_proposals=search.proposals if search else 1,
        objectives=search.objectives if search else (),
        confirmed={objective: one.number for one in proposals for objective in one.stands_for},
    )


def describe_column(planner: Planner, name: str) -> Column:
    """A column with its task and the languages that it is scored in."""
    target = planner.target(name)
    return Column(
        name=name,
        task=target.task.name,
        kind=target.task.kind.name,
        metric=target.task.metric,
        group=target.task.group,
        languages=target.languages,
        select_languages=tuple(view.language for view in target.views.select),
    )


def _training_data(planner: Planner) -> dict[str, list[str]]:
    """Per task of the study, the datasets that it is learned from; under ``""``, those of its encoder's pretraining."""
    rows = (name for row in planner.study.rows for name in describe_row(planner, row).mixture)
    tasks = {name: planner.registry.task(name) for name in rows}
    tasks |= {task.name: task for task in (planner.target(column).task for column in planner.study.columns)}
    found = {name: [task.train.dataset] for name, task in tasks.items() if task.train is not None}
    for before, after in ((target.before, target.task) for target in map(planner.target, planner.study.columns)):
        if before is not None and after.name in found:
            found[after.name] = list(dict.fromkeys([*(view.dataset for view in before.train), *found[after.name]]))
    if planner.pretraining is not None:
        views = (view for part in planner.pretraining.mixture for view in part.train)
        found[""] = list(dict.fromkeys(view.dataset for view in views))
    return found


def _dataset(planner: Planner, name: str) -> dict[str, str]:
    dataset = planner.registry.dataset(name)
    return {
        "licence": dataset.licence,
        "domain": dataset.domain,
        "source": planner.resolver.source_of(name).value,
    }


def _overlaps(planner: Planner) -> Iterator[tuple[str, str, str]]:
    """Cells whose intermediate shares data or source text with the target, as the ledger declares it; nothing is read.

    A searched mixture counts with every task that it may draw. A cell stands once: its reasons are one text.
    """
    ledger = Ledger(planner.registry, planner.resolver.source_of)
    shared = lru_cache(maxsize=None)(ledger.shared)
    for row in planner.study.rows:
        tasks = [planner.registry.task(name) for name in describe_row(planner, row).mixture]
        for column in planner.study.columns:
            target = planner.target(column).task
            # A reason names the column as the study does.
            named = replace(target, name=column)
            found = [one.why for task in tasks if shared(task, target) for one in ledger.shared(task, named)]
            if found:
                yield row, column, "; ".join(dict.fromkeys(found))
