"""Where a stage's time goes: some of its steps, or all its predictions, by the product's own loop and scorer.

Nothing is published and no lease is taken: a checkpoint is written into a folder that is thrown away, and tokenized
data are kept in the store's cache, as a stage keeps them.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from stilts.data.collate import Batch
from stilts.data.encoded import Encoded
from stilts.execute.fitting import known_rows
from stilts.execute.inputs import preparation, start_weights
from stilts.execute.origins import are_there
from stilts.execute.run_train import start_model, training_of
from stilts.execute.searching import Searches
from stilts.kinds.learning import add_heads, heads_of
from stilts.kinds.prepare import Preparation
from stilts.kinds.scorer import Alter, Scorer
from stilts.models.attention import forward_only
from stilts.models.device_memory import begin_peak, peak_gib
from stilts.models.model import StiltsModel, check_builds, fresh_model, load_model
from stilts.models.weight_folders import Weights
from stilts.store.artifact_store import ArtifactStore
from stilts.study.config import Precision, TrainConfig
from stilts.study.stage import EvaluateStage, TrainStage
from stilts.tasks.task import Task
from stilts.tasks.toy import TOY_ENCODER
from stilts.tasks.view import DataView
from stilts.training.checkpoint import TrainState
from stilts.training.clock import StageClock, StagePhase, Stopwatch
from stilts.training.device import autocast, set_up
from stilts.training.feed import Feed, Training
from stilts.training.loop import train
from stilts.training.reporter import Evaluation, Reply, SilentReporter
from stilts.training.run_config import RunConfig
from stilts.training.saving import expected_checkpoints
from stilts.training.selection import score_view, select_evaluation

WARM_UP = 3  # steps whose time is nobody's: memory is first taken in them, kernels are chosen
IN_STEPS = (StagePhase.DATA, StagePhase.FORWARD, StagePhase.BACKWARD, StagePhase.OPTIMIZER, StagePhase.IDLE)
IN_EVALUATIONS = (StagePhase.ENCODE, StagePhase.PREDICT, StagePhase.SCORE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Often:
    """How often the whole stage does what was measured once, or over some steps."""

    steps: int = 0
    evaluations: int = 0
    checkpoints: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What was measured of a stage.

    ``seconds`` are those of each phase, over ``steps`` steps, ``evaluations`` evaluations and one checkpoint of a
    training, or over all of an evaluation; ``whole`` is their time by another clock. ``weights_s`` and ``data_s``
    passed before: loading, and reading and encoding; what a process imports once is in none of them. ``examples`` went
    through the model, of ``tokens`` tokens that were padded to ``padded``. ``untrained`` names the parent whose weights
    are not in the store.
    """

    stage_id: str
    device: str
    precision: Precision
    seconds: Mapping[StagePhase, float]
    whole: float
    weights_s: float
    data_s: float
    steps: int
    evaluations: int
    often: Often
    examples: int
    tokens: int
    padded: int
    peak_gib: float
    untrained: str | None

    def expected(self, phase: StagePhase) -> float:
        """Seconds of the phase in the whole stage, by how often it does what was measured."""
        measured = self.seconds[phase]
        if not self.steps:
            return measured
        if phase in IN_STEPS:
            return measured * self.often.steps / self.steps
        if phase is StagePhase.CHECKPOINT:
            return measured * self.often.checkpoints
        return measured * self.often.evaluations

    @property
    def expected_s(self) -> float:
        """Seconds of the whole stage, but for publishing."""
        return self.weights_s + self.data_s + sum(map(self.expected, StagePhase))

    @property
    def working_s(self) -> float:
        """Seconds in which ``examples`` and ``tokens`` went through: of a training those of its steps."""
        return sum(map(self.seconds.__getitem__, IN_STEPS)) if self.steps else self.whole

    @property
    def padding(self) -> float:
        """The share of the tokens that went through the model that is padding."""
        return 1 - self.tokens / self.padded if self.padded else 0.0


