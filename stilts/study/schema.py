"""The study file's schema: every field that a study under ``search_spaces/`` may have, with its meaning and limits.

Strict: an unknown key, a number in quotes or a value out of range is an error that names the field. ``study.py``
reads files into these values; nothing here looks at data. What of a row is searched has its own file,
``search_schema.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import AfterValidator, Discriminator, Field, Tag, field_validator, model_validator

from stilts.metrics.levels import FALSE_CLAIM
from stilts.study.claims_schema import Claim
from stilts.study.mixture_schema import MaskedLm, Sampling
from stilts.study.policy_schema import StudyPolicy
from stilts.study.published_schema import PublishedFigures
from stilts.study.robust_schema import Robustness
from stilts.study.schema_part import Count, Fraction, Name, Names, PathText, Rate, SchemaPart, Weight, check_meant
from stilts.study.search_schema import Search
from stilts.tasks.kinds import known_kinds


class Encoder(SchemaPart):
    """Which encoder: exactly one of a folder, a hub id, or the toy encoder."""

    path: PathText | None = None
    hub: PathText | None = None
    revision: Name | None = None
    toy: Literal[True] | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(value is not None for value in (self.path, self.hub, self.toy)) != 1:
            raise ValueError("give exactly one of path, hub and toy")
        if self.revision is not None and self.hub is None:
            raise ValueError("revision belongs to hub")
        return self


class Data(SchemaPart):
    """Where data come from. Roots are relative to the study file; ``sources`` overrides by dataset."""

    source: Literal["hub", "files", "toy"]
    root: PathText | None = None
    text_root: PathText | None = None
    sources: Mapping[Name, Literal["hub", "files", "toy"]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _rooted(self) -> Self:
        if "files" in {self.source, *self.sources.values()} and self.root is None and self.text_root is None:
            raise ValueError("the source files needs a root")
        return self


class Adapter(SchemaPart):
    """LoRA: what is trained instead of the encoder's weights; see ``stilts.tasks.adapter.AdapterConfig``."""

    rank: Annotated[int, Field(ge=1, le=4096)] | None = None
    alpha: Annotated[float, Field(gt=0.0, le=1e5)] | None = None
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] | None = None
    modules: Names | None = None


def _adapter_form(value: object) -> str:
    return "one" if isinstance(value, str) else "several"


class Train(SchemaPart):
    """How a stage trains; see ``stilts.study.config.TrainConfig``. Give steps or epochs, not both.

    ``limit`` keeps at most that many training examples (those with the smallest content hash).
    """

    steps: Count | None = None
    epochs: Annotated[float, Field(gt=0.0, le=1000.0)] | None = None
    learning_rate: Rate | None = None
    warmup_frac: Fraction | None = None
    weight_decay: Annotated[float, Field(ge=0.0, le=10.0)] | None = None
    adam_beta1: Annotated[float, Field(ge=0.0, lt=1.0)] | None = None
    adam_beta2: Annotated[float, Field(ge=0.0, lt=1.0)] | None = None
    adam_epsilon: Annotated[float, Field(gt=0.0, le=1.0)] | None = None
    clip_norm: Annotated[float, Field(gt=0.0, le=1e6)] | None = None
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] | None = None
    attention_dropout: Annotated[float, Field(ge=0.0, lt=1.0)] | None = None
    precision: Literal["fp32", "tf32", "bf16"] | None = None
    keep: Literal["last", "best"] | None = None
    evaluate_every: Annotated[int, Field(ge=0, le=10_000_000)] | None = None
    limit: Count | None = None
    adapter: (
        Annotated[
            Annotated[Literal["none"], Tag("one")] | Annotated[Adapter, Tag("several")], Discriminator(_adapter_form)
        ]
        | None
    ) = None
    parent_adapter: Literal["merge", "stack", "drop"] | None = None

    @model_validator(mode="after")
    def _length(self) -> Self:
        if self.steps is not None and self.epochs is not None:
            raise ValueError("give steps or epochs, not both")
        return self


