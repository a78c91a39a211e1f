"""Adapters on several ranks: curve and artifact are those of one process, stacked, sharded, killed and resumed."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from stilts.errors import RankError
from stilts.execute.run_stage import run_stage
from stilts.models.transfer import read_tensors
from stilts.store import Store, make_store
from stilts.study.config import Keep
from stilts.study.stage import TrainStage
from stilts.tasks.adapter import AdapterConfig, ParentAdapter
from stilts.tasks.families import FAMILIES
from stilts.training import loop
from stilts.training.run_config import RunConfig, Sharding
from tests.e2e.test_every_family import write_encoder
from tests.models.families import TINY_CONFIGS
from tests.training.alive import ranks_of
from tests.training.recording_reporter import RecordingReporter
from tests.training.test_ranks import (
    KINDS,
    ActingReporter,
    assert_alike,
    kill_a_rank,
    result_of,
    weights_of,
)
from tests.training.tiny import part, run_config, train_stage

LORA = AdapterConfig(rank=4, alpha=8.0, dropout=0.1, modules=("query", "value"))
BELOW = AdapterConfig(rank=2, alpha=4.0, dropout=0.2, modules=("query", "intermediate.dense"))
# Weights of an artifact after 20 steps. Measured: 6e-6 at most.
CLOSE = 2e-5
# By kind, points of selection scores. After 10 steps of an adapter a random encoder's predictions on STS-B spread by
# 4e-4, and are rounded to 1e-5: Pearson's coefficient of them is no steadier. Measured: 0.16.
POINTS = {"stsb": 0.5}


pytestmark = pytest.mark.usefixtures("nobody_is_left")


@pytest.fixture
def sharded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often this rank has cut a model into parts."""
    calls: list[int] = []
    real = loop.shard

    def counted(model: Any, device: torch.device, ranks: int) -> None:
        real(model, device, ranks)
        calls.append(ranks)

    monkeypatch.setattr(loop, "shard", counted)
    return calls


@pytest.fixture(scope="module")
def below(tiny_encoder: Path) -> TrainStage:
    """The stage whose adapter others are stacked on."""
    return train_stage(tiny_encoder, part("stsb", limit=16), steps=6, learning_rate=1e-2, adapter=BELOW)


def stacked_on(below: TrainStage, stage: TrainStage) -> TrainStage:
    return replace(stage, parent=below.stage_id, parent_adapter=ParentAdapter.STACK)


def prepared(folder: Path, encoder: Path, below: TrainStage | None) -> Store:
    """A new store; where something lies below, with that trained by one process."""
    store = make_store(str(folder))
    if below is not None:
        run_stage(below, store, run_config(encoder))
    return store


def assert_same_artifact(stage: TrainStage, one: Store, many: Store) -> None:
    names = [{path.name for path in store.fetch(stage.stage_id).iterdir()} for store in (one, many)]
    assert names[0] == names[1] and "adapter.json" in names[0] and "encoder.safetensors" not in names[0]
    settings = [(store.fetch(stage.stage_id) / "adapter.json").read_bytes() for store in (one, many)]
    assert settings[0] == settings[1]
    left, right = weights_of(stage, one), weights_of(stage, many)
    assert {name: (one.shape, one.dtype) for name, one in left.items()} == {
        name: (one.shape, one.dtype) for name, one in right.items()
    }
    assert max(float((left[name] - right[name]).abs().max()) for name in left) < CLOSE


def check(stage: TrainStage, encoder: Path, below: TrainStage | None, folder: Path, run: RunConfig) -> None:
    alone, together = prepared(folder / "one", encoder, below), prepared(folder / "many", encoder, below)
    one, many = result_of(stage, alone, run_config(encoder)), result_of(stage, together, run)
    assert_alike(one, many, points=max(POINTS.get(part.task.learner, 0.0) for part in stage.mixture))
    assert (many["execution"]["ranks"], many["kept_step"]) == (run.ranks, one["kept_step"])
    assert_same_artifact(stage, alone, together)
    moved = [tensor for name, tensor in weights_of(stage, together).items() if ".lora_B." in name]
    assert moved and any(bool(tensor.any()) for tensor in moved), "B begins at 0"


def check_kind(
    kind: str, ranks: int, sharding: str, below: TrainStage | None, folder: Path, encoder: Path, sharded: list[int]
) -> None:
    """Twenty steps with two evaluations, by one process and by several."""
    stage = train_stage(encoder, part(kind), steps=20, evaluate_every=10, learning_rate=1e-2, adapter=LORA)
    if below is not None:
        stage = stacked_on(below, stage)
    check(stage, encoder, below, folder, run_config(encoder, ranks=ranks, sharding=Sharding(sharding)))
    assert sharded == ([ranks] if sharding == "fsdp" else [])


@pytest.mark.parametrize(("kind", "sharding", "way"), [("udpos", "fsdp", "stack"), ("lareqa", "all_reduce", "one")])
def test_two_ranks_train_an_adapter_as_one_does(
    kind: str, sharding: str, way: str, below: TrainStage, tiny_encoder: Path, tmp_path: Path, sharded: list[int]
) -> None:
    check_kind(kind, 2, sharding, below if way == "stack" else None, tmp_path, tiny_encoder, sharded)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["one", "stack"])