def profile_training(stage: TrainStage, store: ArtifactStore, run: RunConfig, steps: int) -> Profile:
    """So many steps of a training behind ``WARM_UP`` ones, with one evaluation if it has any, and one checkpoint."""
    clock = _stopwatch(run)
    device = set_up(run, stage.config.precision)
    begin_peak(device)
    stage_id = stage.stage_id
    stage, untrained = _as_far_as_trained(stage, store)
    weights = _fetched(stage, store, run)
    begun = time.perf_counter()
    prepared = preparation(stage, weights.base if weights is not None else None, run)
    model, _ = start_model(stage, weights)
    loaded = time.perf_counter()
    watching = _watching(prepared, clock)
    scorer = partial(_scorer, prepared=prepared, run=run, precision=stage.config.precision, clock=clock)
    last = WARM_UP + steps
    evaluates = stage.config.evaluate_every > 0

    def evaluate(now: StiltsModel) -> Evaluation:
        found = select_evaluation(scorer(now), stage, watching) if evaluates else Evaluation(scores={})
        return replace(found, scores=found.scores or {stage.name: 0.0})  # what has no scores is not asked to stop

    # At its end the loop scores once, is told to stop, and therefore writes one checkpoint.
    short = replace(stage, config=replace(stage.config, steps=last, evaluate_every=last))
    warm = _Begin(clock)
    training = training_of(
        short,
        prepared,
        replace(run, checkpoint_every_s=float("inf")),
        warm,
        evaluate=evaluate,
        save=_not_kept,
        known=known_rows(stage, store, run),
    )
    read = time.perf_counter()
    state, _ = train(model, replace(training, clock=clock))
    clock.stop()
    whole = time.perf_counter() - warm.began
    rows, tokens, padded = _fed(training, state, steps)
    profile = Profile(
        stage_id=stage_id,
        device=run.device,
        precision=stage.config.precision,
        seconds=clock.seconds,
        whole=whole,
        weights_s=loaded - begun,
        data_s=read - loaded,
        steps=steps,
        evaluations=int(evaluates),
        often=Often(),
        examples=rows,
        tokens=tokens,
        padded=padded,
        peak_gib=peak_gib(device),
        untrained=untrained,
    )
    return replace(profile, often=_often(stage.config, profile, run))


def profile_evaluation(stage: EvaluateStage, store: ArtifactStore, run: RunConfig) -> Profile:
    """Every language of an evaluation, read, encoded, predicted and scored."""
    clock = _stopwatch(run)
    device = set_up(run, stage.precision)
    begin_peak(device)
    stage_id = stage.stage_id
    stage, untrained = _as_far_as_trained(stage, store)
    weights = _fetched(stage, store, run)
    begun = time.perf_counter()
    prepared = preparation(stage, weights.base if weights is not None else None, run)
    model = _scored_model(stage, weights).to(device)
    scorer = _scorer(model, prepared=prepared, run=run, precision=stage.precision, clock=clock)
    watching = _watching(prepared, clock)
    searches = Searches(stage=stage, store=store, scorer=scorer, prepared=watching)
    loaded, examples = time.perf_counter(), 0
    _warmed(scorer)
    clock.restart()
    began = time.perf_counter()
    for item in stage.items:
        with clock.during(StagePhase.SCORE):
            aided = replace(scorer, search=searches.of(item))
            found, _, _ = score_view(aided, stage.task, stage.config, item.view, watching)
        examples += len(found)
    clock.stop()
    return Profile(
        stage_id=stage_id,
        device=run.device,
        precision=stage.precision,
        seconds=clock.seconds,
        whole=time.perf_counter() - began,
        weights_s=loaded - begun,
        data_s=0.0,
        steps=0,
        evaluations=len(stage.items),
        often=Often(evaluations=len(stage.items)),
        examples=examples,
        tokens=scorer.seen.tokens,
        padded=scorer.seen.padded,
        peak_gib=peak_gib(device),
        untrained=untrained,
    )


@dataclass(slots=True)
class _Seen:
    tokens: int = 0
    padded: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedScorer(Scorer):
    """A scorer whose batches are made on a clock, and counted."""

    clock: StageClock
    seen: _Seen = field(default_factory=_Seen)

    def batch(self, encoded: Encoded, units: Any, alter: Alter | None) -> Batch:
        """As ``Scorer.batch``."""
        with self.clock.during(StagePhase.ENCODE):
            batch = Scorer.batch(self, encoded, units, alter)
        self.seen.tokens += int(batch.mask.sum())
        self.seen.padded += batch.ids.numel()
        return batch


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedPreparation(Preparation):
    """A preparation that reads and encodes on a clock."""

    clock: StageClock

    def examples(self, task: Task, view: DataView) -> list[Any]:
        """As ``Preparation.examples``."""
        with self.clock.during(StagePhase.ENCODE):
            return Preparation.examples(self, task, view)

    def encoded(self, task: Task, view: DataView, **lengths: Any) -> Encoded:
        """As ``Preparation.encoded``."""
        with self.clock.during(StagePhase.ENCODE):
            return Preparation.encoded(self, task, view, **lengths)


