"""Every family of encoders: hidden states are transformers' own, and dropout does not see how a batch was cut."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from torch import nn

from stilts.errors import EncoderError, TransferError
from stilts.models.architectures import ARCHITECTURES
from stilts.models.dropout import CountedDropout
from stilts.models.model import StiltsModel, check_builds, fresh_model, load_model, save_model
from stilts.tasks.encoder_config import encoder_config
from stilts.tasks.encoder_tensors import check_tensors, checkpoint
from stilts.tasks.families import FAMILIES
from tests.models.families import TINY_CONFIGS, WITH_LM_HEAD

LENGTHS = torch.tensor([17, 12, 9, 5, 3, 2])
ENCODER_CLASSES = {"mt5": "MT5EncoderModel", "umt5": "UMT5EncoderModel"}


@pytest.fixture(params=TINY_CONFIGS)
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def batch(config: dict[str, Any], width: int = 17) -> tuple[torch.Tensor, torch.Tensor]:
    ids = torch.randint(5, 400, (6, 17), generator=torch.Generator().manual_seed(0))
    ids = nn.functional.pad(ids, (0, width - 17))
    mask = torch.arange(width)[None, :] < LENGTHS[:, None]
    return torch.where(mask, ids, config["pad_token_id"]), mask


def model_of(family: str, **shares: float) -> StiltsModel:
    """Random weights large enough that a wrong place would show."""
    model = fresh_model(TINY_CONFIGS[family], seed=1, **shares)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    return model


def theirs(model: StiltsModel, family: str) -> Any:
    """transformers' model with the same weights, its attention written out."""
    config = transformers.AutoConfig.for_model(**TINY_CONFIGS[family])
    config._attn_implementation = "eager"
    if family in ENCODER_CLASSES:
        plain = getattr(transformers, ENCODER_CLASSES[family])(config)
        plain.encoder.load_state_dict({k: v for k, v in model.encoder.state_dict().items()})
        return plain.eval()
    plain = transformers.AutoModel.from_config(config)
    missing, unexpected = plain.load_state_dict(model.encoder.state_dict(), strict=False)
    assert not unexpected and all(name.startswith("pooler.") for name in missing)
    return plain.eval()


def test_every_family_has_both_halves() -> None:
    assert list(FAMILIES) == list(ARCHITECTURES) == list(TINY_CONFIGS)
    assert all(name == family.model_type for name, family in FAMILIES.items())


def test_hidden_states_are_those_of_transformers(family: str) -> None:
    model = model_of(family).eval()
    ids, mask = batch(TINY_CONFIGS[family])
    types = (torch.arange(17) > 4).long().expand(6, -1) * mask
    has_types = TINY_CONFIGS[family].get("type_vocab_size", 0) > 1
    told = {"token_type_ids": types} if has_types else {}
    with torch.inference_mode():
        out = theirs(model, family)(input_ids=ids, attention_mask=mask.long(), output_hidden_states=True, **told)
        assert out.last_hidden_state[mask].std() > 0.05
        torch.testing.assert_close(model.hidden(ids, mask, types)[mask], out.last_hidden_state[mask], atol=1e-5, rtol=0)
        assert len(out.hidden_states) == 4
        for layer, state in enumerate(out.hidden_states):
            found = model.hidden_at(ids, mask, layer, types)
            torch.testing.assert_close(found[mask], state[mask], atol=1e-5, rtol=0)
        assert has_types != torch.equal(model.hidden(ids, mask, types), model.hidden(ids, mask))
        torch.testing.assert_close(model.hidden(ids, mask, types)[mask], out.last_hidden_state[mask], atol=1e-5, rtol=0)


def pretrained(family: str, folder: Path) -> Any:
    """A whole model of transformers with its pretraining head, saved as the hub has it."""
    auto = {"mt5": "AutoModelForSeq2SeqLM", "umt5": "AutoModelForSeq2SeqLM", "qwen3": "AutoModelForCausalLM"}
    config = transformers.AutoConfig.for_model(**TINY_CONFIGS[family])
    torch.manual_seed(0)
    model = getattr(transformers, auto.get(family, "AutoModelForMaskedLM")).from_config(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape))
    model.save_pretrained(folder)
    return model.eval()


def test_a_whole_pretrained_model_is_taken_apart(family: str, tmp_path: Path) -> None:
    plain = pretrained(family, tmp_path)
    check_tensors(tmp_path)
    check_builds(tmp_path)
    model, transferred = load_model(tmp_path)
    assert not transferred.fresh and not checkpoint(tmp_path).heads
    ids, mask = batch(TINY_CONFIGS[family])
    with torch.inference_mode():
        hidden = model.eval().hidden(ids, mask)[mask]
        told = {"input_ids": ids, "attention_mask": mask.long()}
        if family in WITH_LM_HEAD:
            torch.testing.assert_close(model.masked_logits(hidden), plain(**told).logits[mask], atol=1e-4, rtol=1e-4)
            return
        encoder = plain.get_encoder() if family in ENCODER_CLASSES else plain.model
        torch.testing.assert_close(hidden, encoder(**told).last_hidden_state[mask], atol=1e-5, rtol=1e-5)
    with pytest.raises(EncoderError, match=f"{family} encoder: it has no masked-LM head"):
        model.masked_logits(hidden)


