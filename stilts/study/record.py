"""StudyRecord: what a study asks of the store, as plain values.

``stilts run`` keeps it in the store (record ``studies/<name>/record``), so that matrix, best and the MLflow view can be
made from the store alone, without the study's data, encoder or file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from stilts.fingerprint import Json

NONE_ROW = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An intermediate: its tasks with their shares of steps, and whether its recipe was searched."""

    name: str
    mixture: Mapping[str, float] = field(default_factory=dict)
    searched: bool = False
    num_proposals: int = 1


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
    chance: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Replicate:
    """One (cell, intermediate seed, target seed), of one proposal where the row is searched.

    ``outputs`` maps a use to a language to the key of the artifact that holds its score. Seeds are None where
    there is nothing to seed: the intermediate's in the row ``none``, the target's where a target does not train.
    """

    row: str
    column: str
    intermediate_seed: int | None
    target_seed: int | None
    proposal: int | None
    intermediate_stage: str | None
    target_stage: str | None
    evaluate_stage: str
    outputs: Mapping[str, Mapping[str, str]]

    @property
    def replicate_id(self) -> str:
        """``<row>><column>`` with what tells replicates of one cell apart; unique in a study."""
        seeds = [("p", self.proposal), ("i", self.intermediate_seed), ("t", self.target_seed)]
        return f"{self.row}>{self.column}" + "".join(f"/{k}{v}" for k, v in seeds if v is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateOutput:
    """One artifact that a cell's estimate is made of: the cells of ``row`` and ``column`` (None: of all of them).

    An estimate of a mixture has one per task, ``weight`` being the task's share; that of a probe one per language.
    """

    row: str | None
    column: str | None
    estimate: str
    key: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyRecord:
    """Rows, columns and replicates of one study, with the ids of the stages that make them.

    ``stages`` maps every stage id to ``{"kind", "name", "parent", "outputs"}``, with ``"mixture"``, shares of steps by
    task, where a proposal is trained; ``overlaps`` lists (row, column, why)
    where an intermediate trains on a target's own data; ``settings`` is the study as plain JSON, ``text`` its YAML.
    ``training_data`` maps every task that the study learns, and ``""`` for an encoder that it pretrains itself, to the
    names of the datasets learned from; ``datasets`` describes each: ``{"licence", "domain", "source"}``. ``estimates``
    lists the artifacts behind the study's estimates. All three are empty in records written before they were kept.
    """

    name: str
    encoder: str
    toy: bool
    selection: str
    rows: tuple[Row, ...]
    columns: tuple[Column, ...]
    replicates: tuple[Replicate, ...]
    stages: Mapping[str, Mapping[str, Json]]
    overlaps: tuple[tuple[str, str, str], ...] = ()
    settings: Mapping[str, Json] = field(default_factory=dict)
    text: str = ""
    training_data: Mapping[str, Sequence[str]] = field(default_factory=dict)
    datasets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    estimates: tuple[EstimateOutput, ...] = ()

    def target_stages(self, replicate: Replicate) -> tuple[str, ...]:
        """The training of a replicate's target, the last stage first: with it what its task is learned after."""
        if replicate.target_stage is None:
            return ()
        pretrains = is_pretraining_possible(self.training_data)
        before = stages_between(replicate.intermediate_stage, replicate.target_stage, self.stages, pretrains=pretrains)
        return (replicate.target_stage, *before)

    def drawn_mixture(self, replicate: Replicate) -> dict[str, float]:
        """The tasks of a searched replicate's recipe with their shares; empty where they are not recorded."""
        stage = self.stages.get(replicate.intermediate_stage or "", {}) if replicate.proposal is not None else {}
        mixture = stage.get("mixture")
        return {name: float(str(share)) for name, share in mixture.items()} if isinstance(mixture, Mapping) else {}


def stages_between(
    intermediate: Json, target: Json, stages: Mapping[str, Mapping[str, Json]], *, pretrains: bool
) -> Iterator[str]:
    """The stages from which a target starts after its intermediate: what its task is learned after.

    In a study that pretrains its encoder, the first stage of every chain is that pretraining and no part of a target.
    """
    at = stages.get(str(target), {}).get("parent")
    while at is not None and at != intermediate:
        parent = stages.get(str(at), {}).get("parent")
        if parent is not None or not pretrains:
            yield str(at)
        at = parent


def is_pretraining_possible(training_data: Mapping[str, object]) -> bool:
    """Whether a study pretrains its encoder; records from before that was kept may, and have no stages between."""
    return "" in training_data or not training_data


def outputs_of(stage: Mapping[str, Json]) -> list[str]:
    """The keys of the artifacts of a stage as a record describes it."""
    outputs = stage["outputs"]
    return [str(key) for key in outputs] if isinstance(outputs, list | tuple) else []
