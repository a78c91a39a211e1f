"""Stage: one unit of work with an identity. Read this first; ``plan.py`` next.

A stage's id is the SHA-256 of its identity payload: canonical JSON of the fields below, its parent's id, the
encoder, tokenizer and data by content, and the ``SEMANTIC_VERSION`` of its kind. Two stages with equal
payloads are one stage, whoever asks for it. What a stage needs in order to be *run* but not to be *named* (where
files lie, which device) is left out of the payload.

A train stage publishes one artifact, under its id. An evaluate stage publishes one per (use, language), under
``<stage id>/<use>.<language>-<8 hex of the data>``, so that a new language evaluates only itself. An estimate stage
publishes one artifact: a number, or the vector of a dataset.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from stilts.errors import InputError
from stilts.fingerprint import Json, digest
from stilts.study.config import Keep, Precision, TaskConfig, TrainConfig
from stilts.study.robust import Stress
from stilts.tasks.adapter import ParentAdapter
from stilts.tasks.encoder import EncoderRef
from stilts.tasks.task import Task
from stilts.tasks.view import DataView


class StageKind(StrEnum):
    """What a stage does."""

    TRAIN = "train"
    EVALUATE = "evaluate"
    ESTIMATE = "estimate"


class Estimate(StrEnum):
    """What may be known of a cell before it is run; ``stilts.study.estimating`` says which stages make each.

    A ``PROBE`` is a short fine-tuning with its evaluation, so no estimate stage of its own.
    """

    LOGME = "logme"
    H_SCORE = "h_score"
    EMBEDDING = "embedding"
    PROBE = "probe"
    TEXT_OVERLAP = "text_overlap"
    SIZE = "size"


class Use(StrEnum):
    """The disjoint uses of a target's data, beside training (DESIGN rule 6)."""

    SELECT = "select"
    REPORT = "report"


# What a stage that trains nothing has of a training.
_UNTRAINED = TrainConfig(steps=0)
# Raise one when the same payload comes to mean other weights or other scores; old results then show as stale.
SEMANTIC_VERSION: Mapping[StageKind, int] = {StageKind.TRAIN: 1, StageKind.EVALUATE: 1, StageKind.ESTIMATE: 1}
# The tables that stood here before, oldest first: by them a plan finds results that were made under other semantics.
SEMANTIC_HISTORY: tuple[Mapping[StageKind, int], ...] = ()
# Raise one when one estimate comes to be worked out otherwise: the others stay as they are.
ESTIMATE_VERSION: Mapping[Estimate, int] = dict.fromkeys(Estimate, 1)


@dataclass(frozen=True, kw_only=True)
class MixturePart:
    """One task of a mixture: its share of optimizer steps, its data and how they enter the model."""

    task: Task
    weight: float
    config: TaskConfig
    train: tuple[DataView, ...]
    select: tuple[DataView, ...] = ()

    def payload(self, *, with_select: bool) -> dict[str, Json]:
        """The identity fields; ``select`` bears identity only where the stage evaluates on it."""
        select: list[Json] = [view.digest for view in self.select] if with_select else []
        return {**self._learned, "select": select}

    @cached_property
    def _learned(self) -> dict[str, Json]:
        """Made once: thousands of stages of a plan share a part."""
        return {
            "task": self.task.learning_payload(),
            "weight": self.weight,
            "config": self.config.training_payload(self.task.kind),
            "train": [view.digest for view in self.train],
        }


