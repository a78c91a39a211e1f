"""What a stage needs of memory by arithmetic: coefficients are what torch keeps, parts are what they should be."""

from __future__ import annotations

import gc
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest
import torch

from stilts.models.model import StiltsModel, fresh_model
from stilts.models.recomputed import recompute_layers
from stilts.study.config import Keep, Precision, TaskConfig, TrainConfig
from stilts.study.memory import INPUT, KEPT, Placed, peak_memory, placed
from stilts.study.schema import StudyResources
from stilts.study.slots import Resources
from stilts.study.stage import TrainStage
from tests.study.handmade import ENCODER, PAIRS, SHAPE, TEXT, evaluate_stage, item, part, train_stage, view

CPU = Placed(on_gpu=False)
ENCODED = replace(ENCODER, shape=SHAPE)


def model_of(layers: int, width: int, inner: int, heads: int) -> StiltsModel:
    """A model in training, with keys for 8 rows."""
    config = {
        "model_type": "xlm-roberta",
        "num_hidden_layers": layers,
        "hidden_size": width,
        "intermediate_size": inner,
        "num_attention_heads": heads,
        "vocab_size": 100,
        "max_position_embeddings": 80,
        "type_vocab_size": 1,
        "pad_token_id": 1,
    }
    model = fresh_model(config, 0).train()
    model.stream.keys = torch.zeros(8, dtype=torch.int32)
    return model


def kept_by_torch(precision: Precision, *, layers: int, width: int, inner: int, heads: int, tokens: int) -> int:
    """Bytes that the backward pass of an encoder keeps for 8 rows, weights left out."""
    model = model_of(layers, width, inner, heads)
    mask = torch.ones(8, tokens, dtype=torch.bool)
    mask[0, -1] = False
    weights = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    kept: dict[int, torch.Tensor] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        if tensor.untyped_storage().data_ptr() not in weights:
            kept[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    cast = torch.autocast("cpu", torch.bfloat16) if precision is Precision.BF16 else nullcontext()
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor), cast:
        model.hidden(torch.full((8, tokens), 7), mask)
    return sum(tensor.untyped_storage().nbytes() for tensor in kept.values())


@pytest.mark.parametrize("precision", list(Precision))
@pytest.mark.parametrize(("width", "inner", "heads", "tokens"), [(64, 256, 4, 32), (64, 128, 8, 64), (128, 512, 4, 64)])
def test_what_a_layer_keeps_is_what_is_counted(
    precision: Precision, width: int, inner: int, heads: int, tokens: int
) -> None:
    sizes = {"width": width, "inner": inner, "heads": heads, "tokens": tokens}
    one, two = (kept_by_torch(precision, layers=layers, **sizes) for layers in (2, 3))
    casts = 2 * (4 * width * width + 2 * width * inner) if precision is Precision.BF16 else 0
    coefficients = KEPT[precision]
    asked = coefficients.width * width + coefficients.inner * inner + coefficients.probability * heads * tokens
    assert (two - one - casts) / (8 * tokens) == pytest.approx(asked, rel=0.02)


def held_where_layers_are_computed_again(precision: Precision, layers: int, tokens: int) -> int:
    """Bytes of the tensors that are there after a forward pass and were not before: 8 rows, 64 channels."""
    model = model_of(layers, 64, 128, 4)
    recompute_layers(model.encoder, model.architecture.layers, model.stream)

    def there() -> dict[int, int]:
        gc.collect()
        found = [one.untyped_storage() for one in gc.get_objects() if isinstance(one, torch.Tensor)]
        return {storage.data_ptr(): storage.nbytes() for storage in found}

    before = there()
    cast = torch.autocast("cpu", torch.bfloat16) if precision is Precision.BF16 else nullcontext()
    with cast:
        out = model.hidden(torch.full((8, tokens), 7), torch.ones(8, tokens, dtype=torch.bool))
    held = sum(size for place, size in there().items() if place not in before)
    assert out.requires_grad
    return held


@pytest.mark.parametrize("precision", [Precision.FP32, Precision.BF16])
def test_a_layer_that_is_computed_again_keeps_its_input(precision: Precision) -> None:
    two, five = (held_where_layers_are_computed_again(precision, layers, 32) for layers in (2, 5))
    assert (five - two) / 3 == INPUT * 64 * 8 * 32


