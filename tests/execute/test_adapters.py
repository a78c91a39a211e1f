"""Stages that train an adapter: what moves, what is published, and what becomes of the one that they start from."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from stilts.data.toy import toy_tokenizer_json
from stilts.errors import InputError, TransferError
from stilts.execute.inputs import start_weights
from stilts.execute.origins import are_there, weights_of
from stilts.execute.run_stage import run_stage
from stilts.kinds.learning import heads_of
from stilts.models.adapter_files import ADAPTER_FILE
from stilts.models.model import fresh_model, load_model, save_model
from stilts.models.transfer import read_tensors, write_tensors
from stilts.models.weight_folders import Weights
from stilts.store import Store, make_store
from stilts.study.config import Keep
from stilts.study.stage import TrainStage
from stilts.study.trained import adapter_bytes
from stilts.tasks.adapter import AdapterConfig, ParentAdapter
from tests.training.recording_reporter import RecordingReporter
from tests.training.test_execution_invariance import InterruptingReporter, largest_difference, trained
from tests.training.tiny import TINY, evaluate_stage, part, run_config, train_stage

QUERY_AND_VALUE = ("query", "value")
LORA = AdapterConfig(rank=4, alpha=8.0, modules=QUERY_AND_VALUE)
KINDS = ["mnli", "udpos", "tydiqa_en", "hellaswag", "plain", "stsb", "multieurlex", "lareqa"]
QUERY = "encoder.layer.1.attention.self.query"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return make_store(str(tmp_path / "store"))


def recipe(encoder: Path, name: str = "mnli", adapter: AdapterConfig | None = LORA, **config: Any) -> TrainStage:
    return train_stage(
        encoder, part(name, limit=32), **{"steps": 6, "learning_rate": 1e-2, "adapter": adapter, **config}
    )


def on_top(
    parent: TrainStage,
    encoder: Path,
    treated: ParentAdapter | None,
    adapter: AdapterConfig | None = LORA,
    **config: Any,
) -> TrainStage:
    stage = recipe(encoder, "udpos", adapter, **config)
    return replace(stage, parent=parent.stage_id, parent_adapter=treated)


def run_all(store: Store, encoder: Path, *stages: TrainStage) -> None:
    for stage in stages:
        run_stage(stage, store, run_config(encoder))


def folders(stage: TrainStage, store: Store, encoder: Path) -> Weights:
    found = weights_of(stage.stage_id, store)
    base = encoder if found.base is None else store.fetch(found.base)
    return Weights(base=base, adapters=tuple(map(store.fetch, found.adapters)))


def encoder_of(stage: TrainStage, store: Store, encoder: Path) -> dict[str, torch.Tensor]:
    return load_model(folders(stage, store, encoder))[0].encoder.state_dict()


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_trains_an_adapter_and_nothing_else_of_the_encoder(
    name: str, tiny_encoder: Path, store: Store
) -> None:
    stage = recipe(tiny_encoder, name)
    run_all(store, tiny_encoder, stage)
    given, after = read_tensors(tiny_encoder / "encoder.safetensors"), encoder_of(stage, store, tiny_encoder)
    moved = {key for key in given if not torch.equal(given[key], after[key])}
    adapted = [
        f"encoder.layer.{layer}.attention.self.{module}.weight" for layer in (0, 1) for module in ("query", "value")
    ]
    assert moved and moved <= set(adapted)
    assert len(moved) == (2 if name == "lareqa" else 4), "retrieval reads hidden state 1 of 2"


def test_an_artifact_holds_what_was_trained(tiny_encoder: Path, store: Store) -> None:
    stage = recipe(tiny_encoder)
    run_all(store, tiny_encoder, stage)
    folder = store.fetch(stage.stage_id)
    assert {path.name for path in folder.iterdir()} == {"adapter.json", ADAPTER_FILE, "head.mnli.safetensors"}
    told = json.loads((folder / "adapter.json").read_text())
    assert (told["rank"], told["alpha"], told["modules"]) == (4, 8.0, ["query", "value"])
    assert told["on"] == {"encoder": stage.encoder.payload(), "base": None, "adapters": []}


def test_the_masked_lm_head_is_published_where_it_was_trained(tiny_encoder: Path, store: Store) -> None:
    learns, child = recipe(tiny_encoder, "plain"), None
    child = on_top(learns, tiny_encoder, ParentAdapter.MERGE)
    run_all(store, tiny_encoder, learns, child)
    assert (store.fetch(learns.stage_id) / "lm_head.safetensors").exists()
    assert not (store.fetch(child.stage_id) / "lm_head.safetensors").exists()
    heads = [load_model(folders(stage, store, tiny_encoder))[0].lm_head.dense.weight for stage in (learns, child)]
    assert torch.equal(*heads), "a child has the head that its parent trained"
    assert not torch.equal(heads[0], load_model(tiny_encoder)[0].lm_head.dense.weight)


def test_an_artifact_is_under_two_hundredths_of_the_weights(tmp_path: Path, store: Store) -> None:
    sizes = {"hidden_size": 128, "num_hidden_layers": 6, "intermediate_size": 512, "vocab_size": 20_000}
    encoder = tmp_path / "small"
    encoder.mkdir()
    save_model(fresh_model({**TINY, **sizes}, seed=0), encoder, tokenizer=toy_tokenizer_json().encode())
    stage = recipe(encoder, adapter=AdapterConfig(rank=8, modules=QUERY_AND_VALUE), steps=1)
    run_all(store, encoder, stage)
    whole = (encoder / "encoder.safetensors").stat().st_size
    found = sum(store.sizes(stage.stage_id).values())
    assert found < 0.02 * whole
    assert adapter_bytes(stage) == pytest.approx(found, rel=0.1), "what plan says"


def test_merging_is_w_plus_alpha_over_rank_times_b_a(tiny_encoder: Path, store: Store) -> None:
    stage = recipe(tiny_encoder)
    run_all(store, tiny_encoder, stage)
    given, found = (
        read_tensors(tiny_encoder / "encoder.safetensors"),
        read_tensors(store.fetch(stage.stage_id) / ADAPTER_FILE),
    )
    low, high = found[f"{QUERY}.lora_A.weight"].double(), found[f"{QUERY}.lora_B.weight"].double()
    by_hand = given[f"{QUERY}.weight"].double() + 8.0 / 4 * high @ low
    merged = encoder_of(stage, store, tiny_encoder)[f"{QUERY}.weight"]
    assert float((merged - by_hand).abs().max()) < 1e-6 and float((high @ low).abs().max()) > 1e-3


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_applied_beside_the_weights_it_computes_what_merged_weights_do(
    dropout: float, tiny_encoder: Path, store: Store
) -> None:
    first = recipe(tiny_encoder, adapter=replace(LORA, dropout=dropout))
    second = on_top(first, tiny_encoder, ParentAdapter.STACK, replace(LORA, modules=("intermediate.dense", "query")))
    run_all(store, tiny_encoder, first, second)
    weights = folders(second, store, tiny_encoder)
    heads = heads_of([second.mixture[0].task])
    merged, beside = (load_model(weights, heads, stacked=stacked)[0].eval() for stacked in (False, True))
    ids, mask = torch.arange(4, 28).view(2, 12), torch.ones(2, 12, dtype=torch.bool)
    with torch.no_grad():
        assert float((merged.hidden(ids, mask) - beside.hidden(ids, mask)).abs().max()) < 1e-5


def test_only_what_trains_has_gradients(tiny_encoder: Path, store: Store) -> None:
    from stilts.training.optimizer import make_optimizer

    model, _ = load_model(tiny_encoder)
    model.lm_head.requires_grad_(False)
    model.add_adapter(LORA, 1)
    model.add_adapter(replace(LORA, rank=2), 2)
    held = {
        id(one) for group in make_optimizer(model, recipe(tiny_encoder).config).param_groups for one in group["params"]
    }
    names = {name for name, one in model.named_parameters() if id(one) in held}
    assert len(names) == 2 * 2 * 2 and all(".adapter1." in name for name in names)


@pytest.mark.parametrize("keep", ["last", "best"])
def test_an_interrupted_stage_ends_with_the_same_bits(keep: str, tiny_encoder: Path, tmp_path: Path) -> None:
    config = {"keep": Keep(keep), "evaluate_every": 4, "steps": 12}
    stage = train_stage(
        tiny_encoder, part("mnli", 0.5), part("udpos", 0.5), adapter=replace(LORA, dropout=0.2), **config
    )
    whole = trained(stage, tmp_path / "whole", run_config(tiny_encoder))
    often = run_config(tiny_encoder, checkpoint_every_s=0.0)
    store = make_store(str(tmp_path / "cut"))
    for after in (3, 9):
        with pytest.raises(ConnectionAbortedError):
            run_stage(stage, store, often, InterruptingReporter(after))
    saved = store.load_progress(stage.stage_id)
    assert saved is not None
    kept = read_tensors(saved / "weights.safetensors")
    assert all("adapter0" in name or name.startswith("heads.") for name in kept)
    resumed = RecordingReporter()
    run_stage(stage, store, often, resumed)
    assert resumed.steps_seen[0][1] == 9 and largest_difference(whole, trained(stage, tmp_path / "cut", often)) == 0.0


def test_micro_batches_change_rounding_only_and_dropout_more(tiny_encoder: Path, tmp_path: Path) -> None:
    stage = train_stage(tiny_encoder, part("mnli"), adapter=replace(LORA, dropout=0.3))
    whole = trained(stage, tmp_path / "whole", run_config(tiny_encoder))
    cut = trained(stage, tmp_path / "cut", run_config(tiny_encoder, micro_batch=4))
    without = trained(
        train_stage(tiny_encoder, part("mnli"), adapter=LORA), tmp_path / "none", run_config(tiny_encoder)
    )
    assert largest_difference(whole, cut) < 2e-5 and largest_difference(whole, without) > 1e-4


def test_merged_stacked_and_dropped_are_three_stages(tiny_encoder: Path, store: Store) -> None:
    parent = recipe(tiny_encoder, adapter=replace(LORA, dropout=0.3))
    ways = {way: on_top(parent, tiny_encoder, way) for way in ParentAdapter}
    assert len({stage.stage_id for stage in ways.values()}) == 3
    direct = recipe(tiny_encoder, "udpos")
    run_all(store, tiny_encoder, parent, *ways.values(), direct)
    found = {way: read_tensors(store.fetch(stage.stage_id) / ADAPTER_FILE) for way, stage in ways.items()}
    alone = read_tensors(store.fetch(direct.stage_id) / ADAPTER_FILE)
    assert largest_difference(found[ParentAdapter.DROP], alone) == 0.0, "a dropped adapter leaves the encoder alone"
    assert largest_difference(found[ParentAdapter.MERGE], alone) > 1e-4
    assert largest_difference(found[ParentAdapter.STACK], found[ParentAdapter.MERGE]) > 1e-5, "its dropout goes on"
    assert weights_of(ways[ParentAdapter.MERGE].stage_id, store).stages == (
        ways[ParentAdapter.MERGE].stage_id,
        parent.stage_id,
    )
    assert weights_of(ways[ParentAdapter.DROP].stage_id, store).stages == (ways[ParentAdapter.DROP].stage_id,)


def test_without_dropout_stacked_and_merged_differ_by_rounding(tiny_encoder: Path, store: Store) -> None:
    parent = recipe(tiny_encoder)
    ways = [on_top(parent, tiny_encoder, way) for way in (ParentAdapter.MERGE, ParentAdapter.STACK)]
    run_all(store, tiny_encoder, parent, *ways)
    merged, stacked = (read_tensors(store.fetch(stage.stage_id) / ADAPTER_FILE) for stage in ways)
    assert largest_difference(merged, stacked) < 1e-3


@pytest.mark.parametrize("first", [LORA, None])
def test_a_target_trains_in_full_on_an_adapter_and_an_adapter_on_full_weights(
    first: AdapterConfig | None, tiny_encoder: Path, store: Store
) -> None:
    parent = recipe(tiny_encoder, adapter=first)
    treated = None if first is None else ParentAdapter.MERGE
    child = on_top(parent, tiny_encoder, treated, LORA if first is None else None, learning_rate=1e-12, steps=1)
    evaluated = evaluate_stage(tiny_encoder, "udpos", child.stage_id, "en")
    run_all(store, tiny_encoder, parent, child)
    run_stage(evaluated, store, run_config(tiny_encoder))
    before, after = encoder_of(parent, store, tiny_encoder), encoder_of(child, store, tiny_encoder)
    assert largest_difference(before, after) < 1e-6
    assert store.result(evaluated.outputs[0])["num_items"] > 0


def test_a_stage_starts_from_all_that_its_parent_rests_on(tiny_encoder: Path, store: Store) -> None:
    parent = recipe(tiny_encoder, adapter=None, steps=1)
    first = on_top(parent, tiny_encoder, None, steps=1)
    second = on_top(first, tiny_encoder, ParentAdapter.STACK, steps=1)
    run_all(store, tiny_encoder, parent, first, second)
    child = evaluate_stage(tiny_encoder, "udpos", second.stage_id, "en")
    weights = start_weights(child, store, run_config(tiny_encoder))
    assert weights == Weights(
        base=store.fetch(parent.stage_id), adapters=(store.fetch(first.stage_id), store.fetch(second.stage_id))
    )
    assert are_there(second.stage_id, store)
    store.drop_files(parent.stage_id, "test")
    assert not are_there(second.stage_id, store) and not store.gone(second.stage_id)


def test_an_adapter_of_another_shape_is_refused(tiny_encoder: Path, store: Store, tmp_path: Path) -> None:
    stage = recipe(tiny_encoder, steps=1)
    run_all(store, tiny_encoder, stage)
    folder = tmp_path / "copy"
    folder.mkdir()
    for path in store.fetch(stage.stage_id).iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    tensors = read_tensors(folder / ADAPTER_FILE)
    lost = {name: tensor for name, tensor in tensors.items() if QUERY not in name}
    write_tensors(folder / ADAPTER_FILE, {**lost, "encoder.layer.7.query.lora_A.weight": torch.zeros(4, 32)})
    with pytest.raises(TransferError, match=r"2 missing.*1 unexpected"):
        load_model(Weights(base=tiny_encoder, adapters=(folder,)))


def test_a_stack_needs_an_adapter_on_top(tiny_encoder: Path) -> None:
    with pytest.raises(InputError, match="Give it an adapter"):
        on_top(recipe(tiny_encoder), tiny_encoder, ParentAdapter.STACK, None)
