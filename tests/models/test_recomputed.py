"""Layers that are computed again in the backward pass: losses and gradients are the same bits, and less is kept."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any, NamedTuple

import pytest
import torch

from stilts.models.model import StiltsModel
from stilts.models.recomputed import recompute_layers
from stilts.tasks.adapter import AdapterConfig
from stilts.tasks.families import FAMILIES
from tests.models.families import TINY_CONFIGS
from tests.models.test_families import batch, model_of

LAYERS = 3


class Pass(NamedTuple):
    """One pass there and back: ``kept`` bytes of tensors, ``runs`` of layers."""

    loss: torch.Tensor
    gradients: dict[str, torch.Tensor]
    kept: int
    runs: int


def there_and_back(model: StiltsModel, family: str, *, layer: int = LAYERS, bf16: bool = False) -> Pass:
    """A loss of hidden state ``layer`` and its gradients; keys change before the backward pass, as no training does."""
    ids, mask = batch(TINY_CONFIGS[family])
    model.stream.keys, model.stream.shared = torch.arange(6, dtype=torch.int32), torch.tensor([7], dtype=torch.int32)
    kept, runs, own = 0, 0, {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        nonlocal kept
        kept += 0 if tensor.untyped_storage().data_ptr() in own else tensor.untyped_storage().nbytes()
        return tensor

    def counted(module: Any, given: Any, out: Any) -> None:
        nonlocal runs
        runs += 1

    inside = next(one for one in layers_of(model)[0].modules() if isinstance(one, torch.nn.Linear))
    handle = inside.register_forward_hook(counted)
    cast = torch.autocast("cpu", torch.bfloat16) if bf16 else nullcontext()
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor), cast:
        loss = model.hidden_at(ids, mask, layer)[mask].float().pow(2).sum()
    model.stream.keys, model.stream.shared = model.stream.keys + 1, model.stream.shared + 1
    loss.backward()
    handle.remove()
    found = {name: one.grad for name, one in model.named_parameters() if one.grad is not None}
    return Pass(loss.detach(), found, kept, runs)


def layers_of(model: StiltsModel) -> Any:
    return model.encoder.get_submodule(model.architecture.layers)


def both(family: str, adapter: AdapterConfig | None = None, **how: Any) -> tuple[Pass, Pass]:
    """A pass of a model with dropout, and one of the same whose layers are computed again."""
    found = []
    for recomputes in (False, True):
        model = model_of(family, dropout=0.3, attention_dropout=0.2).train()
        if adapter is not None:
            model.add_adapter(adapter, seed=1)
        if recomputes:
            recompute_layers(model.encoder, model.architecture.layers, model.stream)
        found.append(there_and_back(model, family, **how))
    return found[0], found[1]


def assert_same_bits(plain: Pass, again: Pass) -> None:
    assert torch.equal(plain.loss, again.loss) and plain.gradients
    assert plain.gradients.keys() == again.gradients.keys()
    assert [name for name, one in plain.gradients.items() if not torch.equal(one, again.gradients[name])] == []
    assert again.runs == 2 * plain.runs, "a layer runs a second time"


@pytest.mark.parametrize("family", TINY_CONFIGS)
def test_loss_and_gradients_are_the_same_bits_and_less_is_kept(family: str) -> None:
    plain, again = both(family)
    assert_same_bits(plain, again)
    assert again.kept < plain.kept / 4


@pytest.mark.parametrize("family", TINY_CONFIGS)
def test_of_an_adapter_and_up_to_a_layer_too(family: str) -> None:
    adapter = AdapterConfig(rank=3, alpha=6.0, dropout=0.3, modules=FAMILIES[family].adapter_modules)
    plain, again = both(family, adapter, layer=2)
    assert_same_bits(plain, again)
    assert all("lora_" in name for name in plain.gradients)


@pytest.mark.parametrize("family", TINY_CONFIGS)
def test_products_in_bf16_are_computed_again_in_bf16(family: str) -> None:
    assert_same_bits(*both(family, bf16=True))


def test_nothing_is_computed_again_where_nothing_goes_back() -> None:
    model = model_of("bert")
    recompute_layers(model.encoder, model.architecture.layers, model.stream)
    calls: list[int] = []
    layers_of(model)[0].register_forward_hook(lambda *_: calls.append(1))
    ids, mask = batch(TINY_CONFIGS["bert"])
    with torch.inference_mode():
        assert torch.equal(model.eval().hidden(ids, mask), model_of("bert").eval().hidden(ids, mask))
    model.train().stream.keys = torch.arange(6, dtype=torch.int32)
    with torch.no_grad():
        assert not model.hidden(ids, mask).requires_grad
    assert len(calls) == 2


def test_other_keys_drop_other_places() -> None:
    """What the tests above rest on: a second pass by the keys of the moment would have other gradients."""
    model = model_of("bert", dropout=0.3).train()
    ids, mask = batch(TINY_CONFIGS["bert"])
    found = []
    for first in (0, 1):
        model.stream.keys = torch.arange(first, first + 6, dtype=torch.int32)
        found.append(model.hidden(ids, mask))
    assert not torch.equal(*found)
