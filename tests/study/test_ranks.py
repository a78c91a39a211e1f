"""What several GPUs of a stage bring, by arithmetic: hours by those that work, memory shared where it fills a card."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stilts.study.config import TaskConfig
from stilts.study.memory import Placed, fills_a_card, peak_memory
from stilts.study.rates import assumed_seconds
from stilts.study.slots import Resources
from stilts.study.stage import Estimate, EstimateData, EstimateStage, TrainStage
from tests.study.handmade import ENCODER, NLI, SHAPE, train_stage, view

LARGE = replace(
    SHAPE, layers=24, width=1024, inner=4096, heads=16, head_width=64, vocabulary=250_002, embedding_width=1024
)
XL = replace(
    SHAPE, layers=36, width=2560, inner=10240, heads=32, head_width=80, vocabulary=250_880, embedding_width=2560
)


def stage(shape: object) -> TrainStage:
    return train_stage(encoder=replace(ENCODER, shape=shape))  # type: ignore[arg-type]


@pytest.mark.parametrize(("shape", "shared"), [(LARGE, False), (XL, True)], ids=["Large", "XL"])
def test_four_gpus_share_what_would_fill_one(shape: object, shared: bool) -> None:
    assert fills_a_card(shape.weights, shape.weights) is shared  # type: ignore[attr-defined]
    one, four = (peak_memory(stage(shape), Placed(on_gpu=True, ranks=ranks)) for ranks in (1, 4))
    assert one is not None and four is not None
    assert (four.moments == one.moments / 4) is shared and (four.moments == one.moments) is not shared


def test_four_gpus_divide_the_products_and_the_optimizers_step_where_it_is_shared() -> None:
    for shape, least, most in ((LARGE, 1.5, 3.999), (XL, 3.5, 4.0)):
        one, four = (assumed_seconds(stage(shape), Resources(cpus=1, gpus=gpus)) for gpus in (1, 4))
        assert least < one / four <= most


def test_an_estimate_works_on_one_of_its_gpus() -> None:
    look = EstimateStage(
        parent=None,
        encoder=replace(ENCODER, shape=LARGE),
        estimate=Estimate.LOGME,
        data=(EstimateData(task=NLI, config=TaskConfig(), views=(view(),)),),
    )
    half, one, four = (assumed_seconds(look, Resources(cpus=1, gpus=gpus)) for gpus in (0.5, 1, 4))
    assert half > one == four
