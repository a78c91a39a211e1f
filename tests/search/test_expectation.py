"""Expectation: what stages took carries over to others by arithmetic."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stilts.search.expectation import Expectation
from stilts.store import make_store
from stilts.store.artifact_store import ArtifactStore
from stilts.study.stage import Stage, TrainStage
from tests.study.handmade import TAGS, evaluate_stage, item, part, train_stage


def by_steps(stage: Stage) -> float:
    return float(stage.config.steps) if isinstance(stage, TrainStage) else 1.0


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return make_store(str(tmp_path / "store"))


def finish(store: ArtifactStore, stage: TrainStage, folder: Path, **result: Any) -> None:
    made = folder / f"made-{stage.stage_id}"
    made.mkdir()
    (made / "weights").write_text("x")
    with store.lease(stage.stage_id) as lease:
        store.publish(stage.stage_id, made, payload=stage.payload, result=result, lease=lease)


def test_seconds_grow_with_what_is_to_be_done(store: ArtifactStore, tmp_path: Path) -> None:
    done = train_stage()
    finish(store, done, tmp_path, seconds=30.0, started=100.0, ended=150.0)
    expectation = Expectation(assumed=by_steps)
    assert expectation.seconds(done) is None
    expectation.learn(done, store)
    longer = replace(done, config=replace(done.config, steps=2 * done.config.steps))
    assert expectation.seconds(done) == 50.0  # reading and publishing are in it
    assert expectation.seconds(longer) == 100.0


def test_a_stage_is_like_its_name_before_its_kind(store: ArtifactStore, tmp_path: Path) -> None:
    nli, tags = train_stage(), train_stage(part(TAGS))
    expectation = Expectation(assumed=by_steps)
    finish(store, nli, tmp_path, seconds=50.0)
    expectation.learn(nli, store)
    assert expectation.seconds(tags) == 50.0
    finish(store, tags, tmp_path, seconds=20.0)
    expectation.learn(tags, store)
    assert (expectation.seconds(nli), expectation.seconds(tags)) == (50.0, 20.0)
    assert expectation.seconds(train_stage(part(TAGS), part())) == 35.0  # neither: the mean over the kind
    assert expectation.seconds(evaluate_stage(item("de"))) is None