class _Begin(SilentReporter):
    """Has the clock begin when the steps that warm up are done, and the training end behind its evaluation."""

    def __init__(self, clock: Stopwatch) -> None:
        self._clock = clock
        self.began = 0.0

    def progress(self, stage_id: str, step: int, steps: int) -> None:
        if step == WARM_UP:
            self._clock.restart()
            self.began = time.perf_counter()

    def evaluated(self, stage_id: str, step: int, steps: int, evaluation: Evaluation) -> Reply:
        return Reply.STOP


def _as_far_as_trained(stage: Any, store: ArtifactStore) -> tuple[Any, str | None]:
    """The stage, and None; where its parent's weights are not there, a stage that starts from the encoder, and it."""
    if stage.parent is None or are_there(stage.parent, store):
        return stage, None
    alone = {"parent_adapter": None} if isinstance(stage, TrainStage) else {}
    return replace(stage, parent=None, **alone), stage.parent


def _fetched(stage: TrainStage | EvaluateStage, store: ArtifactStore, run: RunConfig) -> Weights | None:
    """The stage's first weights, and all imported that a model of them needs: a warm worker has that."""
    weights = start_weights(stage, store, run)
    if weights is not None:
        check_builds(weights.base)
    return weights


def _scored_model(stage: EvaluateStage, weights: Weights | None) -> StiltsModel:
    """The stage's model; new heads where there is no parent that trained them."""
    if weights is None:
        model = fresh_model({"model_type": "xlm-roberta", **TOY_ENCODER}, 0)
    else:
        trained = stage.parent is not None and stage.task.is_trained
        model, _ = load_model(weights, heads_of([stage.task]) if trained else {})
    if stage.parent is None and stage.task.is_trained:
        add_heads(model, [stage.task], 0)
    return model


def _scorer(
    model: StiltsModel, *, prepared: Preparation, run: RunConfig, precision: Precision, clock: StageClock
) -> WatchedScorer:
    device = torch.device(run.device)
    return WatchedScorer(
        model=model,
        vocabulary=prepared.vocabulary(),
        device=device,
        eval_tokens=run.tokens_at_once,
        autocast=clock.around(StagePhase.PREDICT, autocast(device, precision)),
        clock=clock,
    )


def _watching(prepared: Preparation, clock: StageClock) -> WatchedPreparation:
    return WatchedPreparation(**{each.name: getattr(prepared, each.name) for each in fields(prepared)}, clock=clock)


def _warmed(scorer: Scorer) -> None:
    """One forward pass of a few tokens: what a device needs once is no part of a stage in a warm worker."""
    ids = torch.full((2, 8), scorer.vocabulary.pad + 3, device=scorer.device)
    scorer.model.eval()
    with forward_only(), scorer.autocast():
        scorer.model.hidden(ids, None)


def _stopwatch(run: RunConfig) -> Stopwatch:
    device = torch.device(run.device)
    return Stopwatch(partial(torch.cuda.synchronize, device)) if device.type == "cuda" else Stopwatch()


def _fed(training: Training, state: TrainState, steps: int) -> tuple[int, int, int]:
    """Examples, tokens and tokens with padding of the steps that were measured: made again, they are the same."""
    feed = Feed(replace(training, run=replace(training.run, device="cpu")))
    units = tokens = padded = 0
    for step in range(WARM_UP, WARM_UP + steps):
        _, share = feed.share(TrainState(step=step, micro_batch=state.micro_batch))
        units += share.units
        tokens += share.tokens
        padded += sum(batch.ids.numel() for batch in share.batches)
    return units, tokens, padded


def _often(config: TrainConfig, profile: Profile, run: RunConfig) -> Often:
    every = config.evaluate_every
    evaluations = -(-config.steps // every) if every else 0
    often = Often(steps=config.steps, evaluations=evaluations)
    loop_s = sum(map(replace(profile, often=often).expected, (*IN_STEPS, *IN_EVALUATIONS)))
    cost = profile.seconds[StagePhase.CHECKPOINT]
    return replace(often, checkpoints=expected_checkpoints(loop_s, cost, run.checkpoint_every_s))


def _not_kept(folder: Path) -> None:
    """A checkpoint that was measured is thrown away."""