class Encoding(SchemaPart):
    """How examples enter the model; see ``stilts.study.config.TaskConfig``."""

    batch_size: Annotated[int, Field(ge=1, le=65_536)] | None = None
    max_length: Annotated[int, Field(ge=16, le=8192)] | None = None
    doc_stride: Annotated[int, Field(ge=0, le=8192)] | None = None
    max_answer_tokens: Annotated[int, Field(ge=1, le=8192)] | None = None
    mask_frac: Annotated[float, Field(gt=0.0, lt=1.0)] | None = None
    layer: Annotated[int, Field(ge=0, le=1000)] | None = None
    temperature: Annotated[float, Field(gt=0.0, le=100.0)] | None = None
    pooling: Literal["mean", "cls", "max", "last"] | None = None
    direction: Literal["from_english", "to_english"] | None = None
    margin: Literal["absolute", "distance", "ratio"] | None = None
    query_length: Annotated[int, Field(ge=4, le=8192)] | None = None
    candidate_length: Annotated[int, Field(ge=4, le=8192)] | None = None


class Limits(SchemaPart):
    """At most how many examples of a language are evaluated: those with the smallest hash of the source item."""

    select: Count | None = None
    report: Count | None = None


def _known_kind(name: str) -> str:
    names = [kind.name for kind in known_kinds().all()]
    if name not in names:
        raise ValueError(f'no task kind "{name}"; known: {", ".join(names)}')
    return name


KindName: TypeAlias = Annotated[str, AfterValidator(_known_kind)]


def _size_form(value: object) -> str:
    return "name" if isinstance(value, str) else "number"


Size = Annotated[Annotated[Count, Tag("number")] | Annotated[Name, Tag("name")], Discriminator(_size_form)]


class Defaults(SchemaPart):
    """What rows and columns have unless they say otherwise; ``kinds`` refines ``encoding`` by task kind.

    ``match_size`` cuts the training examples of rows to a number, a task's, or those of the ``smallest`` of them.
    """

    intermediate: Train = Train()
    target: Train = Train()
    encoding: Encoding = Encoding()
    kinds: Mapping[KindName, Encoding] = Field(default_factory=dict)
    limits: Limits = Limits()
    match_size: Size | None = None


class StageResources(SchemaPart):
    """What some stages hold while they run; what is not given is as for all others."""

    cpus: Annotated[float, Field(ge=0.0, le=1024.0)] | None = None
    gpus: Annotated[float, Field(ge=0.0, le=64.0)] | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        _check_gpus(self.gpus or 0.0)
        return self


def _not_zero(weight: float) -> float:
    if weight == 0.0:
        raise ValueError("a row of weight 0 adds nothing: leave it out")
    return weight


def _check_gpus(gpus: float) -> None:
    if gpus > 1 and gpus != int(gpus):
        raise ValueError(f"a stage holds a part of one GPU, or whole ones: {gpus:g} is neither")


# 0 would merge nothing, and what is 10 times as far from the start as its recipe is no encoder any more.
MergeWeight = Annotated[float, Field(ge=-10.0, le=10.0), AfterValidator(_not_zero)]


