"""Models: what is loaded is what lay there, by name and shape; heads are new from the seed alone."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from stilts.errors import EncoderError, TransferError
from stilts.kinds.learning import add_heads, heads_of
from stilts.models.heads import pooled
from stilts.models.model import StiltsModel, check_builds, fresh_model, load_model, save_model
from stilts.models.transfer import read_tensors, transfer, write_tensors
from stilts.tasks.encoder_tensors import check_tensors
from stilts.tasks.registry import default_registry
from tests.training.tiny import TINY

pytestmark = pytest.mark.on_device

SMALL: dict[str, Any] = {**TINY, "vocab_size": 50, "hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1}
NLI, TAGS, PAIRS = (default_registry().task(name) for name in ("mnli", "udpos", "tatoeba"))


def ids_and_mask() -> tuple[torch.Tensor, torch.Tensor]:
    """Three rows of unlike length, padded with the id 1."""
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(4, 50, (3, 9), generator=generator)
    mask = torch.arange(9)[None, :] < torch.tensor([9, 6, 3])[:, None]
    return torch.where(mask, ids, 1), mask


# --- transfer ---


def pair_of_layers() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))


def test_every_tensor_goes_in() -> None:
    source, model = pair_of_layers(), pair_of_layers()
    assert transfer(source.state_dict(), model, what="x") == 4
    assert all(torch.equal(a, b) for a, b in zip(source.parameters(), model.parameters(), strict=True))


def test_what_does_not_match_is_named_and_nothing_is_loaded() -> None:
    model = pair_of_layers()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    weights = {**pair_of_layers().state_dict(), "2.extra": torch.zeros(1), "1.weight": torch.zeros(9, 9)}
    del weights["0.bias"]
    with pytest.raises(TransferError) as caught:
        transfer(weights, model, what="the encoder in some folder")
    message = str(caught.value)
    for words in ("the encoder in some folder", "1 missing: 0.bias", "1 unexpected: 2.extra", "1.weight is (9, 9)"):
        assert words in message
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


def test_a_damaged_file_is_a_transfer_error(tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(b"not tensors")
    with pytest.raises(TransferError, match=r"a\.safetensors"):
        read_tensors(tmp_path / "a.safetensors")
    with pytest.raises(TransferError, match="missing"):
        read_tensors(tmp_path / "missing.safetensors")


def test_tied_tensors_are_written_each_with_its_own_storage(tmp_path: Path) -> None:
    tensor = torch.arange(6.0).view(2, 3)
    write_tensors(tmp_path / "t.safetensors", {"a": tensor, "b": tensor.T})
    read = read_tensors(tmp_path / "t.safetensors")
    assert torch.equal(read["a"], tensor) and torch.equal(read["b"], tensor.T)


# --- folders ---


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    model = fresh_model(SMALL, seed=3)
    add_heads(model, [NLI], seed=5)
    save_model(model, tmp_path, tokenizer=b"{}")
    loaded, report = load_model(tmp_path, heads_of([NLI]))
    assert report.loaded == len(model.state_dict()) and report.fresh == ()
    assert all(torch.equal(model.state_dict()[name], tensor) for name, tensor in loaded.state_dict().items())
    assert (tmp_path / "tokenizer.json").read_bytes() == b"{}"


def test_a_head_that_is_not_there_is_refused(tmp_path: Path) -> None:
    model = fresh_model(SMALL, seed=3)
    add_heads(model, [NLI], seed=5)
    save_model(model, tmp_path, tokenizer=b"{}")
    with pytest.raises(TransferError, match=r"head\.udpos"):
        load_model(tmp_path, heads_of([TAGS]))


def test_pickled_weights_are_refused(tiny_encoder: Path, tmp_path: Path) -> None:
    for name in ("config.json", "tokenizer.json"):
        shutil.copy(tiny_encoder / name, tmp_path / name)
    (tmp_path / "pytorch_model.bin").write_bytes(b"anything")
    with pytest.raises(EncoderError, match="Pickled"):
        load_model(tmp_path)


@pytest.mark.parametrize("text", ["", "[", "\x00"])
def test_a_configuration_that_cannot_be_read_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(EncoderError, match="config"):
        load_model(tmp_path)


def pretrained(folder: Path) -> Any:
    """A masked-LM model as transformers saves it, names with the prefix ``roberta.``."""
    from transformers import XLMRobertaConfig, XLMRobertaForMaskedLM

    torch.manual_seed(0)
    model = XLMRobertaForMaskedLM(XLMRobertaConfig(**{k: v for k, v in SMALL.items() if k != "model_type"}))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0.0, 0.2)
    model.save_pretrained(folder)
    model.train(False)
    return model


def test_a_pretrained_encoder_gives_the_hidden_states_of_transformers(tmp_path: Path) -> None:
    theirs = pretrained(tmp_path)
    names = set(read_tensors(tmp_path / "model.safetensors"))
    assert any(name.startswith("roberta.") for name in names) and any(name.startswith("lm_head.") for name in names)
    ours, report = load_model(tmp_path)
    ours.eval()
    assert report.fresh == ()
    ids, mask = ids_and_mask()
    with torch.no_grad():
        out = theirs(input_ids=ids, attention_mask=mask.long(), output_hidden_states=True)
        hidden = ours.hidden(ids, mask)
        torch.testing.assert_close(hidden[mask], out.hidden_states[-1][mask], atol=1e-5, rtol=0)
        torch.testing.assert_close(ours.hidden_at(ids, mask, 0)[mask], out.hidden_states[0][mask], atol=1e-5, rtol=0)
        torch.testing.assert_close(ours.hidden_at(ids, mask, 1)[mask], out.hidden_states[1][mask], atol=1e-5, rtol=0)
        torch.testing.assert_close(ours.masked_logits(hidden[mask]), out.logits[mask], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_a_layers_state_costs_the_layers_below_it_and_is_exact(layer: int, device: torch.device) -> None:
    model = fresh_model(SMALL, seed=0).to(device).train()
    ids, mask = (each.to(device) for each in ids_and_mask())
    model.stream.keys = torch.arange(3, dtype=torch.int32, device=device)
    whole = model.encoder(
        input_ids=ids,
        attention_mask=mask[:, None, None, :],
        position_ids=torch.where(mask, torch.arange(9, device=device) + 2, 1),
        output_hidden_states=True,
    )
    ran: list[nn.Module] = []
    for each in model.encoder.encoder.layer:
        each.output.dense.register_forward_hook(lambda module, inputs, out: ran.append(module))
    assert torch.equal(model.hidden_at(ids, mask, layer).cpu(), whole.hidden_states[layer].cpu())
    assert len(ran) == layer and len(model.encoder.encoder.layer) == 2


def test_an_encoder_without_a_masked_lm_head_gets_a_fresh_one_and_says_so(tmp_path: Path) -> None:
    from transformers import XLMRobertaConfig, XLMRobertaModel

    torch.manual_seed(0)
    theirs = XLMRobertaModel(XLMRobertaConfig(**{k: v for k, v in SMALL.items() if k != "model_type"}))
    theirs.train(False)
    theirs.save_pretrained(tmp_path)
    ours, report = load_model(tmp_path)
    ids, mask = ids_and_mask()
    with torch.no_grad():
        states = theirs(input_ids=ids, attention_mask=mask.long()).last_hidden_state
        torch.testing.assert_close(ours.eval().hidden(ids, mask)[mask], states[mask], atol=1e-5, rtol=0)
    assert report.fresh == ("lm_head",)


def test_a_checkpoint_of_another_configuration_is_refused(tmp_path: Path) -> None:
    pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 3}))
    with pytest.raises(TransferError, match=r"missing: encoder\.layer\.2"):
        load_model(tmp_path)


# --- seeds ---


def weights(model: StiltsModel) -> torch.Tensor:
    return torch.cat([parameter.detach().ravel() for parameter in model.parameters()])


def test_new_weights_come_from_the_seed_alone() -> None:
    torch.manual_seed(1)
    first = fresh_model(SMALL, seed=3)
    torch.manual_seed(2)
    state = torch.random.get_rng_state()
    second = fresh_model(SMALL, seed=3)
    assert torch.equal(weights(first), weights(second))
    assert torch.equal(state, torch.random.get_rng_state()), "nobody else's random numbers are used up"
    assert not torch.equal(weights(first), weights(fresh_model(SMALL, seed=4)))


def test_new_heads_come_from_the_seed_and_the_learners_name() -> None:
    models = [fresh_model(SMALL, seed=seed) for seed in (1, 2)]
    for number, model in enumerate(models):
        torch.manual_seed(number)
        assert add_heads(model, [NLI, TAGS], seed=7) == (NLI.learner, TAGS.learner)
    first, second = ({k: v for k, v in model.state_dict().items() if k.startswith("heads.")} for model in models)
    assert all(torch.equal(first[name], second[name]) for name in first)
    add_heads(models[0], [NLI], seed=8)
    assert not torch.equal(models[0].state_dict()["heads.mnli.dense.weight"], first["heads.mnli.dense.weight"])
    dense, out = first["heads.mnli.dense.weight"], first["heads.mnli.out_proj.weight"]
    assert dense.std() == pytest.approx(0.02, rel=0.2) and not torch.equal(dense[: len(out)], out)
    assert not first["heads.mnli.dense.bias"].any()


def test_retrieval_has_no_head() -> None:
    assert heads_of([PAIRS]) == {}
    assert add_heads(fresh_model(SMALL, seed=0), [PAIRS], seed=0) == ()


def test_pooling_leaves_padding_out() -> None:
    hidden, (_, mask) = torch.randn(3, 9, 5), ids_and_mask()
    vectors = pooled(hidden, mask, "mean")
    for row, length in enumerate((9, 6, 3)):
        mean = hidden[row, :length].mean(0)
        torch.testing.assert_close(vectors[row], mean / mean.norm())


# --- what a folder may do ---


@pytest.mark.parametrize("field", ["add_cross_attention", "bos_token_id", "use_cache", "id2label"])
def test_a_field_that_nobody_checked_is_met_before_memory_is_asked_for(field: str, tmp_path: Path) -> None:
    pretrained(tmp_path)
    check_builds(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    more = {"is_decoder": True} if field == "add_cross_attention" else {}
    value: Any = True if field == "add_cross_attention" else ["no", "value", "of", "this", "field"]
    (tmp_path / "config.json").write_text(json.dumps({**config, **more, field: value}))
    with pytest.raises((EncoderError, TransferError), match=r"config\.json"):
        check_builds(tmp_path)


@pytest.mark.parametrize(
    ("field", "value"), [("num_attention_heads", 0), ("num_attention_heads", 7), ("hidden_act", "evil")]
)
def test_a_configuration_that_builds_nothing_is_named_at_load_time_too(field: str, value: Any, tmp_path: Path) -> None:
    pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, field: value}))
    with pytest.raises(EncoderError, match=f"says {field}"):
        load_model(tmp_path)


def test_code_that_a_configuration_names_is_never_run(tmp_path: Path) -> None:
    pretrained(tmp_path)
    (tmp_path / "evil.py").write_text(f"open({str(tmp_path / 'trap')!r}, 'w')\n")
    config = json.loads((tmp_path / "config.json").read_text())
    code = {"auto_map": {"AutoConfig": "evil.Config", "AutoModel": "evil.Model"}, "trust_remote_code": True}
    (tmp_path / "config.json").write_text(json.dumps({**config, **code}))
    check_builds(tmp_path)
    load_model(tmp_path)
    assert not (tmp_path / "trap").exists()


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_named_when_they_are_loaded(bad: float) -> None:
    model, weights = pair_of_layers(), pair_of_layers().state_dict()
    weights["1.weight"][1, 2] = bad
    with pytest.raises(TransferError, match=r"weights of some encoder: 1\.weight holds NaN or infinity"):
        transfer(weights, model, what="some encoder")
    weights["1.weight"] = torch.zeros(2, 4, dtype=torch.int8)
    with pytest.raises(TransferError, match=r"1\.weight is torch\.int8"):
        transfer(weights, model, what="some encoder")


def test_weights_that_are_no_file_are_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.safetensors")
    with pytest.raises(TransferError, match=r"a\.safetensors.*a pipe"):
        read_tensors(tmp_path / "a.safetensors")


def test_a_stage_saves_a_folder_that_passes_every_check(tmp_path: Path) -> None:
    model = fresh_model(SMALL, seed=3)
    add_heads(model, [NLI], seed=5)
    save_model(model, tmp_path, tokenizer=b"{}")
    check_tensors(tmp_path)
    check_builds(tmp_path)