@pytest.mark.parametrize("sharding", ["all_reduce", "fsdp"])
@pytest.mark.parametrize("ranks", [2, 4])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_trains_an_adapter_as_one_process_does(
    kind: str,
    ranks: int,
    sharding: str,
    way: str,
    below: TrainStage,
    tiny_encoder: Path,
    tmp_path: Path,
    sharded: list[int],
) -> None:
    check_kind(kind, ranks, sharding, below if way == "stack" else None, tmp_path, tiny_encoder, sharded)


@pytest.mark.parametrize("sharding", [pytest.param("all_reduce", marks=pytest.mark.slow), "fsdp"])
def test_a_mixture_is_clipped_by_what_trains_and_keeps_its_best_adapter(
    sharding: str, below: TrainStage, tiny_encoder: Path, tmp_path: Path
) -> None:
    # Heads get gradients in some steps only, retrieval's none to the last layer's matrices; the norm is always clipped.
    parts = (part("mnli", 0.4, batch_size=7), part("lareqa", 0.3), part("plain", 0.3))
    stage = train_stage(
        tiny_encoder,
        *parts,
        steps=12,
        evaluate_every=4,
        keep=Keep.BEST,
        clip_norm=0.01,
        learning_rate=1e-2,
        adapter=LORA,
    )
    run = run_config(tiny_encoder, ranks=2, micro_batch=2, sharding=Sharding(sharding), checkpoint_every_s=0.0)
    check(stacked_on(below, stage), tiny_encoder, below, tmp_path, run)


RESUMED = [  # on how many ranks of which sort a rank is killed, and who goes on
    ((2, "fsdp"), (3, "all_reduce")),
    pytest.param((2, "all_reduce"), (3, "fsdp"), marks=pytest.mark.slow),
    pytest.param((4, "fsdp"), (2, "fsdp"), marks=pytest.mark.slow),
    pytest.param((2, "fsdp"), (4, "fsdp"), marks=pytest.mark.slow),
    pytest.param((4, "all_reduce"), (1, "auto"), marks=pytest.mark.slow),
    pytest.param((4, "fsdp"), (1, "auto"), marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("first", "then"), RESUMED)
def test_a_killed_stage_of_a_stacked_adapter_goes_on_on_another_number_of_ranks(
    first: tuple[int, str], then: tuple[int, str], below: TrainStage, tiny_encoder: Path, tmp_path: Path
) -> None:
    parts = (part("mnli", 0.5), part("lareqa", 0.5))
    stage = stacked_on(below, train_stage(tiny_encoder, *parts, steps=20, learning_rate=1e-2, adapter=LORA))
    alone, store = prepared(tmp_path / "one", tiny_encoder, below), prepared(tmp_path / "many", tiny_encoder, below)
    one = result_of(stage, alone, run_config(tiny_encoder))
    ranks, sharding = first
    often = run_config(tiny_encoder, ranks=ranks, sharding=Sharding(sharding), checkpoint_every_s=0.0)
    with pytest.raises(RankError, match="its process ended by signal 9"):
        run_stage(stage, store, often, ActingReporter(10, kill_a_rank))
    assert ranks_of(os.getpid()) == []
    assert_only_what_trains_is_kept(stage, store)
    ranks, sharding = then
    reporter = RecordingReporter()
    run_stage(stage, store, run_config(tiny_encoder, ranks=ranks, sharding=Sharding(sharding)), reporter)
    assert reporter.steps_seen[0][1] in (10, 11)
    assert_alike(one, store.result(stage.stage_id))
    assert_same_artifact(stage, alone, store)


def assert_only_what_trains_is_kept(stage: TrainStage, store: Store) -> None:
    """A checkpoint holds the topmost adapter and the heads, whole, and two moments and a count of each."""
    folder = store.load_progress(stage.stage_id)
    assert folder is not None
    weights, moments = (read_tensors(folder / f"{name}.safetensors") for name in ("weights", "optimizer"))
    assert all(".adapter1." in name or name.startswith("heads.") for name in weights)
    assert sum(".adapter1." in name for name in weights) == 2 * 2 * 2
    assert {key.split("|")[0] for key in moments} <= weights.keys()
    for key, moment in moments.items():
        name, what = key.split("|")
        assert what == "step" or moment.shape == weights[name].shape


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["mnli", "lareqa"])
@pytest.mark.parametrize("way", ["all weights", "adapter"])
@pytest.mark.parametrize("family", TINY_CONFIGS)
def test_every_family_is_sharded(family: str, way: str, kind: str, tmp_path: Path, sharded: list[int]) -> None:
    encoder = write_encoder(tmp_path / "encoder", family)
    lora = replace(LORA, modules=FAMILIES[family].adapter_modules)
    how = {"learning_rate": 1e-4} if way == "all weights" else {"learning_rate": 1e-3, "adapter": lora}
    data = part(kind, limit=24, max_length=48)
    stage = train_stage(encoder, data, steps=8, dropout=0.2, attention_dropout=0.1, **how)
    one = result_of(stage, make_store(str(tmp_path / "one")), run_config(encoder))
    run = run_config(encoder, ranks=2, sharding=Sharding.FSDP)
    assert_alike(one, result_of(stage, make_store(str(tmp_path / "many")), run))
    assert sharded == [2]