@dataclass(frozen=True, kw_only=True)
class TrainStage:
    """Fine-tune an encoder on a mixture: a recipe, or the fine-tuning of a target.

    ``parent_adapter`` says what becomes of the adapter that the parent trained, None where it trained none.
    """

    parent: str | None
    encoder: EncoderRef
    mixture: tuple[MixturePart, ...]
    config: TrainConfig
    seed: int
    parent_adapter: ParentAdapter | None = None

    kind = StageKind.TRAIN

    def __post_init__(self) -> None:
        if self.config.keep is Keep.BEST and not any(part.select for part in self.mixture):
            raise InputError(
                'train setting "keep: best"',
                f"no task of {self.name} has data to choose by",
                "The best checkpoint is the one with the best selection score",
                'Set "keep: last"',
            )
        if self.parent_adapter is ParentAdapter.STACK and self.config.adapter is None:
            raise InputError(
                'train setting "parent_adapter: stack"',
                f"{self.name} trains all weights, and no adapter of its own",
                "A stacked adapter stays frozen under the one that is trained on top of it",
                'Give it an adapter, or set "parent_adapter: merge"',
            )

    @cached_property
    def payload(self) -> dict[str, Json]:
        """All that decides the weights, as plain JSON."""
        with_select = self.config.evaluate_every > 0
        payload: dict[str, Json] = {
            "kind": self.kind.value,
            "semantic_version": SEMANTIC_VERSION[self.kind],
            "parent": self.parent,
            "encoder": self.encoder.payload(),
            "mixture": [part.payload(with_select=with_select) for part in self.mixture],
            "config": self.config.payload(),
            "seed": self.seed,
        }
        if self.parent_adapter is not None:
            payload["parent_adapter"] = self.parent_adapter.value
        return payload

    @cached_property
    def name(self) -> str:
        """What is learned, joined by a plus sign."""
        return "+".join(part.task.learner for part in self.mixture)

    @cached_property
    def stage_id(self) -> str:
        """``train-<tasks>-<12 hex>``."""
        return make_stage_id(self.kind, self.name, self.payload)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The keys of the artifacts that this stage publishes."""
        return (self.stage_id,)

    @property
    def parents(self) -> tuple[str, ...]:
        """The stages that must be done before it."""
        return _given(self.parent)


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedPart:
    """A recipe whose difference from what it started from is added, ``weight`` times; ``name`` is its row's."""

    stage_id: str
    name: str
    weight: float


@dataclass(frozen=True, kw_only=True)
class MergeStage(TrainStage):
    """The encoder that recipes started from, with their differences from it added by weights: nothing is trained.

    Task arithmetic (Ilharco et al. 2023, arXiv 2212.04089); weights that sum to 1 give an average. Heads are left out,
    and the masked-LM head is that of the start.
    """

    merged: tuple[MergedPart, ...]
    mixture: tuple[MixturePart, ...] = ()
    config: TrainConfig = _UNTRAINED
    seed: int = 0

    @cached_property
    def payload(self) -> dict[str, Json]:
        """All that decides the weights, as plain JSON."""
        return {
            "kind": self.kind.value,
            "semantic_version": SEMANTIC_VERSION[self.kind],
            "parent": self.parent,
            "encoder": self.encoder.payload(),
            "mixture": [],
            "config": {"steps": 0},
            "merge": [[part.stage_id, part.weight] for part in self.merged],
        }

    @cached_property
    def name(self) -> str:
        """The rows that are merged, joined by a plus sign."""
        return "merge-" + "+".join(part.name for part in self.merged)

    @property
    def parents(self) -> tuple[str, ...]:
        """Its start, where that is a stage, and the recipes."""
        return (*_given(self.parent), *(part.stage_id for part in self.merged))


def _given(parent: str | None) -> tuple[str, ...]:
    return () if parent is None else (parent,)


@dataclass(frozen=True, kw_only=True)
class EvaluateItem:
    """One (use, language) that an evaluate stage scores.

    ``pool`` are the views that hold its candidates, where all queries ask the same ones: a language added to a pool
    makes other candidates, so the others are evaluated again. ``calibration`` is the view on which its threshold is
    chosen; None where it needs none, or is itself what the threshold is chosen on. Under a ``stress`` the view is
    altered before it is scored, or the model is attacked on it; pool and calibration never are.
    """

    use: Use
    view: DataView
    pool: tuple[DataView, ...] = ()
    calibration: DataView | None = None
    stress: Stress | None = None

    @cached_property
    def suffix(self) -> str:
        """``<use>.<language>-<8 hex of the data>``: the part of the output's key behind the stage id."""
        beside = self.beside
        name = digest({"view": self.view.digest, **beside}) if beside else self.view.digest
        return f"{self.use.value}.{self.view.language}-{name[:8]}"

    @cached_property
    def beside(self) -> dict[str, Json]:
        """What decides its score beside the view, as plain JSON: digests of pool and calibration, the stress."""
        found: dict[str, Json] = {"pool": [view.digest for view in self.pool]} if self.pool else {}
        if self.stress is not None:
            found["stress"] = self.stress.payload()
        return found if self.calibration is None else {**found, "calibration": self.calibration.digest}


