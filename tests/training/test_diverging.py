"""A training that leaves the numbers ends at once, and says where and at which learning rate."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from stilts.errors import DivergedError
from stilts.execute.run_stage import run_stage
from stilts.kinds.learning import learning_of
from stilts.models.model import fresh_model
from stilts.store import make_store
from stilts.tasks.kinds.classification import CLASSIFICATION
from stilts.training import gradients, loop
from stilts.training.loop import check_converged
from tests.training.tiny import TINY, run_config, train_stage


def test_a_loss_that_is_no_number_ends_the_stage_at_its_step(
    tiny_encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps, learning = [], learning_of(CLASSIFICATION)

    def breaking(*arguments: object) -> torch.Tensor:
        steps.append(len(steps) + 1)
        loss: torch.Tensor = learning.loss(*arguments)  # type: ignore[arg-type]
        return loss * (float("nan") if len(steps) == 3 else 1.0)

    monkeypatch.setattr(gradients, "learning_of", lambda kind: replace(learning, loss=breaking))
    with pytest.raises(DivergedError, match=r"loss of mnli is nan at step 3") as caught:
        run_stage(train_stage(tiny_encoder, warmup_frac=0.0), make_store(str(tmp_path)), run_config(tiny_encoder))
    assert "learning rate 0.0" in str(caught.value) and "Lower learning_rate" in str(caught.value)
    assert steps == [1, 2, 3], "no step is wasted after it"


@pytest.mark.on_device
def test_a_learning_rate_without_measure_is_named(tiny_encoder: Path, tmp_path: Path) -> None:
    stage = train_stage(tiny_encoder, learning_rate=1e30, warmup_frac=0.0)
    with pytest.raises(DivergedError, match=r"learning rate \S+: the .* (is (nan|inf)|no numbers)"):
        run_stage(stage, make_store(str(tmp_path)), run_config(tiny_encoder))


def test_a_last_step_that_went_too_far_is_not_published() -> None:
    model = fresh_model({**TINY, "vocab_size": 50}, seed=1)
    config = train_stage_config()
    check_converged(model, config)
    with torch.no_grad():
        next(model.parameters())[0, 0] = float("inf")
    with pytest.raises(DivergedError, match=r"embeddings\.word_embeddings\.weight"):
        check_converged(model, config)


def train_stage_config() -> loop.TrainConfig:
    return loop.TrainConfig(steps=1, learning_rate=1e-3)
