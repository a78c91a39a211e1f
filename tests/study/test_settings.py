"""How a study's settings become a stage's: the hidden state that retrieval pools, the precision."""

from __future__ import annotations

from pathlib import Path

import pytest

from stilts.study.config import Precision
from stilts.study.planning import make_plan
from stilts.study.settings import sentence_layer
from stilts.study.stage import EvaluateStage, TrainStage
from tests.study.toy_study import resolved, write_encoder_folder


@pytest.mark.parametrize(
    ("num_layers", "hidden_state"),
    [
        (12, 8),  # run_tatoeba.sh: 7, the embedding layer left out and the others counted from 0
        (24, 14),  # the same: 13
        (1, 1),
        (4, 2),
        (6, 4),
        (36, 21),
        (48, 28),
    ],
)
def test_retrieval_pools_the_layer_of_xtremes_scripts_and_elsewhere_as_deep(num_layers: int, hidden_state: int) -> None:
    assert sentence_layer(num_layers) == hidden_state


def precisions(folder: Path, **changes: object) -> set[Precision]:
    stages = make_plan(resolved(folder, **changes)).stages.values()
    trained = {stage.config.precision for stage in stages if isinstance(stage, TrainStage)}
    return trained | {stage.precision for stage in stages if isinstance(stage, EvaluateStage)}


def test_stages_that_hold_gpus_compute_in_bf16_unless_the_study_says_otherwise(tmp_path: Path) -> None:
    write_encoder_folder(tmp_path / "tiny")
    assert precisions(tmp_path) == {Precision.FP32}
    assert precisions(tmp_path, resources={"gpus": 0.5}) == {Precision.BF16}
    said: dict[str, object] = {part: {"steps": 10, "precision": "tf32"} for part in ("intermediate", "target")}
    said["encoding"] = {"max_length": 96}
    assert precisions(tmp_path, resources={"gpus": 1}, defaults=said) == {Precision.TF32}
