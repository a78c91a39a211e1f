"""A merge's weights: what adding by hand gives, tensor by tensor, whatever the recipes trained."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from stilts.errors import TransferError
from stilts.execute.run_stage import run_stage
from stilts.models.model import TOKENIZER_FILE, fresh_model, load_model, save_model
from stilts.models.transfer import read_tensors
from stilts.models.weight_folders import Weights
from stilts.store import Store, make_store
from stilts.study.config import Precision
from stilts.study.stage import MergedPart, MergeStage, TrainStage
from stilts.tasks.adapter import AdapterConfig
from stilts.tasks.weight_files import ENCODER_FILE, LM_HEAD_FILE
from tests.training.tiny import TINY, encoder_ref, evaluate_stage, part, run_config, train_stage

LORA = AdapterConfig(rank=4, alpha=8.0, modules=("query", "value"))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return make_store(str(tmp_path / "store"))


def trained(encoder: Path, store: Store, name: str, **config: object) -> TrainStage:
    stage = train_stage(encoder, part(name, limit=32), **{"steps": 4, "learning_rate": 1e-2, **config})
    run_stage(stage, store, run_config(encoder))
    return stage


def merge(encoder: Path, store: Store, *weighted: tuple[TrainStage, float]) -> MergeStage:
    parts = tuple(MergedPart(stage_id=stage.stage_id, name=stage.name, weight=weight) for stage, weight in weighted)
    stage = MergeStage(parent=None, encoder=encoder_ref(encoder), merged=parts)
    run_stage(stage, store, run_config(encoder))
    return stage


def by_hand(encoder: Path, store: Store, *weighted: tuple[TrainStage, float]) -> dict[str, torch.Tensor]:
    """The sum as a user would write it, over models that are loaded whole."""
    start = {name: tensor.double() for name, tensor in load_model(encoder)[0].encoder.state_dict().items()}
    found = {name: tensor.clone() for name, tensor in start.items()}
    for stage, weight in weighted:
        folder = store.fetch(stage.stage_id)
        whole = Weights(base=encoder, adapters=(folder,)) if stage.config.adapter is not None else folder
        for name, tensor in load_model(whole)[0].encoder.state_dict().items():
            found[name] += weight * (tensor.double() - start[name])
    return found


def largest_difference(store: Store, stage: MergeStage, wanted: dict[str, torch.Tensor]) -> float:
    found = read_tensors(store.fetch(stage.stage_id) / ENCODER_FILE)
    assert found.keys() == wanted.keys()
    return max(float((found[name].double() - wanted[name]).abs().max()) for name in wanted)


def test_it_is_the_sum_that_is_written_by_hand(tiny_encoder: Path, store: Store) -> None:
    weighted = [(trained(tiny_encoder, store, "mnli"), 0.7), (trained(tiny_encoder, store, "udpos"), -0.4)]
    stage = merge(tiny_encoder, store, *weighted)

    assert largest_difference(store, stage, by_hand(tiny_encoder, store, *weighted)) < 1e-6
    far = by_hand(tiny_encoder, store, (weighted[0][0], 0.7))
    assert largest_difference(store, stage, far) > 1e-3, "the second recipe is felt"


def test_one_recipe_with_weight_1_is_that_recipe_and_an_average_lies_between(tiny_encoder: Path, store: Store) -> None:
    one, other = trained(tiny_encoder, store, "mnli"), trained(tiny_encoder, store, "udpos")
    whole = {
        name: tensor.double() for name, tensor in load_model(store.fetch(one.stage_id))[0].encoder.state_dict().items()
    }
    assert largest_difference(store, merge(tiny_encoder, store, (one, 1.0)), whole) < 1e-6

    mean = merge(tiny_encoder, store, (one, 0.5), (other, 0.5))
    own, theirs = (read_tensors(store.fetch(each.stage_id) / ENCODER_FILE) for each in (one, other))
    assert largest_difference(store, mean, {name: (own[name].double() + theirs[name]) / 2 for name in own}) < 1e-6


def test_adapters_are_added_as_what_they_add(tiny_encoder: Path, store: Store) -> None:
    weighted = [(trained(tiny_encoder, store, "mnli", adapter=LORA), 0.5), (trained(tiny_encoder, store, "udpos"), 0.5)]
    stage = merge(tiny_encoder, store, *weighted)

    wanted = by_hand(tiny_encoder, store, *weighted)
    assert largest_difference(store, stage, wanted) < 1e-6
    assert largest_difference(store, stage, by_hand(tiny_encoder, store, weighted[1])) > 1e-4


def test_recipes_of_another_precision_are_added_all_the_same(tiny_encoder: Path, store: Store) -> None:
    weighted = [(trained(tiny_encoder, store, "mnli", precision=Precision.BF16), 0.5)]
    stage = merge(tiny_encoder, store, *weighted)

    assert largest_difference(store, stage, by_hand(tiny_encoder, store, *weighted)) < 1e-6


def test_it_has_no_task_head_and_the_masked_lm_head_of_its_start(tiny_encoder: Path, store: Store) -> None:
    stage = merge(tiny_encoder, store, (trained(tiny_encoder, store, "plain"), 1.0))
    folder = store.fetch(stage.stage_id)

    assert not list(folder.glob("head.*"))
    start = load_model(tiny_encoder)[0].lm_head
    assert start is not None
    kept = read_tensors(folder / LM_HEAD_FILE)
    assert all(torch.equal(kept[name], tensor) for name, tensor in start.state_dict().items())


def test_a_target_is_trained_and_scored_on_top(tiny_encoder: Path, store: Store) -> None:
    stage = merge(tiny_encoder, store, (trained(tiny_encoder, store, "mnli"), 0.5))
    target = replace(train_stage(tiny_encoder, part("udpos", limit=32), steps=3), parent=stage.stage_id)
    scored = evaluate_stage(tiny_encoder, "udpos", target.stage_id)
    for one in (target, scored):
        run_stage(one, store, run_config(tiny_encoder))

    assert all(map(store.is_done, scored.outputs))
    assert store.result(stage.stage_id)["steps"] == 0


def test_a_recipe_of_another_encoder_is_named(tiny_encoder: Path, store: Store, tmp_path: Path) -> None:
    tokenizer = (tiny_encoder / TOKENIZER_FILE).read_bytes()
    vocabulary = int(json.loads((tiny_encoder / "config.json").read_text())["vocab_size"])
    (tmp_path / "other").mkdir()
    smaller = fresh_model({**TINY, "vocab_size": vocabulary, "num_hidden_layers": 1}, seed=0)
    save_model(smaller, tmp_path / "other", tokenizer=tokenizer)
    one = trained(tmp_path / "other", store, "mnli")

    with pytest.raises(TransferError, match=one.stage_id):
        merge(tiny_encoder, store, (one, 1.0))
