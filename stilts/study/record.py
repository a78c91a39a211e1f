"""StudyRecord: what a study asks of the store, as plain values.

``stilts run`` keeps it in the store (record ``studies/<name>/record``), so that matrix, best and the MLflow view can be
made from the store alone, without the study's data, encoder or file.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NotRequired

from pydantic import with_config
from typing_extensions import TypedDict  # pydantic reads the standard library's from Python 3.12 on

from stilts.metrics.metric import Metric
from stilts.study.strict import STRICT, Finite, Kept, Whole
from stilts.tasks.kind import Scoring, TaskKind
from stilts.tasks.kinds import kind_named, metric_named

NONE_ROW = "none"


@with_config(STRICT)
class StageFacts(TypedDict):
    """A stage as a record has it: its kind and name, what it starts from, the keys that it publishes.

    ``mixture`` has the shares of steps by task where a proposal is trained; ``rests_on`` the stages without whose
    artifacts an adapter's is not whole, nearest first; ``merged`` the recipes that are added, with their weights.
    """

    kind: Literal["train", "evaluate", "estimate"]
    name: str
    parent: str | None
    outputs: list[str]
    mixture: NotRequired[dict[str, Finite]]
    rests_on: NotRequired[list[str]]
    merged: NotRequired[dict[str, Finite]]


@with_config(STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An intermediate: its tasks with their shares of steps, and whether its recipe was searched.

    ``objectives`` are what it was searched for; ``confirmed`` maps objectives to the proposals that are trained again
    with fresh seeds. Both are empty in a fixed row, and in records from before they were kept. ``notes`` are what a
    reader should know of its training. ``merges`` are the rows that it adds up. A ``control`` is held beside other
    rows, and never advised. ``kinds`` are those of its tasks; ``num_examples`` is how many training examples it has, as
    counted where its size is matched, else as its datasets declare; None where that is not known. ``languages`` are
    those of its training data.
    """

    name: str
    mixture: Mapping[str, Finite] = field(default_factory=dict)
    searched: bool = False
    num_proposals: Whole = 1
    objectives: tuple[str, ...] = ()
    confirmed: Mapping[str, Whole] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    control: Literal["", "shuffled_labels", "texts_only"] = ""
    merges: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    num_examples: Whole | None = None
    languages: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Its name, with a word behind it where it is a control."""
        return f"{self.name} (control)" if self.control else self.name


@with_config(STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A target: its task's kind and metric, XTREME's group, and the languages that it reports."""

    name: str
    task: str
    kind: str
    metric: str
    group: str
    languages: tuple[str, ...]
    select_languages: tuple[str, ...]
    chance: Finite | None = None

    @property
    def task_kind(self) -> TaskKind:
        """Its task's kind; UnknownNameError where the package that brings it is not installed."""
        return kind_named(self.kind)

    @property
    def scoring(self) -> Scoring:
        """What goes with its metric; UnknownNameError where that does not score its kind."""
        return self.task_kind.scoring(self.metric)

    @property
    def measure(self) -> Metric:
        """Its metric; UnknownNameError where the package that brings it is not installed."""
        return metric_named(self.metric)


