"""Execution settings change rounding only, and a stage that was interrupted ends with the same bits."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from stilts.execute.run_stage import run_stage
from stilts.models.transfer import read_tensors
from stilts.store import make_store
from stilts.study.stage import TrainStage
from stilts.training.reporter import Evaluation, Reply
from stilts.training.run_config import RunConfig
from tests.training.recording_reporter import RecordingReporter
from tests.training.tiny import part, run_config, train_stage

KINDS = ["mnli", "udpos", "tydiqa_en", "hellaswag", "lareqa", "plain"]


def trained(stage: TrainStage, folder: Path, run: RunConfig) -> dict[str, torch.Tensor]:
    """All tensors of the artifact that the stage publishes in a new store."""
    store = make_store(str(folder))
    run_stage(stage, store, run)
    artifact = store.fetch(stage.stage_id)
    return {f.name + "/" + k: v for f in artifact.glob("*.safetensors") for k, v in read_tensors(f).items()}


def largest_difference(left: dict[str, torch.Tensor], right: dict[str, torch.Tensor]) -> float:
    assert left.keys() == right.keys()
    return max(float((left[name] - right[name]).abs().max()) for name in left)


@pytest.mark.parametrize("kind", KINDS)
def test_micro_batches_change_rounding_only(kind: str, tiny_encoder: Path, tmp_path: Path) -> None:
    # Dropout is on: its masks must not depend on how a batch is cut or padded.
    stage = train_stage(tiny_encoder, part(kind))
    whole = trained(stage, tmp_path / "whole", run_config(tiny_encoder))
    cut = trained(stage, tmp_path / "cut", run_config(tiny_encoder, micro_batch=4))
    assert largest_difference(whole, cut) < 2e-5


@pytest.mark.on_device
def test_the_same_stage_gives_the_same_bits(tiny_encoder: Path, tmp_path: Path) -> None:
    stage = train_stage(tiny_encoder, part("mnli", 0.5), part("udpos", 0.5))
    first = trained(stage, tmp_path / "a", run_config(tiny_encoder))
    second = trained(stage, tmp_path / "b", run_config(tiny_encoder))
    assert largest_difference(first, second) == 0.0


def test_another_seed_gives_other_weights(tiny_encoder: Path, tmp_path: Path) -> None:
    first = trained(train_stage(tiny_encoder, seed=1), tmp_path / "a", run_config(tiny_encoder))
    second = trained(train_stage(tiny_encoder, seed=2), tmp_path / "b", run_config(tiny_encoder))
    assert largest_difference(first, second) > 1e-4


class InterruptingReporter(RecordingReporter):
    """Raises after a number of steps, as a killed process would stop."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.after = after

    def progress(self, stage_id: str, step: int, steps: int) -> None:
        super().progress(stage_id, step, steps)
        if step == self.after:
            raise ConnectionAbortedError("interrupted on purpose")


@pytest.mark.on_device
@pytest.mark.parametrize("keep", ["last", "best"])
def test_an_interrupted_stage_ends_with_the_same_bits(keep: str, tiny_encoder: Path, tmp_path: Path) -> None:
    from stilts.study.config import Keep

    config = {"keep": Keep(keep), "evaluate_every": 4, "steps": 12}
    stage = train_stage(tiny_encoder, part("mnli", 0.5), part("udpos", 0.5), **config)
    whole = trained(stage, tmp_path / "whole", run_config(tiny_encoder))
    often = run_config(tiny_encoder, checkpoint_every_s=0.0)
    store = make_store(str(tmp_path / "cut"))
    for after in (3, 8, 11):
        with pytest.raises(ConnectionAbortedError):
            run_stage(stage, store, often, InterruptingReporter(after))
    resumed = RecordingReporter()
    run_stage(stage, store, often, resumed)
    assert resumed.steps_seen[0][1] > 8, "it went on from a checkpoint"
    assert largest_difference(whole, trained(stage, tmp_path / "cut", often)) == 0.0
    assert store.load_progress(stage.stage_id) is None


@pytest.mark.on_device
def test_a_stopped_stage_publishes_nothing_and_goes_on_when_asked_again(tiny_encoder: Path, tmp_path: Path) -> None:
    stage = train_stage(tiny_encoder, part("mnli"), evaluate_every=4)
    store = make_store(str(tmp_path / "store"))
    outcome = run_stage(stage, store, run_config(tiny_encoder), RecordingReporter(stop_at=4))
    assert outcome.state == "pruned" and not store.is_done(stage.stage_id)
    reporter = RecordingReporter()
    assert run_stage(stage, store, run_config(tiny_encoder), reporter).state == "done"
    assert reporter.steps_seen[0][1] == 5
    assert [step for _, step, _ in reporter.evaluations] == [8, 10]


def test_reporters_answer_continue_unless_told() -> None:
    assert RecordingReporter().evaluated("s", 1, 2, Evaluation(scores={})) is Reply.CONTINUE


@pytest.mark.parametrize("kind", ["mnli", "udpos", "tydiqa_en"])
def test_an_evaluation_carries_each_examples_score(kind: str, tiny_encoder: Path, tmp_path: Path) -> None:
    stage = train_stage(tiny_encoder, part(kind), evaluate_every=10)
    reporter = RecordingReporter()
    run_stage(stage, make_store(str(tmp_path / "store")), run_config(tiny_encoder), reporter)
    ((_, step, evaluation),) = reporter.evaluations
    (view,) = stage.mixture[0].select
    learner = stage.mixture[0].task.learner
    single = evaluation.items[learner][view.language]
    assert step == 10 and len(single.scores) > 10 and len(single.items) == 16
    if kind != "udpos":  # words count there, so that a sentence's weight is its length
        assert float(single.scores.mean()) == pytest.approx(evaluation.scores[learner], abs=1e-3)
    assert single.scores.min() >= 0 and single.scores.max() <= 100
