"""What a stage has to compute, against counts by hand, and the seconds that follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from stilts.study.config import Precision, TaskConfig, TrainConfig
from stilts.study.memory import Placed, peak_memory
from stilts.study.rates import assumed_rate, assumed_seconds
from stilts.study.slots import Resources
from stilts.study.stage import TrainStage
from stilts.study.workload import TextLengths, workload
from stilts.tasks.encoder_shape import EncoderShape
from stilts.tasks.task import Task
from stilts.tasks.view import DataView
from tests.study.handmade import ENCODER, SHAPE, TEXT, evaluate_stage, item, part, train_stage

ENCODED = replace(ENCODER, shape=SHAPE)
# XLM-R Large, as its config.json says.
LARGE = EncoderShape(
    layers=24,
    width=1024,
    inner=4096,
    heads=16,
    key_value_heads=16,
    head_width=64,
    vocabulary=250_002,
    embedding_width=1024,
    positions=514,
)


def full_rows(task: Task, config: TaskConfig, views: Sequence[DataView]) -> TextLengths:
    tokens = config.max_length
    return TextLengths(tokens=tokens, longest=tokens, rows=1.0, examples=100 * len(views), is_measured=True)


def trained(**changes: object) -> TrainStage:
    config = TaskConfig(batch_size=32, max_length=128, layer=2)
    return train_stage(part(config=config), encoder=replace(ENCODER, shape=LARGE), config=TrainConfig(steps=10))


def test_xlm_r_large_has_its_559_million_weights_of_which_302_million_are_multiplied_with() -> None:
    assert LARGE.body_weights == pytest.approx(302e6, rel=0.002)
    assert LARGE.weights == pytest.approx(559e6, rel=0.002)


def test_a_step_of_xlm_r_large_at_32_x_128_tokens_is_7_6_tflop() -> None:
    # 6 x 302e6 x 4096 for the weights, and 3 x 4 x 128 x 1024 x 24 x 4096 for keys and values.
    work = workload(trained(), full_rows)
    assert work.flops / 10 == pytest.approx(6 * 302e6 * 4096 + 12 * 128 * 1024 * 24 * 4096, rel=0.002)
    assert (work.tokens, work.steps) == (10 * 4096, 10)


def test_an_evaluation_is_a_third_of_training_a_token_and_counts_each_language() -> None:
    config = TaskConfig(max_length=128, layer=2)
    scored = evaluate_stage(item("de"), item("sw"), encoder=replace(ENCODER, shape=LARGE), config=config)
    one, work = workload(trained(), full_rows), workload(scored, full_rows)
    assert work.tokens == 200 * 128
    assert work.flops / work.tokens == pytest.approx(one.flops / one.tokens / 3)


def test_layers_that_are_computed_again_take_four_thirds_of_training_and_nothing_of_an_evaluation() -> None:
    stage, text = trained(), train_stage(part(TEXT, config=TaskConfig(layer=2)), encoder=ENCODED)
    for one in (stage, text):
        plain, again = (workload(one, full_rows, gradient_checkpointing=asked) for asked in (False, True))
        layers = workload(replace(one, mixture=(part(config=one.mixture[0].config),)), full_rows).flops
        assert again.flops - plain.flops == pytest.approx(layers / 3), "the vocabulary is multiplied with once"
        assert (again.tokens, again.steps) == (plain.tokens, plain.steps)
    scored = evaluate_stage(item("de"), encoder=ENCODED)
    assert workload(scored, gradient_checkpointing=True) == workload(scored)
    short, long = (
        assumed_seconds(stage, Resources(), gradient_checkpointing=asked, lengths=full_rows) for asked in (False, True)
    )
    assert long - short == pytest.approx(workload(stage, full_rows).flops / 3 / assumed_rate(Precision.FP32, 0).flops)


def test_masked_lm_multiplies_with_the_vocabulary_where_tokens_are_masked() -> None:
    text = train_stage(part(TEXT, config=TaskConfig(layer=2)), encoder=ENCODED)
    wide = replace(ENCODED, shape=replace(SHAPE, vocabulary=SHAPE.vocabulary + 1000))
    more = workload(replace(text, encoder=wide), full_rows).flops - workload(text, full_rows).flops
    assert more == pytest.approx(6 * 0.15 * workload(text, full_rows).tokens * SHAPE.width * 1000)


def test_twice_the_cores_take_half_of_the_products_and_bf16_is_faster() -> None:
    stage = trained()
    one, two = (assumed_seconds(stage, Resources(cpus=cpus, gpus=0), lengths=full_rows) for cpus in (1.0, 2.0))
    products = workload(stage, full_rows).flops / assumed_rate(Precision.FP32, 0).flops
    assert one - two == pytest.approx(products / 2)
    half = replace(stage, config=replace(stage.config, precision=Precision.BF16))
    assert assumed_seconds(half, Resources(cpus=1, gpus=0), lengths=full_rows) < one
    assert assumed_seconds(half, Resources(cpus=1, gpus=1), lengths=full_rows) < one / 100


def test_where_sizes_are_not_known_there_is_no_work_to_count() -> None:
    assert workload(train_stage()).flops == 0.0


def test_a_batch_of_windows_counts_windows_and_not_examples() -> None:
    def windows(task: Task, config: TaskConfig, views: Sequence[DataView]) -> TextLengths:
        """Examples of four windows each, all full."""
        return replace(full_rows(task, config, views), tokens=4 * config.max_length, rows=4.0, units=4.0)

    assert workload(trained(), windows) == workload(trained(), full_rows)
    assert peak_memory(trained(), Placed(on_gpu=False), windows) == peak_memory(
        trained(), Placed(on_gpu=False), full_rows
    )