@with_config(STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Replicate:
    """One (cell, intermediate seed, target seed), of one proposal where the row is searched.

    ``confirms``: it trains a chosen proposal again, with a seed that bore on no choice. ``outputs`` maps a use to a
    language to the key of the artifact that holds its score, ``stressed`` the label of a stress likewise. Seeds are
    None where there is nothing to seed: the intermediate's in the row ``none``, the target's where a target does not
    train.
    """

    row: str
    column: str
    intermediate_seed: Whole | None
    target_seed: Whole | None
    proposal: Whole | None
    intermediate_stage: str | None
    target_stage: str | None
    evaluate_stage: str
    outputs: Mapping[str, Mapping[str, str]]
    confirms: bool = False
    stressed: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def scoring_stages(self) -> tuple[str, ...]:
        """The stages that score it: the plain one, and what stresses the same weights where the study asks for it."""
        keys = (key for by_language in self.stressed.values() for key in by_language.values())
        return tuple(dict.fromkeys([self.evaluate_stage, *(key.partition("/")[0] for key in keys)]))

    @property
    def bears_on_choice(self) -> bool:
        """Whether a search may look at it: not at a fresh seed. What has no seed at all is its own confirmation."""
        return not self.confirms or (self.intermediate_seed is None and self.target_seed is None)

    @property
    def replicate_id(self) -> str:
        """``<row>><column>`` with what tells replicates of one cell apart; unique in a study."""
        seeds = [("p", self.proposal), ("i", self.intermediate_seed), ("t", self.target_seed)]
        return f"{self.row}>{self.column}" + "".join(f"/{k}{v}" for k, v in seeds if v is not None)


@with_config(STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateOutput:
    """One artifact that a cell's estimate is made of: the cells of ``row`` and ``column`` (None: of all of them).

    An estimate of a mixture has one per task, ``weight`` being the task's share; that of a probe one per language.
    """

    row: str | None
    column: str | None
    estimate: str
    key: str
    weight: Finite = 1.0


@with_config(STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class StudyRecord:
    """Rows, columns and replicates of one study, with the ids of the stages that make them.

    ``stages`` maps every stage id to what is known of it; ``overlaps`` lists (row, column, why)
    where an intermediate trains on a target's own data; ``settings`` is the study as plain JSON, ``text`` its YAML.
    ``training_data`` maps every task that the study learns, and ``""`` for an encoder that it pretrains itself, to the
    names of the datasets learned from; ``datasets`` describes each: ``{"licence", "domain", "source"}``. ``estimates``
    lists the artifacts behind the study's estimates. All three are empty in records written before they were kept.
    ``weights`` is how many the encoder has, where that is known; ``siblings`` names the studies of one file's several
    encoders, this one among them.
    """

    name: str
    encoder: str
    toy: bool
    selection: str
    rows: tuple[Row, ...]
    columns: tuple[Column, ...]
    replicates: tuple[Replicate, ...]
    stages: Mapping[str, StageFacts]
    overlaps: tuple[tuple[str, str, str], ...] = ()
    settings: Kept = field(default_factory=dict)
    text: str = ""
    training_data: Mapping[str, Sequence[str]] = field(default_factory=dict)
    datasets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    estimates: tuple[EstimateOutput, ...] = ()
    weights: Whole | None = None
    siblings: tuple[str, ...] = ()

    @property
    def advisable(self) -> frozenset[str]:
        """The rows that an answer may name: all but controls."""
        return frozenset(row.name for row in self.rows if not row.control)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know of the rows' trainings, each with its row."""
        return tuple(f"Row {row.name}: {note}." for row in self.rows for note in row.notes)

    def target_stages(self, replicate: Replicate) -> tuple[str, ...]:
        """The training of a replicate's target, the last stage first: with it what its task is learned after."""
        if replicate.target_stage is None:
            return ()
        pretrains = is_pretraining_possible(self.training_data)
        before = stages_between(replicate.intermediate_stage, replicate.target_stage, self.stages, pretrains=pretrains)
        return (replicate.target_stage, *before)

    def drawn_mixture(self, replicate: Replicate) -> dict[str, float]:
        """The tasks of a searched replicate's recipe with their shares; empty where they are not recorded."""
        stage = self.stages.get(replicate.intermediate_stage or "") if replicate.proposal is not None else None
        return dict(stage.get("mixture", {})) if stage else {}


def stages_between(
    intermediate: str | None, target: str | None, stages: Mapping[str, StageFacts], *, pretrains: bool
) -> Iterator[str]:
    """The stages from which a target starts after its intermediate: what its task is learned after.

    In a study that pretrains its encoder, the first stage of every chain is that pretraining and no part of a target.
    """
    at = parent_of(target, stages)
    while at is not None and at != intermediate:
        parent = parent_of(at, stages)
        if parent is not None or not pretrains:
            yield at
        at = parent


def parent_of(stage_id: str | None, stages: Mapping[str, StageFacts]) -> str | None:
    """What a stage starts from; None where that is the encoder, or the stage is not known."""
    facts = stages.get(stage_id or "")
    return facts["parent"] if facts else None


def without_languages(record: StudyRecord, left_out: Mapping[str, Collection[str]]) -> StudyRecord:
    """The record without some languages of columns' reports; a column that has none left goes with its replicates."""
    columns = []
    for column in record.columns:
        languages = tuple(code for code in column.languages if code not in left_out.get(column.name, ()))
        if languages:
            columns.append(replace(column, languages=languages))
    kept = {column.name for column in columns}
    replicates = [
        replace(one, outputs={**one.outputs, "report": _without(one.outputs["report"], left_out.get(one.column, ()))})
        for one in record.replicates
        if one.column in kept
    ]
    return replace(record, columns=tuple(columns), replicates=tuple(replicates))


def _without(outputs: Mapping[str, str], codes: Collection[str]) -> dict[str, str]:
    return {code: key for code, key in outputs.items() if code not in codes}


def parents_of(facts: StageFacts) -> tuple[str, ...]:
    """What a stage starts from: one at most, of a merge also the recipes that are added."""
    return (*(() if facts["parent"] is None else (facts["parent"],)), *facts.get("merged", ()))


def lineage(stage_id: str | None, stages: Mapping[str, StageFacts]) -> list[str]:
    """The stage, its parents, and so on to the first; a stage that is not known ends it."""
    line: list[str] = []
    waiting = [] if stage_id is None else [stage_id]
    while waiting:
        at = waiting.pop(0)
        if at not in line:
            line.append(at)
            waiting += parents_of(stages[at]) if at in stages else ()
    return line


def is_pretraining_possible(training_data: Mapping[str, object]) -> bool:
    """Whether a study pretrains its encoder; records from before that was kept may, and have no stages between."""
    return "" in training_data or not training_data


def outputs_of(stage: StageFacts) -> list[str]:
    """The keys of the artifacts of a stage as a record describes it."""
    return stage["outputs"]
