"""The checks of a device: all pass on the CPU, and what is wrong is found."""

from __future__ import annotations

import json

import pytest
import torch
from typer.testing import CliRunner

from stilts.cli.main import app
from stilts.execute import device_checks, random_training
from stilts.execute.device_checks import check_device
from stilts.execute.finding import CheckState, Finding
from stilts.models.dropout import DropoutStream
from tests.study.handmade import NLI

CPU = torch.device("cpu")


def verdicts(found: list[Finding]) -> dict[str, CheckState]:
    return {one.check: one.verdict for one in found}


def test_the_cpu_agrees_with_itself_and_is_timed() -> None:
    found = check_device(CPU, NLI, "small")
    assert CheckState.FAILED not in verdicts(found).values(), found
    assert verdicts(found)["determinism"] is verdicts(found)["numbers in bf16"] is CheckState.OK
    speed = found[-1]
    assert speed.verdict is CheckState.MEASURED and "s a step of 4,096 tokens" in speed.found


def test_other_masks_other_numbers_and_an_error_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = DropoutStream.kept, [0]

    def other(self: DropoutStream, shape: tuple[int, ...], site: int, p: float, device: torch.device) -> torch.Tensor:
        calls[0] += 1
        return real(self, shape, site + calls[0], p, device)

    monkeypatch.setattr(DropoutStream, "kept", other)
    monkeypatch.setattr(device_checks, "_product_rate", lambda device: 1 / 0)
    found = check_device(CPU, NLI, "small")
    seen = verdicts(found)
    assert seen["dropout masks"] is seen["numbers in fp32"] is seen["determinism"] is CheckState.FAILED
    assert found[-1].verdict is CheckState.FAILED and "ZeroDivisionError" in found[-1].found
    assert all(one.advice for one in found if one.verdict is CheckState.FAILED)


def test_the_verb_ends_with_status_one_where_a_check_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random_training, "fresh_model", lambda config, seed: 1 / 0)
    result = CliRunner().invoke(app, ["doctor", "--json"])
    assert result.exit_code == 1
    failed = [one["check"] for one in json.loads(result.stdout)["findings"] if one["verdict"] == "failed"]
    assert "numbers in fp32" in failed and "device" not in failed


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is here")
def test_a_gpu_that_is_not_there_is_one_message() -> None:
    result = CliRunner().invoke(app, ["doctor", "--device", "cuda"])
    assert result.exit_code != 0 and "sees no GPU" in str(result.exception)
