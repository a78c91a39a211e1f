"""LoRA layers in every family of encoders: where they stand, and that merging computes what they compute."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from stilts.errors import InputError
from stilts.models.model import fresh_model, load_model, save_adapter, save_model, trained_tensors
from stilts.models.weight_folders import Weights
from stilts.tasks.adapter import AdapterConfig
from stilts.tasks.encoder_config import encoder_config
from stilts.tasks.families import FAMILIES
from tests.models.families import TINY_CONFIGS
from tests.models.test_families import batch, model_of


@pytest.mark.parametrize("family", TINY_CONFIGS)
def test_an_adapter_stands_at_the_familys_layers_and_merges(family: str, tmp_path: Path) -> None:
    usual = AdapterConfig(rank=3, alpha=5.0, modules=FAMILIES[family].adapter_modules)
    base, top = tmp_path / "base", tmp_path / "top"
    base.mkdir()
    top.mkdir()
    save_model(model_of(family), base, tokenizer=b"{}")
    model, _ = load_model(base)
    if model.lm_head is not None:
        model.lm_head.requires_grad_(False)
    model.add_adapter(usual, seed=1)
    with torch.no_grad():
        for parameter in (one for one in model.parameters() if one.requires_grad):
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    save_adapter(model, top, {})
    ids, mask = batch(TINY_CONFIGS[family])
    with torch.no_grad():
        applied = model.eval().hidden(ids, mask)
        merged = load_model(Weights(base=base, adapters=(top,)))[0].eval().hidden(ids, mask)
        without = load_model(base)[0].eval().hidden(ids, mask)
    torch.testing.assert_close(merged[mask], applied[mask], atol=2e-5, rtol=1e-5)
    assert float((merged[mask] - without[mask]).abs().max()) > 1e-3
    sites = encoder_config("tiny", TINY_CONFIGS[family]).adapter_sites
    if sites.linear is not None:
        assert sum(tensor.numel() for tensor in trained_tensors(model).values()) == usual.num_weights(sites.linear)


@pytest.mark.parametrize("family", TINY_CONFIGS)
def test_an_adapter_s_dropout_does_not_see_how_a_batch_was_cut(family: str) -> None:
    model = model_of(family, dropout=0.0, attention_dropout=0.0).train()
    model.add_adapter(AdapterConfig(rank=3, alpha=6.0, dropout=0.3, modules=FAMILIES[family].adapter_modules), seed=1)
    with torch.no_grad():
        for parameter in (one for one in model.encoder.parameters() if one.requires_grad):
            parameter.add_(0.2 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    _, mask = batch(TINY_CONFIGS[family])
    keys, model.stream.shared = torch.arange(100, 106, dtype=torch.int32), torch.tensor([7], dtype=torch.int32)

    def states(rows: slice, width: int = 17) -> torch.Tensor:
        ids, mask = batch(TINY_CONFIGS[family], width)
        model.stream.keys = keys[rows]
        return model.hidden(ids[rows], mask[rows])[:, :17]

    whole = states(slice(0, 6))
    parts = torch.cat([states(slice(0, 1)), states(slice(1, 6))])
    for found in (parts, states(slice(0, 6), 29)):
        torch.testing.assert_close(found[mask], whole[mask], atol=2e-5, rtol=1e-4)
    keys = keys + 1
    assert (states(slice(0, 6)) - whole)[mask].abs().mean() > 1e-3, "dropout is at work"
    if family == "deberta-v2":  # its projections map embedded distances too
        with_other, model.stream.shared = states(slice(0, 6)), torch.tensor([8], dtype=torch.int32)
        assert (states(slice(0, 6)) - with_other)[mask].abs().mean() > 1e-4


def test_a_name_of_no_linear_layer_is_refused_when_the_encoder_is_built() -> None:
    model = fresh_model(TINY_CONFIGS["qwen3"], seed=1)
    with pytest.raises(InputError, match=r"Set adapter\.modules to some of these: .*q_proj"):
        model.add_adapter(AdapterConfig(rank=2, modules=("query",)), seed=1)


def test_draws_follow_seed_and_layer_alone() -> None:
    few, more = (AdapterConfig(rank=2, modules=modules) for modules in (("value",), ("key", "value")))
    drawn = []
    for config, seed in ((few, 1), (more, 1), (few, 2)):
        model = fresh_model(TINY_CONFIGS["bert"], seed=1)
        torch.manual_seed(len(drawn))  # what was drawn before does not matter
        model.add_adapter(config, seed)
        name = "encoder.encoder.layer.1.attention.self.value.lora_A.adapter0.weight"
        drawn.append(dict(model.named_parameters())[name].detach())
    assert torch.equal(drawn[0], drawn[1]) and not torch.equal(drawn[0], drawn[2])