def stage(**changes: Any) -> TrainStage:
    config = TrainConfig(**{"steps": 10, **changes})
    return train_stage(part(config=TaskConfig(layer=2, max_length=128)), encoder=ENCODED, config=config)


def test_training_holds_sixteen_bytes_a_weight_and_twenty_where_the_best_is_kept() -> None:
    plain = peak_memory(stage(), CPU)
    best = peak_memory(stage(keep=Keep.BEST, evaluate_every=5), CPU)
    assert plain is not None and best is not None
    assert plain.weights + plain.gradients + plain.moments == 16 * SHAPE.weights
    assert best.total - plain.total == 4 * SHAPE.weights
    assert plain.casts == 0.0


def test_a_micro_batch_cuts_activations_alone_and_a_dual_encoder_runs_to_its_layer() -> None:
    whole, cut = (peak_memory(stage(), replace(CPU, micro_batch=rows)) for rows in (None, 8))
    assert whole is not None and cut is not None
    assert cut.activations == pytest.approx(whole.activations / 4) and cut.weights == whole.weights
    shallow, deep = (
        peak_memory(train_stage(part(PAIRS, config=TaskConfig(layer=layer)), encoder=ENCODED), CPU) for layer in (1, 4)
    )
    assert shallow is not None and deep is not None and shallow.activations < deep.activations


def test_gradient_checkpointing_keeps_inputs_and_one_layer() -> None:
    def of(layers: int, *, again: bool) -> float:
        deep = replace(stage(), encoder=replace(ENCODER, shape=replace(SHAPE, layers=layers)))
        found = peak_memory(deep, replace(CPU, gradient_checkpointing=again))
        plain = peak_memory(deep, CPU)
        assert found is not None and plain is not None and found.weights == plain.weights
        return found.activations

    tokens = 32 * 128
    assert of(24, again=True) - of(4, again=True) == pytest.approx(1.15 * 20 * INPUT * 64 * tokens)
    assert of(24, again=True) < of(24, again=False) / 8
    one, input_bytes = (of(24, again=False) - of(4, again=False)) / 20, 1.15 * INPUT * 64 * tokens
    assert of(4, again=False) - of(4, again=True) == pytest.approx(3 * one - 4 * input_bytes)


def test_a_study_says_how_its_stages_are_placed() -> None:
    assert placed(Resources(gpus=2), StudyResources(gradient_checkpointing=True)) == Placed(
        on_gpu=True, ranks=2, gradient_checkpointing=True
    )
    assert not placed(Resources(), StudyResources()).gradient_checkpointing


def test_ranks_share_what_training_holds_where_it_is_sharded() -> None:
    alone, four = (peak_memory(stage(), Placed(on_gpu=True, ranks=ranks, is_sharded=ranks > 1)) for ranks in (1, 4))
    assert alone is not None and four is not None
    assert (four.gradients, four.moments) == (alone.gradients / 4, alone.moments / 4)
    assert alone.weights > four.weights > alone.weights / 4  # a layer, and the embeddings, are gathered to be used


def test_a_micro_batch_is_of_each_rank() -> None:
    one, four = (
        peak_memory(stage(), Placed(on_gpu=True, micro_batch=8, ranks=ranks, is_sharded=True)) for ranks in (1, 4)
    )
    assert one is not None and four is not None and one.activations == four.activations  # 8 rows of 32 everywhere
    whole = peak_memory(stage(), Placed(on_gpu=True, ranks=4, is_sharded=True))
    assert whole is not None and whole.activations == four.activations  # 32 rows, dealt among four


def test_masked_lm_pays_for_its_vocabulary_and_an_evaluation_for_no_gradients() -> None:
    text = train_stage(part(TEXT, config=TaskConfig(layer=2)), encoder=ENCODED)
    wide = train_stage(
        part(TEXT, config=TaskConfig(layer=2)), encoder=replace(ENCODED, shape=replace(SHAPE, vocabulary=10**6))
    )
    small, large = peak_memory(text, CPU), peak_memory(wide, CPU)
    assert small is not None and large is not None and large.activations > 10 * small.activations
    scored = peak_memory(evaluate_stage(item("de"), encoder=ENCODED), CPU)
    assert scored is not None and scored.gradients == scored.moments == 0.0


def test_where_sizes_are_not_known_nothing_is_said() -> None:
    assert peak_memory(train_stage(part(train=(view(),)), encoder=ENCODER), CPU) is None
