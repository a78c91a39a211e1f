"""Adapters handed out: merged, plain transformers computes what ours does; as peft's folder, plain peft does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from stilts.data.toy import toy_tokenizer_json
from stilts.errors import InputError
from stilts.kinds.learning import add_heads, heads_of
from stilts.models.export import export_model
from stilts.models.export_adapter import PEFT_WEIGHTS, export_adapter
from stilts.models.heads import pooled
from stilts.models.model import fresh_model, load_model, save_adapter, save_model
from stilts.models.weight_folders import Weights
from stilts.tasks.adapter import AdapterConfig
from stilts.tasks.kind import TaskKind
from stilts.tasks.kinds.masked_lm import MASKED_LM
from stilts.tasks.kinds.retrieval import RETRIEVAL
from stilts.tasks.task import Task
from tests.models.test_export import AUTO, CONFIGS, TASKS, batch, load_plain, plain, plain_logits

CHAIN = (
    AdapterConfig(rank=2, alpha=3.0, modules=("query", "value")),
    AdapterConfig(rank=4, alpha=4.0, dropout=0.5, modules=("intermediate.dense", "query")),
)


def chain(folder: Path, config: dict[str, Any], *tasks: Task) -> Weights:
    """A pretrained encoder in transformers' layout, and on it two adapters whose numbers are large enough to show."""
    base = folder / "base"
    base.mkdir()
    save_model(fresh_model(config, seed=1), base, tokenizer=toy_tokenizer_json().encode())
    weights = Weights(base=base)
    for number, adapter in enumerate(CHAIN):
        model, _ = load_model(weights, stacked=True)
        model.lm_head.requires_grad_(False)
        model.add_adapter(adapter, seed=number)
        add_heads(model, tasks, seed=2)
        generator = torch.Generator().manual_seed(number)
        with torch.no_grad():
            for parameter in (one for one in model.parameters() if one.requires_grad):
                parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
        top = folder / f"adapter{number}"
        top.mkdir()
        save_adapter(model, top, {})
        weights = Weights(base=base, adapters=(*weights.adapters, top))
    return weights


@pytest.fixture(params=sorted(CONFIGS))
def config(request: pytest.FixtureRequest) -> dict[str, Any]:
    return CONFIGS[request.param]


def by_peft(folder: Path, base: Path, auto: str) -> Any:
    """The adapter as peft's users load it, on the plain class of the encoder."""
    from peft import PeftModel

    config = transformers.AutoConfig.from_pretrained(folder)
    bare = getattr(transformers, auto).from_pretrained(base, config=config)
    return PeftModel.from_pretrained(bare, str(folder)).eval()


@pytest.fixture
def pretrained(tmp_path: Path, config: dict[str, Any]) -> Path:
    """The encoder of ``chain`` as its users have it: transformers' own layout and names."""
    folder = tmp_path / "pretrained"
    source = tmp_path / "bare"
    source.mkdir()
    save_model(fresh_model(config, seed=1), source, tokenizer=toy_tokenizer_json().encode())
    export_model(source, folder, plain(RETRIEVAL, layer=1))
    return folder


@pytest.mark.parametrize("kind", AUTO)
def test_logits_agree_merged_and_by_peft(
    kind: TaskKind, config: dict[str, Any], pretrained: Path, tmp_path: Path
) -> None:
    task = TASKS[kind]
    weights = chain(tmp_path, config, task)
    what = plain(kind, learner=task.learner, labels=task.labels, layer=1)
    export_model(weights, tmp_path / "merged", what)
    export_adapter(weights, tmp_path / "peft", what, base="some/encoder")
    ours = load_model(weights, heads_of([task]))[0].eval()
    ids, mask = batch()
    seen = mask if kind.name in ("tagging", "span_qa") else torch.ones(6, dtype=torch.bool)
    with torch.inference_mode():
        expected = ours.heads[task.learner](ours.hidden(ids, mask), mask)
        bare = load_model(weights.base)[0].eval()
        without = ours.heads[task.learner](bare.hidden(ids, mask), mask)
        for theirs in (
            load_plain(tmp_path / "merged", AUTO[kind]),
            by_peft(tmp_path / "peft", pretrained, AUTO[kind]),
        ):
            found = plain_logits(theirs, kind, ids, mask)
            torch.testing.assert_close(found[seen], expected[seen], atol=1e-5, rtol=0)
    assert float((expected[seen] - without[seen]).abs().max()) > 1e-3, "the adapters do something"
    assert (tmp_path / "peft" / PEFT_WEIGHTS).stat().st_size < (
        tmp_path / "merged" / "model.safetensors"
    ).stat().st_size / 3


def test_an_encoder_without_a_head_agrees(config: dict[str, Any], pretrained: Path, tmp_path: Path) -> None:
    weights = chain(tmp_path, config)
    export_adapter(weights, tmp_path / "peft", plain(RETRIEVAL, layer=1), base="some/encoder")
    theirs, ours = by_peft(tmp_path / "peft", pretrained, "AutoModel"), load_model(weights)[0].eval()
    ids, mask = batch()
    with torch.inference_mode():
        found = theirs(input_ids=ids, attention_mask=mask.long(), output_hidden_states=True).hidden_states[1]
        torch.testing.assert_close(
            pooled(found, mask, "mean"), pooled(ours.hidden_at(ids, mask, 1), mask, "mean"), atol=1e-5, rtol=0
        )


def test_what_has_no_adapter_is_refused(config: dict[str, Any], tmp_path: Path) -> None:
    weights = chain(tmp_path, config)
    with pytest.raises(InputError, match="There is no adapter to hand out"):
        export_adapter(Weights(base=weights.base), tmp_path / "a", plain(RETRIEVAL, layer=1), base="x")
    with pytest.raises(InputError, match="masked LM"):
        export_adapter(weights, tmp_path / "b", plain(MASKED_LM), base="x")
    assert not (tmp_path / "a").exists() and not (tmp_path / "b").exists()
