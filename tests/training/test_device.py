"""Devices are told what a stage asks, and refused where they cannot do it; a shared GPU is taken in part."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch.profiler import ProfilerActivity, profile

from stilts.errors import DeviceError
from stilts.models.full_precision import full_precision
from stilts.scheduling.attempt import attempt
from stilts.study.config import Precision
from stilts.training.device import autocast, set_up
from stilts.training.reporter import SilentReporter
from stilts.training.run_config import RunConfig

CPU = torch.device("cpu")


class Card:
    """A GPU of 80 GB, as far as setting up asks one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, bf16: bool = True) -> None:
        self.fracs: list[float] = []
        answers: dict[str, Any] = {
            "is_available": lambda: True,
            "is_bf16_supported": lambda including_emulation: bf16,
            "get_device_name": lambda *_: "Tesla T4",
            "get_device_properties": lambda device: SimpleNamespace(total_memory=80 * 10**9),
            "set_per_process_memory_fraction": lambda frac, device: self.fracs.append(frac),
        }
        for name, answer in answers.items():
            monkeypatch.setattr(torch.cuda, name, answer)


@pytest.fixture(autouse=True)
def as_it_was() -> Any:
    before = torch.backends.cuda.matmul.allow_tf32, torch.are_deterministic_algorithms_enabled()
    yield
    torch.backends.cuda.matmul.allow_tf32 = before[0]
    torch.use_deterministic_algorithms(before[1])


def test_a_gpu_that_is_not_there_is_told_once_and_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DeviceError, match=r"Install torch with CUDA on every node"):
        set_up(RunConfig(device="cuda"))

    def execute(stage: Any, reporter: Any) -> Any:
        return set_up(RunConfig(device="cuda"))

    outcome = attempt(execute, SimpleNamespace(stage_id="train-x"), SilentReporter())  # type: ignore[arg-type]
    assert outcome["ends_run"] and not outcome["may_pass"] and "built for CPUs only" in str(outcome["error"])


def test_bf16_needs_a_card_that_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    Card(monkeypatch, bf16=False)
    with pytest.raises(DeviceError, match=r"Tesla T4 has no bf16.*precision: fp32"):
        set_up(RunConfig(device="cuda"), Precision.BF16)
    assert set_up(RunConfig(device="cuda"), Precision.FP32).type == "cuda"


def test_a_part_of_a_gpu_is_a_part_of_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    card = Card(monkeypatch)
    for frac in (1.0, 0.5, 0.25):
        set_up(RunConfig(device="cuda", gpu_frac=frac))
    whole, half, quarter = card.fracs
    # What a process holds beside torch's allocator is left for it.
    assert whole == 1.0 and 0.49 < half < 0.5 and 0.24 < quarter < 0.25


def test_tf32_is_a_precision_of_its_own_and_not_of_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DeviceError, match="CPUs have no such products"):
        set_up(RunConfig(), Precision.TF32)
    Card(monkeypatch)
    for precision in Precision:
        set_up(RunConfig(device="cuda"), precision)
        assert torch.backends.cuda.matmul.allow_tf32 == (precision is Precision.TF32)
    torch.backends.cuda.matmul.allow_tf32 = True
    with full_precision(CPU):
        assert not torch.backends.cuda.matmul.allow_tf32
    assert torch.backends.cuda.matmul.allow_tf32


def test_full_precision_holds_within_autocast() -> None:
    left = torch.ones(2, 2)
    with autocast(CPU, Precision.BF16)():
        assert (left @ left).dtype is torch.bfloat16
        with full_precision(CPU):
            assert (left @ left).dtype is torch.float32


def test_determinism_fills_no_new_memory() -> None:
    set_up(RunConfig(deterministic=True))
    x = torch.ones(64, 64)
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        x.clone(), torch.empty(64), x.to(torch.bfloat16)
    assert not [event.key for event in seen.key_averages() if event.key == "aten::fill_"]