@dataclass(frozen=True, kw_only=True)
class EvaluateStage:
    """Score one model on one target, zero-shot, in the languages of ``items``.

    ``parent`` is the train stage whose weights (and head) are scored; None scores the encoder as it is.
    """

    parent: str | None
    encoder: EncoderRef
    task: Task
    config: TaskConfig
    precision: Precision
    items: tuple[EvaluateItem, ...]

    kind = StageKind.EVALUATE

    @cached_property
    def payload(self) -> dict[str, Json]:
        """All that decides the scores but the data, which are in the outputs' keys."""
        payload: dict[str, Json] = {
            "kind": self.kind.value,
            "semantic_version": SEMANTIC_VERSION[self.kind],
            "parent": self.parent,
            "encoder": self.encoder.payload(),
            "task": self.task.payload(),
            "config": self.config.scoring_payload(self.task.kind),
            "precision": self.precision.value,
        }
        if any(item.stress is not None for item in self.items):
            payload["stressed"] = True  # so that nothing that waits for plain scores waits for these
        if self.task.may_have_no_answer:
            payload["threshold"] = {"best": "f1", "on": [item.view.digest for item in self.threshold_items]}
        return payload

    @cached_property
    def threshold_items(self) -> tuple[EvaluateItem, ...]:
        """The items of ``select`` that a no-answer threshold is chosen on: English, or all where none is English.

        They decide scores of other items too, and are therefore identity. Empty where questions always have an answer.
        """
        if not self.task.may_have_no_answer:
            return ()
        select = tuple(item for item in self.items if item.use is Use.SELECT)
        return tuple(item for item in select if item.view.language == "en") or select

    @property
    def name(self) -> str:
        """The target's name."""
        return self.task.name

    @cached_property
    def stage_id(self) -> str:
        """``evaluate-<target>-<12 hex>``."""
        return make_stage_id(self.kind, self.name, self.payload)

    @property
    def parents(self) -> tuple[str, ...]:
        """The stage that must be done before it."""
        return _given(self.parent)

    @cached_property
    def outputs(self) -> tuple[str, ...]:
        """One key per (use, language)."""
        return tuple(f"{self.stage_id}/{item.suffix}" for item in self.items)


# Estimates that look at labels of the target through a model, and those that need no model at all.
LABELLED = frozenset({Estimate.LOGME, Estimate.H_SCORE})
MODEL_FREE = frozenset({Estimate.TEXT_OVERLAP, Estimate.SIZE})


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateData:
    """Training data that an estimate looks at, and how they enter the model where there is one."""

    task: Task
    config: TaskConfig
    views: tuple[DataView, ...]

    def payload(self, estimate: Estimate) -> dict[str, Json]:
        """The identity fields: no more of the task than the estimate sees."""
        views: Json = [view.digest for view in self.views]
        if estimate in MODEL_FREE:
            return {"views": views}
        task: Json = self.task.learning_payload() if estimate in LABELLED else {"kind": self.task.kind.name}
        lengths: dict[str, Json] = {"max_length": self.config.max_length}
        if "doc_stride" in self.task.kind.settings.training:
            lengths["doc_stride"] = self.config.doc_stride
        return {"task": task, "config": lengths, "views": views}


@dataclass(frozen=True, kw_only=True)
class EstimateStage:
    """One cheap figure of an encoder on data, of a dataset, or of two.

    ``parent`` is the train stage whose encoder is looked at; None is the encoder as it is, and estimates without a
    model have none. ``data`` is one dataset, or for text overlap the intermediate's and then the target's.
    """

    estimate: Estimate
    parent: str | None
    encoder: EncoderRef
    data: tuple[EstimateData, ...]

    kind = StageKind.ESTIMATE

    @cached_property
    def payload(self) -> dict[str, Json]:
        """All that decides the figure; an estimate without a model is the same for every encoder."""
        return {
            "kind": self.kind.value,
            "semantic_version": SEMANTIC_VERSION[self.kind],
            "estimate": self.estimate.value,
            "definition": ESTIMATE_VERSION[self.estimate],
            "parent": self.parent,
            "encoder": None if self.estimate in MODEL_FREE else self.encoder.payload(),
            "data": [data.payload(self.estimate) for data in self.data],
        }

    @property
    def name(self) -> str:
        """The estimate: stages of one estimate cost alike, whatever they look at."""
        return self.estimate.value

    @cached_property
    def stage_id(self) -> str:
        """``estimate-<estimate>-<tasks>-<12 hex>``."""
        seen = "-".join([self.name, *(data.task.learner for data in self.data)])
        return make_stage_id(self.kind, seen, self.payload)

    @property
    def parents(self) -> tuple[str, ...]:
        """The stage that must be done before it."""
        return _given(self.parent)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The key of its one artifact."""
        return (self.stage_id,)


Stage = TrainStage | EvaluateStage | EstimateStage


def make_stage_id(kind: StageKind, name: str, payload: Mapping[str, Json]) -> str:
    """``<kind>-<short name>-<12 hex of the payload's SHA-256>``; the name is cut to 40 characters."""
    return f"{kind.value}-{name[:40]}-{digest(payload)}"
