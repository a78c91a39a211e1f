"""The record of a plan: what the store keeps of a study, so that its matrix can be read without its data."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType

from stilts.study.carriers import rests_on
from stilts.study.chains import mixture
from stilts.study.controls import CONTROL_NOTES, MASKED
from stilts.study.mixing import is_mixture_searched
from stilts.study.record import NONE_ROW, Column, EstimateOutput, Replicate, Row, StageFacts, StudyRecord
from stilts.study.resolved_study import ResolvedStudy
from stilts.study.search_space import Proposal
from stilts.study.stage import MergeStage, Stage, TrainStage
from stilts.tasks.overlaps import Ledger

# A share is a multiple of one hundredth (``round_weights``).
_SHARES = 100


def make_record(
    resolved: ResolvedStudy,
    stages: Mapping[str, Stage],
    replicates: Sequence[Replicate],
    estimates: Sequence[EstimateOutput] = (),
    proposals: Mapping[str, Sequence[Proposal]] = MappingProxyType({}),
) -> StudyRecord:
    """The study with these stages, replicates and estimates, and the proposals of its searched rows."""
    study = resolved.study
    training_data = _training_data(resolved)
    searched = {replicate.intermediate_stage for replicate in replicates if replicate.proposal is not None}
    return StudyRecord(
        name=study.name,
        encoder=resolved.encoder.name,
        toy="toy" in resolved.encoder.location or study.file.data.source == "toy",
        selection=study.file.selection,
        rows=tuple(describe_row(resolved, name, proposals.get(name, ())) for name in study.rows),
        columns=tuple(describe_column(resolved, name) for name in study.columns),
        replicates=tuple(replicates),
        stages=_described(stages, searched),
        overlaps=tuple(_overlaps(resolved)),
        settings=study.file.model_dump(mode="json", exclude_unset=True),
        text=study.text,
        training_data=training_data,
        datasets={name: _dataset(resolved, name) for names in training_data.values() for name in names},
        estimates=tuple(estimates),
        weights=resolved.encoder.shape.weights if resolved.encoder.shape is not None else None,
        siblings=study.siblings,
    )


def _described(stages: Mapping[str, Stage], searched: Set[str | None]) -> dict[str, StageFacts]:
    """The stages as a record has them; a searched recipe with its shares, which its row does not say."""
    found: dict[str, StageFacts] = {}
    below = rests_on(stages)
    for stage_id, stage in stages.items():
        found[stage_id] = {
            "kind": stage.kind.value,
            "name": stage.name,
            "parent": stage.parent,
            "outputs": list(stage.outputs),
        }
        if isinstance(stage, TrainStage) and stage_id in searched:
            found[stage_id]["mixture"] = {part.task.name: part.weight for part in stage.mixture}
        if isinstance(stage, MergeStage):
            found[stage_id]["merged"] = {part.stage_id: part.weight for part in stage.merged}
        if below[stage_id]:
            found[stage_id]["rests_on"] = list(below[stage_id])
    return found


def describe_row(resolved: ResolvedStudy, name: str, proposals: Sequence[Proposal] = ()) -> Row:
    """A row with every task that it may train on; a searched mixture has weights 0 until a proposal is drawn."""
    content = resolved.study.rows[name]
    search = content.search
    fixed = not is_mixture_searched(content)
    weights = dict(mixture(resolved, name, None)) if fixed else dict.fromkeys(resolved.tasks(name), 0.0)
    trains = name != NONE_ROW and not content.merged_rows
    return Row(
        name=name,
        mixture=weights,
        searched=search is not None,
        num_proposals=search.proposals if search else 1,
        objectives=search.objectives if search else (),
        confirmed={objective: one.number for one in proposals for objective in one.stands_for},
        notes=_notes(resolved, name),
        control=content.control or "",
        merges=content.merged_rows,
        kinds=tuple(sorted({resolved.registry.task(task).kind.name for task in resolved.tasks(name)})),
        num_examples=resolved.known_size(name) if trains else None,
        languages=resolved.source_languages(name) if name != NONE_ROW else (),
    )


def _notes(resolved: ResolvedStudy, row: str) -> tuple[str, ...]:
    """What a reader should know of a row's training: a head that starts at random, shares that are not a step."""
    content = resolved.study.rows[row]
    notes = [CONTROL_NOTES[content.control]] if content.control else []
    if content.merged_rows:
        return (f"the differences of {', '.join(content.merged_rows)} are added by weights: nothing is trained",)
    if row != NONE_ROW and (cut_to := resolved.matched_size(row)) is not None:
        notes.append(f"its {cut_to[0]:,} training examples are cut to {cut_to[1]:,}, drawn anew for each seed")
    kinds = {resolved.registry.task(task).kind for task in resolved.tasks(row)}
    if (content.control == MASKED or any(kind.self_supervised for kind in kinds)) and resolved.is_headless:
        notes.append("its masked LM starts from a random head, for the encoder's checkpoint has none")
    if is_mixture_searched(content):
        notes += _idle_shares(resolved, row)
    return tuple(notes)


