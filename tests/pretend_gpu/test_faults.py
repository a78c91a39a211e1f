"""Faults of devices that are planted in the product are caught, by the operation and the line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from stilts.data.collate import Batch
from stilts.execute.run_stage import run_stage
from stilts.kinds import scorer
from stilts.models.model import StiltsModel
from stilts.store import Store, make_store
from stilts.study.config import Precision
from stilts.training import losses
from tests.pretend_gpu.device import DEVICE, GpuTensor
from tests.pretend_gpu.syncs import counted_syncs
from tests.training.tiny import evaluate_stage, part, run_config, train_stage

pytestmark = pytest.mark.on_device


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return make_store(str(tmp_path))


def train(folder: Path, store: Store, **config: Any) -> None:
    run_stage(train_stage(folder, part("mnli", limit=16), **{"steps": 2, **config}), store, run_config(folder))


def test_a_tensor_left_on_the_cpu(tiny_encoder: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Batch.to
    monkeypatch.setattr(Batch, "to", lambda batch, device: replace(real(batch, device), mask=batch.mask))
    with pytest.raises(RuntimeError, match=rf"at stilts/models/\S+\.py:\d+: tensors on {DEVICE} and on the CPU"):
        train(tiny_encoder, store)


def test_a_tensor_made_without_a_device(tiny_encoder: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    real = torch.arange
    monkeypatch.setattr(torch, "arange", lambda *args, device=None, **more: real(*args, **more))
    with pytest.raises(RuntimeError, match=r"where at stilts/models/\S+\.py:\d+: tensors on gpu:0 and on the CPU"):
        train(tiny_encoder, store)


def test_numpy_of_bf16(tiny_encoder: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    real = scorer.pooled_rows
    monkeypatch.setattr(scorer, "pooled_rows", lambda *args: real(*args).bfloat16())
    with pytest.raises(TypeError, match="BFloat16"):
        run_stage(evaluate_stage(tiny_encoder, "tatoeba", None, "qaa"), store, run_config(tiny_encoder))


def test_a_cosine_in_bf16(tiny_encoder: Path, store: Store, monkeypatch: pytest.MonkeyPatch, device: Any) -> None:
    # What the index of a retrieval once did: a product within autocast.
    with torch.autocast(device.type, torch.bfloat16):
        product = torch.ones(2, 2, device=device) @ torch.ones(2, 2, device=device)
    with pytest.raises(TypeError, match="BFloat16"):
        product.cpu().numpy()


def test_numpy_of_a_tensor_on_the_device(device: torch.device) -> None:
    with pytest.raises((TypeError, RuntimeError), match="numpy"):
        torch.ones(2, device=device).numpy()


def test_a_loss_that_is_read_in_each_step(tiny_encoder: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(losses, "_READ_EVERY", 1)
    with counted_syncs() as syncs:
        train(tiny_encoder, store, steps=10)
    (read,) = [number for line, number in syncs.items() if "stilts/training/losses.py" in line]
    assert read == 10


def test_each_wait_is_counted_once(device: torch.device) -> None:
    x = torch.tensor([3.0, 0.0, 4.0], device=device)
    with counted_syncs() as syncs:
        _ = x * 2 + x.sum()
        assert not syncs
        for wait in (
            lambda: float(x.sum()),
            lambda: x.cpu(),
            lambda: x[x > 0],
            lambda: torch.nonzero(x),
            lambda: torch.zeros(3).copy_(x),
            lambda: bool((x > 0).all()),
            lambda: x.masked_select(x > 0),
        ):
            before = syncs.total()
            wait()
            assert syncs.total() == before + 1, syncs
        before = syncs.total()
        _ = x[torch.tensor([0, 2], device=device)]
        assert syncs.total() == before


def test_what_is_trained_lies_on_the_device(tiny_encoder: Path, device: torch.device) -> None:
    from stilts.models.model import load_model

    model: StiltsModel = load_model(tiny_encoder)[0].to(device)
    assert all(isinstance(each.data, GpuTensor) for each in model.parameters())
    with torch.autocast(device.type, torch.bfloat16):
        ids = torch.full((2, 5), 9, device=device)
        hidden = model.eval().hidden(ids, torch.ones(2, 5, dtype=torch.bool, device=device))
        assert (hidden @ hidden.transpose(1, 2)).dtype is torch.bfloat16
        assert hidden.sum().dtype is torch.float32 and torch.softmax(hidden.bfloat16(), -1).dtype is torch.float32


def test_precision_is_named_by_the_study(tiny_encoder: Path) -> None:
    assert train_stage(tiny_encoder, precision=Precision.BF16).config.precision is Precision.BF16
