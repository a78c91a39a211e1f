"""Gradient checkpointing is execution: one stage id, the same bits of every kind, on ranks, sharded, with adapters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stilts.execute.run_stage import run_stage
from stilts.store import make_store
from stilts.study.config import Precision
from stilts.study.stage import TrainStage
from stilts.tasks.adapter import AdapterConfig
from stilts.training import loop
from stilts.training.run_config import RunConfig, Sharding
from tests.training.test_execution_invariance import KINDS, InterruptingReporter, largest_difference, trained
from tests.training.test_ranks import weights_of
from tests.training.tiny import part, run_config, train_stage

LORA = AdapterConfig(rank=4, alpha=8.0, dropout=0.1, modules=("query", "value"))


pytestmark = pytest.mark.usefixtures("nobody_is_left")


@pytest.fixture
def recomputing(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The models of this process whose layers were told to be computed again."""
    models: list[Any] = []
    real = loop.recompute_layers

    def told(encoder: Any, *how: Any) -> None:
        models.append(encoder)
        real(encoder, *how)

    monkeypatch.setattr(loop, "recompute_layers", told)
    return models


def assert_same_bits(stage: TrainStage, folder: Path, encoder: Path, recomputing: list[Any], **run: Any) -> None:
    plain = trained(stage, folder / "plain", run_config(encoder, **run))
    assert recomputing == []
    again = trained(stage, folder / "again", run_config(encoder, gradient_checkpointing=True, **run))
    assert len(recomputing) == 1 and largest_difference(plain, again) == 0.0


@pytest.mark.on_device
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_learns_the_same_bits(kind: str, tiny_encoder: Path, tmp_path: Path, recomputing: list[Any]) -> None:
    assert_same_bits(train_stage(tiny_encoder, part(kind), steps=4), tmp_path, tiny_encoder, recomputing)


@pytest.mark.on_device
def test_so_does_a_retrieval_in_two_passes_in_bf16_with_an_adapter(
    tiny_encoder: Path, tmp_path: Path, recomputing: list[Any]
) -> None:
    stage = train_stage(
        tiny_encoder, part("lareqa", layer=2), part("mnli"), steps=6, adapter=LORA, precision=Precision.BF16
    )
    assert_same_bits(stage, tmp_path, tiny_encoder, recomputing, micro_batch=4)


RANKS = [("all_reduce", None), ("fsdp", LORA), pytest.param("fsdp", None, marks=pytest.mark.slow)]


@pytest.mark.parametrize(("sharding", "adapter"), RANKS)
def test_so_do_ranks(
    sharding: str, adapter: AdapterConfig | None, tiny_encoder: Path, tmp_path: Path, recomputing: list[Any]
) -> None:
    stage = train_stage(tiny_encoder, part("mnli", 0.5), part("lareqa", 0.5), steps=6, adapter=adapter)
    how = {"ranks": 2, "micro_batch": 2, "sharding": Sharding(sharding)}
    assert_same_bits(stage, tmp_path, tiny_encoder, recomputing, **how)


def test_it_is_recorded_and_a_stage_goes_on_without_it(
    tiny_encoder: Path, tmp_path: Path, recomputing: list[Any]
) -> None:
    stage, store = train_stage(tiny_encoder, part("mnli"), steps=8), make_store(str(tmp_path / "store"))
    run = run_config(tiny_encoder, checkpoint_every_s=0.0, gradient_checkpointing=True)
    with pytest.raises(ConnectionAbortedError):
        run_stage(stage, store, run, InterruptingReporter(5))
    run_stage(stage, store, run_config(tiny_encoder))
    whole = trained(stage, tmp_path / "whole", run)
    assert len(recomputing) == 2 and largest_difference(whole, weights_of(stage, store)) == 0.0
    told = [make_store(str(tmp_path / name)).result(stage.stage_id)["execution"] for name in ("store", "whole")]
    assert ["gradient_checkpointing" in one for one in told] == [False, True]  # type: ignore[operator]


def test_a_run_config_is_without_it() -> None:
    assert not RunConfig().gradient_checkpointing