def _idle_shares(resolved: ResolvedStudy, row: str) -> list[str]:
    """That a proposal may give a task a share of less than one step, where steps are so few (shares are whole %)."""
    content = resolved.study.rows[row]
    fixed, search = content.train, content.search
    if search is not None and search.steps is not None:
        fewest: float | None = search.steps.ends[0]
    elif fixed.epochs is not None or (search is not None and search.epochs is not None):
        fewest = None  # told by the sizes of the data
    else:
        fewest = fixed.steps or resolved.study.file.defaults.intermediate.steps
    equal = search is not None and search.subset is not None  # the tasks of a subset have equal shares
    if not fewest or fewest >= _SHARES or equal:
        return []
    least = math.ceil(_SHARES / fewest)
    return [f"a proposal that gives a task less than {least} % of {fewest:g} steps may not train on it at all"]


def describe_column(resolved: ResolvedStudy, name: str) -> Column:
    """A column with its task and the languages that it is scored in."""
    target = resolved.target(name)
    return Column(
        name=name,
        task=target.task.name,
        kind=target.task.kind.name,
        metric=target.task.metric,
        group=target.task.group,
        languages=target.languages,
        select_languages=tuple(view.language for view in target.views.select),
    )


def _training_data(resolved: ResolvedStudy) -> dict[str, list[str]]:
    """Per task of the study, the datasets that it is learned from; under ``""``, those of its encoder's pretraining."""
    rows = (name for row in resolved.study.rows for name in describe_row(resolved, row).mixture)
    tasks = {name: resolved.registry.task(name) for name in rows}
    tasks |= {task.name: task for task in (resolved.target(column).task for column in resolved.study.columns)}
    found = {name: [task.train.dataset] for name, task in tasks.items() if task.train is not None}
    for before, after in ((target.before, target.task) for target in map(resolved.target, resolved.study.columns)):
        if before is not None and after.name in found:
            found[after.name] = list(dict.fromkeys([*(view.dataset for view in before.train), *found[after.name]]))
    if resolved.pretraining is not None:
        views = (view for part in resolved.pretraining.mixture for view in part.train)
        found[""] = list(dict.fromkeys(view.dataset for view in views))
    return found


def _dataset(resolved: ResolvedStudy, name: str) -> dict[str, str]:
    dataset = resolved.registry.dataset(name)
    return {
        "licence": dataset.licence,
        "domain": dataset.domain,
        "source": resolved.resolver.source_of(name).value,
    }


def _overlaps(resolved: ResolvedStudy) -> Iterator[tuple[str, str, str]]:
    """Cells whose intermediate shares data or source text with the target, as the ledger declares it; nothing is read.

    A searched mixture counts with every task that it may draw. A cell stands once: its reasons are one text.
    """
    ledger = Ledger(resolved.registry, resolved.resolver.source_of)
    shared = lru_cache(maxsize=None)(ledger.shared)
    for row in resolved.study.rows:
        tasks = [resolved.registry.task(name) for name in describe_row(resolved, row).mixture]
        for column in resolved.study.columns:
            target = resolved.target(column).task
            # A reason names the column as the study does.
            named = replace(target, name=column)
            found = [one.why for task in tasks if shared(task, target) for one in ledger.shared(task, named)]
            if found:
                yield row, column, "; ".join(dict.fromkeys(found))