def test_what_is_saved_is_loaded(family: str, tmp_path: Path) -> None:
    model = model_of(family, dropout=0.3)
    save_model(model, tmp_path, tokenizer=b"")
    again, transferred = load_model(tmp_path)
    assert not transferred.fresh and (tmp_path / "lm_head.safetensors").exists() == (family in WITH_LM_HEAD)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), again.parameters(), strict=True))
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["model_type"] == family and 0.3 not in config.values(), "the stage's dropout is not the encoder's"


def test_a_wrong_size_is_found_before_anything_is_loaded(family: str, tmp_path: Path) -> None:
    pretrained(family, tmp_path)
    size = "d_ff" if family in ENCODER_CLASSES else "intermediate_size"
    fields = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(fields | {size: 40}))
    with pytest.raises(TransferError, match=r"layer|block"):
        check_builds(tmp_path)


def test_a_classifier_of_modernbert_s_has_no_masked_lm_head(tmp_path: Path) -> None:
    config = transformers.AutoConfig.for_model(**TINY_CONFIGS["modernbert"])
    transformers.AutoModelForSequenceClassification.from_config(config).save_pretrained(tmp_path)  # type: ignore[no-untyped-call]
    found = checkpoint(tmp_path)
    assert not found.lm_head and set(found.heads) == {"head", "classifier"}
    assert load_model(tmp_path)[1].fresh == ("lm_head",)


def test_micro_batches_and_padding_change_rounding_only(family: str) -> None:
    model = model_of(family, dropout=0.3, attention_dropout=0.2).train()
    keys, model.stream.shared = torch.arange(100, 106, dtype=torch.int32), torch.tensor([7], dtype=torch.int32)

    def states(rows: slice, width: int) -> torch.Tensor:
        ids, mask = batch(TINY_CONFIGS[family], width)
        model.stream.keys = keys[rows]
        return model.hidden(ids[rows], mask[rows])

    _, mask = batch(TINY_CONFIGS[family])
    whole = states(slice(0, 6), 17)
    parts = torch.cat([states(slice(0, 2), 17), states(slice(2, 6), 17)])
    wide = states(slice(0, 6), 29)[:, :17]
    for found in (parts, wide):
        torch.testing.assert_close(found[mask], whole[mask], atol=2e-5, rtol=1e-4)
    model.stream.keys = keys + 1
    ids, _ = batch(TINY_CONFIGS[family])
    assert (model.hidden(ids, mask) - whole)[mask].abs().mean() > 0.01, "dropout is at work"


def test_gradients_are_numbers_and_no_dropout_is_torch_s_own(family: str) -> None:
    model = model_of(family, dropout=0.3, attention_dropout=0.2).train()
    model.stream.keys, model.stream.shared = torch.arange(6, dtype=torch.int32), torch.zeros(1, dtype=torch.int32)
    ids, mask = batch(TINY_CONFIGS[family])
    model.hidden(ids, mask)[mask].pow(2).sum().backward()
    with_gradient = [p for p in model.encoder.parameters() if p.grad is not None]
    assert with_gradient and all(bool(torch.isfinite(p.grad).all()) for p in with_gradient if p.grad is not None)
    torch.manual_seed(1)
    first = model.hidden(ids, mask)
    torch.manual_seed(2)
    assert torch.equal(first, model.hidden(ids, mask))


def test_each_dropout_has_a_site_of_its_own(family: str) -> None:
    model = model_of(family, dropout=0.3, attention_dropout=0.2)
    sites = [m.site for m in model.encoder.modules() if isinstance(m, CountedDropout)]
    sites += [int(m.stilts_site) for m in model.encoder.modules() if hasattr(m, "stilts_site")]  # type: ignore[arg-type]
    assert len(sites) == len(set(sites)) >= 3, "attention of three layers at least"


def test_shares_that_are_not_given_are_the_configuration_s(family: str) -> None:
    model = model_of(family)
    shares = {m.p for m in model.encoder.modules() if isinstance(m, CountedDropout)}
    assert shares <= {0.0, 0.1}


def test_sizes_give_the_number_of_weights_without_biases_and_norms(family: str) -> None:
    config = encoder_config(family, TINY_CONFIGS[family])
    matrices = [p.numel() for p in model_of(family).encoder.parameters() if p.ndim > 1]
    assert config.shape.weights == pytest.approx(sum(matrices), rel=0.12)
