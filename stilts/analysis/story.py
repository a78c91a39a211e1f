"""All that is known of one cell: its stages, settings, proposals, flipped examples, and why it loses if it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import pandas as pd

from stilts.analysis.flips import CellFlips, cell_flips
from stilts.analysis.matrix import replicate_scores
from stilts.analysis.negative_transfer import NegativeCell, checks_of
from stilts.analysis.neighbours import Neighbours, neighbours_of
from stilts.analysis.probes import is_probe
from stilts.analysis.results import StudyResults
from stilts.analysis.spending import replicates_in_cells
from stilts.analysis.suspects import Suspects
from stilts.analysis.wording import overlap_of
from stilts.fingerprint import Json, plain
from stilts.ledger.records import PROPOSALS, number_part
from stilts.ledger.state import State
from stilts.ledger.view import StudyView
from stilts.metrics.uncertainty import Interval
from stilts.study.record import Replicate, StudyRecord, lineage, outputs_of


@dataclass(frozen=True, slots=True, kw_only=True)
class StageStory:
    """One stage: its state, when it ended (Unix seconds), its compute, where, and the other cells that rest on it.

    ``trouble`` says why it failed or was pruned; empty where it was not.
    """

    stage: str
    state: str
    ended: float | None
    seconds: float | None
    device: str
    node: str
    job: str
    also_in: tuple[str, ...]
    trouble: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicateStory:
    """One replicate: its stages from the last to the first, and its scores by use and language (None: not there)."""

    replicate: str
    lineage: tuple[StageStory, ...]
    scores: Mapping[str, Mapping[str, float | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalStory:
    """One proposal of a searched row on this target. ``pruned`` says what the pruning compared, where it was pruned."""

    number: int
    params: Mapping[str, Json]
    select_score: float | None
    state: str
    chosen: bool
    pruned: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CellStory:
    """All that is known of one cell. ``replicates`` of a searched row are all of the chosen proposal's.

    ``score`` and ``gain`` are on ``report``; ``flips`` and ``negative`` are None where they do not apply.
    """

    study: str
    row: str
    column: str
    overlap: str | None
    score: float | None
    gain: Interval | None
    replicates: tuple[ReplicateStory, ...]
    settings: Neighbours
    proposals: tuple[ProposalStory, ...]
    flips: CellFlips | None
    negative: NegativeCell | None

    def to_json(self) -> dict[str, Json]:
        """The story as plain JSON."""
        value = {name: plain(part, name) for name, part in asdict(self).items()}
        return {"cell": f"{self.row}>{self.column}", **value}


def cell_story(results: StudyResults, row: str, column: str) -> CellStory:
    """The story of a cell of the study; UnknownNameError for a column that it has not.

    StoreError where the examples of a done evaluation are gone.
    """
    record, cells = results.record, replicates_in_cells(results)
    target = results.column(column)
    planned = [r for r in record.replicates if (r.row, r.column) == (row, column)]
    chosen = _chosen(results, row, column)
    shown = [r for r in planned if r.proposal == chosen] or planned
    users = _users(record)
    standing = {r.row: r for r in record.replicates if r.column == column and r.proposal is None}
    standing |= {name: found[0] for (name, of), found in cells.items() if of == column}
    done = row in results.sides(column)
    return CellStory(
        study=record.name,
        row=row,
        column=column,
        overlap=overlap_of(record, target, row),
        score=results.sides(column)[row].mean if done else None,
        gain=results.gain(row, column),
        replicates=tuple(_replicate(results, replicate, users) for replicate in shown),
        settings=neighbours_of(results.view, row, standing),
        proposals=_proposals(results, [one for one in planned if one.bears_on_choice], chosen),
        flips=cell_flips(results, row, column) if done and not is_probe(target) else None,
        negative=None if is_probe(target) else checks_of(Suspects(results=results), row, column),
    )


def stage_words(stage_id: str, view: StudyView) -> str:
    """A stage's state in words: with how many of its outputs it is true of, or whether its weights are gone."""
    keys, state = outputs_of(view.record.stages[stage_id]), view.stage_state(stage_id)
    if state is State.DAMAGED:
        return f"{state}, {len(view.damaged_of(keys))} of {len(keys)} outputs"
    if state is State.DONE:
        return f"{state}, weights gone" if keys == [stage_id] and view.store.gone(stage_id) else str(state)
    done = len(view.results(keys).values)
    return f"{state}, {done} of {len(keys)} outputs done" if done else str(state)