class Intermediate(SchemaPart):
    """A row: one task (by default the one of the row's name), a mixture with weights or by size, or a searched one.

    ``merge`` adds the differences that other rows' recipes made of the encoder, by weights, and trains nothing.

    ``masked_lm`` adds a share of masked LM to a row whose share is not searched. ``control`` takes away what its data
    could teach. ``resources`` are of its training.
    """

    task: Name | None = None
    mixture: Annotated[Mapping[Name, Weight], Field(min_length=1)] | None = None
    sampling: Sampling | None = None
    masked_lm: MaskedLm | None = None
    merge: Annotated[Mapping[Name, MergeWeight], Field(min_length=1)] | None = None
    control: Literal["shuffled_labels", "texts_only"] | None = None
    match_size: Size | None = None
    train: Train = Train()
    encoding: Encoding = Encoding()
    search: Search | None = None
    resources: StageResources = StageResources()

    @model_validator(mode="after")
    def _one_content(self) -> Self:
        search = self.search
        searched = [] if search is None else [search.weights, search.sampling, search.subset, search.merge]
        if sum(value is not None for value in (self.task, self.mixture, self.sampling, self.merge, *searched)) > 1:
            raise ValueError(
                "give one of task, mixture, sampling, merge and search.weights, .sampling, .subset or .merge"
            )
        if self.mixture is not None and abs(sum(self.mixture.values()) - 1.0) > 1e-6:
            raise ValueError(f"the weights of mixture sum to {sum(self.mixture.values()):g}, not to 1")
        if self.masked_lm is not None and self.search is not None and self.search.masked_lm is not None:
            raise ValueError("give masked_lm or search.masked_lm, not both")
        self._check_merge()
        if self.control is not None and self.search is not None:
            raise ValueError("a control repeats what another row trains: it has no search")
        return self

    @property
    def merged_rows(self) -> tuple[str, ...]:
        """The rows that it merges, with fixed or searched weights; empty where it trains."""
        if self.merge is not None:
            return tuple(self.merge)
        return (self.search.merge or ()) if self.search is not None else ()

    def _check_merge(self) -> None:
        if not self.merged_rows:
            return
        trains = self.model_fields_set - {"merge", "search"}
        numbers = self.search.searched() if self.search is not None else ()
        trains |= {name for name in numbers if not name.startswith(("target_", "merge"))}
        if trains or (self.search is not None and self.search.masked_lm is not None):
            raise ValueError(f"a merge trains nothing: {', '.join(sorted(trains)) or 'masked LM'} means nothing there")


class Target(SchemaPart):
    """A column: one task (by default the one of the column's name) in some languages (by default all there are).

    ``resources`` are of its training.
    """

    task: Name | None = None
    languages: Names | None = None
    train: Train = Train()
    encoding: Encoding = Encoding()
    limits: Limits = Limits()
    resources: StageResources = StageResources()

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if self.languages is not None and len(set(self.languages)) != len(self.languages):
            raise ValueError("languages names one twice")
        return self


class Seeds(SchemaPart):
    """How many replicates a cell has: ``count`` pairs of seeds (0, 0), (1, 1), ..., or all pairs of two sets."""

    count: Annotated[int, Field(ge=1, le=1000)] | None = None
    intermediate_seeds: Annotated[int, Field(ge=1, le=1000)] | None = None
    target_seeds: Annotated[int, Field(ge=1, le=1000)] | None = None

    @model_validator(mode="after")
    def _one_design(self) -> Self:
        crossed = self.intermediate_seeds is not None and self.target_seeds is not None
        if (self.count is not None) == crossed or (self.intermediate_seeds is None) != (self.target_seeds is None):
            raise ValueError("give count, or both intermediate_seeds and target_seeds")
        return self


class CellSeeds(Seeds):
    """Replicates of some cells; without ``rows`` or ``columns`` all of them."""

    rows: Names | None = None
    columns: Names | None = None


class Replicates(SchemaPart):
    """Replicates of all cells, and of named ones; the last that names a cell holds.

    In a searched row they confirm the chosen recipe.
    """

    default: Seeds = Seeds(count=1)
    cells: Annotated[tuple[CellSeeds, ...], Field(strict=False)] = ()


_PRUNING_OPTIONS = {
    "none": (),
    "successive_halving": ("keep_frac", "at_fracs", "min_recipes"),
    "median": ("at_fracs", "min_recipes"),
    "wilcoxon": ("alpha", "min_items", "at_fracs", "min_recipes"),
}


