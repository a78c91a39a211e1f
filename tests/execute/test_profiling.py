"""A profile says where the time goes: all of it, and what was made slow on purpose."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from stilts.app.limiting import limit_of
from stilts.cli.main import app
from stilts.errors import InputError
from stilts.execute.inputs import preparation, start_weights
from stilts.execute.profiling import IN_STEPS, WARM_UP, Profile, profile_evaluation, profile_training
from stilts.execute.run_stage import run_stage
from stilts.execute.run_train import start_model, training_of
from stilts.kinds.prepare import Preparation
from stilts.kinds.scorer import Scorer
from stilts.store import Store, make_store
from stilts.training import feed, loop
from stilts.training.clock import NO_CLOCK, StagePhase, Stopwatch
from stilts.training.reporter import Evaluation, SilentReporter
from stilts.training.saving import expected_checkpoints
from tests.e2e.studies import tiny_study
from tests.training.tiny import evaluate_stage, part, run_config, train_stage

SLOW_S = 0.05


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return make_store(str(tmp_path / "store"))


def slowed(monkeypatch: pytest.MonkeyPatch, place: Any, name: str, seconds: float = SLOW_S) -> None:
    """Makes a function sleep before it does what it does."""
    real: Callable[..., Any] = getattr(place, name)

    def slow(*given: Any, **named: Any) -> Any:
        time.sleep(seconds)
        return real(*given, **named)

    monkeypatch.setattr(place, name, slow)


def largest(profile: Profile) -> StagePhase:
    """The phase with the most time, but for idle: a machine that others use makes that what it likes."""
    return max(profile.seconds, key=lambda phase: -1.0 if phase is StagePhase.IDLE else profile.seconds[phase])


def content(store: Store) -> set[Path]:
    return {path for path in Path(store.url).rglob("*") if path.is_file()}


@pytest.mark.on_device
def test_phases_are_all_of_the_time_and_nothing_is_published(tiny_encoder: Path, store: Store) -> None:
    stage = train_stage(tiny_encoder, part("udpos", 0.5), part("mnli", 0.5), steps=100, evaluate_every=30)
    before = content(store)
    found = profile_training(stage, store, run_config(tiny_encoder), 6)
    assert sum(found.seconds.values()) == pytest.approx(found.whole, rel=0.02)
    assert all(found.seconds[phase] > 0 for phase in StagePhase)
    assert (found.often.steps, found.often.evaluations, found.often.checkpoints) == (100, 4, 0)
    assert 0 < found.padding < 1 and found.examples == 6 * 8 and found.tokens < found.padded
    assert content(store) == before and store.done() == frozenset() == store.leased()


def test_steps_are_counted_behind_those_that_warm_up(
    tiny_encoder: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[int] = []
    real = loop._step
    monkeypatch.setattr(loop, "_step", lambda now: steps.append(now.state.step) or real(now))
    profile_training(train_stage(tiny_encoder), store, run_config(tiny_encoder), 4)
    assert len(steps) == WARM_UP + 4


def test_a_slow_collate_is_data(tiny_encoder: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    slowed(monkeypatch, feed, "collate")
    stage = train_stage(tiny_encoder, steps=1000)
    found = profile_training(stage, store, run_config(tiny_encoder), 5)
    assert found.seconds[StagePhase.DATA] >= 5 * SLOW_S and largest(found) is StagePhase.DATA
    assert found.expected(StagePhase.DATA) == pytest.approx(found.seconds[StagePhase.DATA] * 200)
    assert "Making batches" in limit_of(found, stage)


def test_a_slow_pass_is_forward_and_a_slow_clip_the_optimizer(
    tiny_encoder: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, run = train_stage(tiny_encoder), run_config(tiny_encoder)
    with monkeypatch.context() as patch:
        slowed(patch, loop.StiltsModel, "hidden")
        found = profile_training(stage, store, run, 5)
        assert largest(found) is StagePhase.FORWARD and found.seconds[StagePhase.FORWARD] >= 5 * SLOW_S
    with monkeypatch.context() as patch:
        slowed(patch, loop.torch.nn.utils, "clip_grad_norm_")
        found = profile_training(stage, store, run, 5)
        assert largest(found) is StagePhase.OPTIMIZER and found.seconds[StagePhase.OPTIMIZER] >= 5 * SLOW_S


def test_a_slow_checkpoint_is_checkpoint(tiny_encoder: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    slowed(monkeypatch, loop, "take_checkpoint", 0.4)
    found = profile_training(train_stage(tiny_encoder, steps=2), store, run_config(tiny_encoder), 3)
    assert (
        largest(found) is StagePhase.CHECKPOINT and 0.4 <= found.seconds[StagePhase.CHECKPOINT] < 0.4 + found.whole / 2
    )
    assert found.expected(StagePhase.CHECKPOINT) == 0, "so short a stage has none"
    assert expected_checkpoints(100.0, 0.4, 30.0) == 3 and expected_checkpoints(100.0, 1.0, 30.0) == 3
    assert expected_checkpoints(100.0, 2.0, 30.0) == 1


def test_a_slow_evaluation_is_evaluation(tiny_encoder: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    slowed(monkeypatch, Scorer, "cut", 0.4)
    stage = train_stage(tiny_encoder, steps=6, evaluate_every=2)
    found = profile_training(stage, store, run_config(tiny_encoder), 3)
    assert (
        largest(found) is StagePhase.SCORE and found.expected(StagePhase.SCORE) == 3 * found.seconds[StagePhase.SCORE]
    )
    assert "evaluate_every" in limit_of(found, stage)


@pytest.mark.on_device
@pytest.mark.parametrize(("name", "slow"), [("udpos", "encoded"), ("tatoeba", "examples"), ("xquad", "encoded")])
def test_an_evaluation_is_read_predicted_and_scored(
    name: str, slow: str, tiny_encoder: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    parent = train_stage(tiny_encoder, part("squad" if name == "xquad" else "udpos", limit=32), steps=2)
    run_stage(parent, store, run_config(tiny_encoder))
    stage = evaluate_stage(tiny_encoder, name, parent.stage_id, "qaa", "qab")
    before = content(store)
    found = profile_evaluation(stage, store, run_config(tiny_encoder))
    assert found.stage_id == stage.stage_id and found.untrained is None
    assert sum(found.seconds.values()) == pytest.approx(found.whole, rel=0.02)
    assert all(found.seconds[phase] > 0 for phase in (StagePhase.ENCODE, StagePhase.PREDICT, StagePhase.SCORE))
    assert found.examples == 48 and found.tokens < found.padded and content(store) == before
    slowed(monkeypatch, Preparation, slow, 0.5)
    assert largest(profile_evaluation(stage, store, run_config(tiny_encoder))) is StagePhase.ENCODE


def test_without_its_parent_a_stage_starts_from_the_encoder_and_keeps_its_name(
    tiny_encoder: Path, store: Store
) -> None:
    parent, run = train_stage(tiny_encoder, part("udpos")), run_config(tiny_encoder)
    child = replace(train_stage(tiny_encoder, part("mnli")), parent=parent.stage_id)
    scored = evaluate_stage(tiny_encoder, "udpos", parent.stage_id, "qaa")
    found = (profile_training(child, store, run, 1), profile_evaluation(scored, store, run))
    assert [one.untrained for one in found] == [parent.stage_id] * 2
    assert [one.stage_id for one in found] == [child.stage_id, scored.stage_id]


def test_a_clock_changes_no_bit_and_nobody_has_one(tiny_encoder: Path, store: Store) -> None:
    curves, stage, run = [], train_stage(tiny_encoder), run_config(tiny_encoder)
    assert NO_CLOCK.during(StagePhase.DATA) is NO_CLOCK.during(StagePhase.FORWARD)
    for clock in (NO_CLOCK, Stopwatch()):
        weights = start_weights(stage, store, run)
        assert weights is not None
        model, _ = start_model(stage, weights)
        training = training_of(
            stage,
            preparation(stage, weights.base, run),
            run,
            SilentReporter(),
            evaluate=lambda now: Evaluation(scores={}),
            save=lambda folder: None,
        )
        assert training.clock is NO_CLOCK
        curves.append(loop.train(model, replace(training, clock=clock))[0].curve)
    assert curves[0] == curves[1]


def test_phases_inside_others_are_their_own_and_each_waits_for_the_device() -> None:
    waits: list[int] = []
    clock = Stopwatch(lambda: waits.append(1))
    clock.restart()
    with clock.during(StagePhase.BACKWARD):
        time.sleep(0.02)
        with clock.during(StagePhase.FORWARD):
            time.sleep(0.04)
    time.sleep(0.01)
    clock.stop()
    assert clock.seconds[StagePhase.BACKWARD] < clock.seconds[StagePhase.FORWARD]
    assert clock.seconds[StagePhase.FORWARD] >= 0.04 and clock.seconds[StagePhase.IDLE] >= 0.01
    assert len(waits) == 2 + 4 + 1


# --- the verb ---


def typed(*words: object) -> Any:
    return CliRunner().invoke(app, ["profile", *map(str, words)], env={"COLUMNS": "100"})


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("STILTS_STORE", raising=False)
    monkeypatch.chdir(tmp_path)
    return tiny_study(tmp_path)


def test_the_verb_says_all_of_it_and_makes_no_store(study: Path) -> None:
    done = typed(study, "--stage", "mnli/udpos", "--steps", 3, "--json")
    assert done.exit_code == 0, done.exception
    value = json.loads(done.stdout)
    assert value["name"] == "mnli > udpos, seed 0" and value["stage"].startswith("train-udpos-")
    assert sum(line["share"] for line in value["phases"]) == pytest.approx(1.0, abs=0.02)
    start = sum(value["start_seconds"].values()) / value["stage_seconds"]
    assert sum(line["stage_share"] for line in value["phases"]) + start == pytest.approx(1.0)
    working = sum(line["seconds"] for line in value["phases"] if line["phase"] in IN_STEPS)
    assert value["examples_per_second"] == pytest.approx(3 * 8 / working)
    assert value["limit"] and "mnli, seed 0" in value["notes"][0]
    assert not (study.parent / "stilts_store").exists()


def test_the_verb_shows_an_evaluation_as_a_table(study: Path) -> None:
    done = typed(study, "--stage", "scores of none > xnli")
    assert done.exit_code == 0, done.exception
    assert "evaluation: predict" in done.stdout and "tokens/s" in done.stdout and "backward" not in done.stdout


@pytest.mark.parametrize("wanted", ["mnli > squad", "train-", "scores"])
def test_what_is_no_one_stage_is_an_error_of_four_parts(study: Path, wanted: str) -> None:
    error = typed(study, "--stage", wanted).exception
    assert isinstance(error, InputError)
    assert wanted in error.asked and error.found and error.why and "none > xnli" in error.next_step


def test_an_estimate_and_no_steps_are_refused(study: Path, tmp_path: Path) -> None:
    estimating = tiny_study(tmp_path, name="estimating", intermediates={"none": None}, estimates=["embedding"])
    error = typed(estimating, "--stage", "estimate-embedding-").exception
    assert isinstance(error, InputError) and ("stages of the study" in error.found or "estimate" in error.found)
    assert "0 steps" in str(typed(study, "--stage", "mnli/udpos", "--steps", 0).exception)