def _chosen(results: StudyResults, row: str, column: str) -> int | None:
    table = results.cells
    cell = table[(table["row"] == row) & (table["column"] == column)]
    number = cell["proposal"].iloc[0] if len(cell) else None
    return None if number is None or pd.isna(number) else int(number)


def _users(record: StudyRecord) -> dict[str, list[str]]:
    """The cells that rest on each stage."""
    users: dict[str, list[str]] = {}
    for replicate in record.replicates:
        for stage in (replicate.intermediate_stage, replicate.target_stage, replicate.evaluate_stage):
            if stage is not None:
                users.setdefault(stage, []).append(f"{replicate.row}>{replicate.column}")
    return {stage: list(dict.fromkeys(cells)) for stage, cells in users.items()}


def _replicate(results: StudyResults, replicate: Replicate, users: Mapping[str, Sequence[str]]) -> ReplicateStory:
    view = results.view
    cell = f"{replicate.row}>{replicate.column}"
    return ReplicateStory(
        replicate=replicate.replicate_id,
        lineage=tuple(
            _stage(stage, view, [name for name in users.get(stage, ()) if name != cell])
            for stage in lineage(replicate.evaluate_stage, view.record.stages)
        ),
        scores={
            use: {**dict.fromkeys(outputs), **view.scores(replicate, use)} for use, outputs in replicate.outputs.items()
        },
    )


def _stage(stage_id: str, view: StudyView, also_in: Sequence[str]) -> StageStory:
    done = list(view.results(outputs_of(view.record.stages[stage_id])).values.values())
    last = max(done, key=lambda result: result.ended or 0.0, default=None)
    ran = last.execution if last else {}
    return StageStory(
        stage=stage_id,
        state=stage_words(stage_id, view),
        ended=last.ended if last else None,
        seconds=view.seconds.get(stage_id),
        device=f"{ran.get('device_name') or ran.get('device') or ''}",
        node=f"{ran.get('node') or ''}",
        job=f"{ran.get('job') or ''}",
        also_in=tuple(also_in),
        trouble=_trouble(stage_id, view),
    )


def _trouble(stage_id: str, view: StudyView) -> str:
    """Why a stage failed or was pruned; empty where it was not."""
    failure = view.failure(stage_id)
    if failure is not None:
        return f"{failure.kind}: {failure.error} (attempts: {failure.attempts})"
    return _pruning(stage_id, view)


def _pruning(stage_id: str | None, view: StudyView) -> str:
    pruned = view.pruning(stage_id) if stage_id else None
    return f"pruned at step {pruned.step} of {pruned.steps}: {pruned.reason}" if pruned else ""


def _proposals(results: StudyResults, planned: Sequence[Replicate], chosen: int | None) -> tuple[ProposalStory, ...]:
    record, view = results.record, results.view
    select = replicate_scores(results.frame, "select").set_index("replicate_id")["score"]
    stories = []
    for replicate in planned:
        if replicate.proposal is None:
            continue
        written = PROPOSALS.read(results.store, record.name, replicate.row, number_part(replicate.proposal))
        score = select.get(replicate.replicate_id)
        stories.append(
            ProposalStory(
                number=replicate.proposal,
                params=written.params if written else {},
                select_score=None if score is None or pd.isna(score) else float(score),
                state=str(view.replicate_state(replicate, "report")),
                chosen=replicate.proposal == chosen,
                pruned=_pruning(replicate.target_stage, view),
            )
        )
    return tuple(stories)