class Pruning(SchemaPart):
    """Which recipes of a searched row stop early on a target, at evaluations of its ``evaluate_every``.

    ``keep_frac`` belongs to ``successive_halving``; ``alpha`` (the chance of a false stop) and ``min_items`` (paired
    examples) to ``wilcoxon``. ``min_recipes`` must have got as far before any is stopped: 3, with ``wilcoxon`` 2.
    """

    policy: Literal["none", "successive_halving", "median", "wilcoxon"] = "none"
    keep_frac: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.5
    at_fracs: Annotated[tuple[Annotated[float, Field(gt=0.0, lt=1.0)], ...], Field(strict=False, min_length=1)] = (
        0.25,
        0.5,
    )
    min_recipes: Annotated[int, Field(ge=2, le=100_000)] | None = None
    alpha: Annotated[float, Field(gt=0.0, lt=1.0)] = FALSE_CLAIM
    min_items: Annotated[int, Field(ge=1, le=10_000_000)] = 50

    @model_validator(mode="after")
    def _meant(self) -> Self:
        check_meant(self, self.policy, _PRUNING_OPTIONS)
        return self


class StudyResources(SchemaPart):
    """What one stage holds while it runs, and how much of the cluster a study may use at once.

    ``train``, ``evaluate`` and ``estimate`` are what stages of that kind hold instead.
    """

    cpus: Annotated[float, Field(ge=0.0, le=1024.0)] = 1.0
    gpus: Annotated[float, Field(ge=0.0, le=64.0)] = 0.0
    train: StageResources = StageResources()
    evaluate: StageResources = StageResources()
    estimate: StageResources = StageResources()
    max_gpus: Annotated[float, Field(gt=0.0, le=4096.0)] | None = None
    max_concurrent: Annotated[int, Field(ge=1, le=10_000)] | None = None
    micro_batch: Annotated[int, Field(ge=1, le=65_536)] | None = None
    gradient_checkpointing: bool = False
    silent_s: Annotated[float, Field(ge=1.0, le=1e6)] = 1800.0

    @model_validator(mode="after")
    def _meant(self) -> Self:
        _check_gpus(self.gpus)
        return self


class StudyFile(SchemaPart):
    """A whole study file."""

    name: Name
    question: str = ""
    encoder: Encoder
    data: Data
    tasks: PathText | None = None
    selection: Literal["english_dev", "target_dev"] = "english_dev"
    seed: Annotated[int, Field(ge=0, le=2**31)] = 0
    defaults: Defaults = Defaults()
    intermediates: Annotated[Mapping[Name, Intermediate | None], Field(min_length=1)]
    targets: Annotated[Mapping[Name, Target | None], Field(min_length=1)]
    replicates: Replicates = Replicates()
    policy: StudyPolicy = StudyPolicy()
    estimates: Annotated[tuple[Name, ...], Field(strict=False)] = ()
    robustness: Annotated[tuple[Robustness, ...], Field(strict=False)] = ()
    pruning: Pruning = Pruning()
    resources: StudyResources = StudyResources()
    gpu_hour_price: Annotated[float, Field(ge=0.0, le=1e6)] | None = None
    claims: Annotated[tuple[Claim, ...], Field(strict=False)] = ()
    published: Annotated[tuple[PublishedFigures, ...], Field(strict=False)] = ()

    @model_validator(mode="after")
    def _within_max_gpus(self) -> Self:
        wanted = self.resources
        kinds = [
            wanted.gpus if one.gpus is None else one.gpus for one in (wanted.train, wanted.evaluate, wanted.estimate)
        ]
        parts = [part for part in (*self.intermediates.values(), *self.targets.values()) if part is not None]
        most = max([*kinds, *(part.resources.gpus or 0.0 for part in parts)])
        if wanted.max_gpus is not None and most == 0:
            raise ValueError(
                "resources.max_gpus bounds stages that hold GPUs: give gpus too, or bound them by max_concurrent"
            )
        if wanted.max_gpus is not None and wanted.max_gpus < most:
            raise ValueError(f"resources.max_gpus is below the {most:g} GPUs that one stage holds")
        return self

    @field_validator("selection", mode="before")
    @classmethod
    def _not_on_report(cls, value: object) -> object:
        if value in ("report", "oracle"):
            raise ValueError(
                "what is chosen on report is an oracle, its figures too good: choose english_dev or target_dev"
            )
        return value
