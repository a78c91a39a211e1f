"""Every kind on the pretend GPU: trained, scored, broken off and resumed, in bf16; the CPU's numbers in fp32."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from stilts.execute.run_stage import run_stage
from stilts.models.transfer import read_tensors
from stilts.store import Store, make_store
from stilts.study.config import Keep, Precision
from stilts.study.stage import TrainStage
from tests.pretend_gpu.device import DEVICE
from tests.pretend_gpu.syncs import counted_syncs
from tests.training.recording_reporter import RecordingReporter
from tests.training.tiny import evaluate_stage, part, run_config, train_stage

pytestmark = pytest.mark.on_device

# A task of each kind: classification, tagging, span QA, multiple choice, regression, multi-label, retrieval, masked LM.
KINDS = ["mnli", "udpos", "squad_v2", "hellaswag", "stsb", "multieurlex", "lareqa", "plain"]


class BreaksOff(RecordingReporter):
    def progress(self, stage_id: str, step: int, steps: int) -> None:
        super().progress(stage_id, step, steps)
        if step == 5:
            raise ConnectionAbortedError("on purpose")


def tensors(stage: TrainStage, store: Store) -> dict[str, torch.Tensor]:
    folder = store.fetch(stage.stage_id)
    return {f"{f.name}/{k}": v for f in folder.glob("*.safetensors") for k, v in read_tensors(f).items()}


def largest_difference(left: dict[str, torch.Tensor], right: dict[str, torch.Tensor]) -> float:
    assert left.keys() == right.keys()
    return max(float((left[name] - right[name]).abs().max()) for name in left)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_in_bf16_is_trained_scored_and_resumed(kind: str, tiny_encoder: Path, tmp_path: Path) -> None:
    config = {"precision": Precision.BF16, "evaluate_every": 4, "keep": Keep.LAST, "steps": 8}
    stage = train_stage(tiny_encoder, part(kind, limit=32), **config)
    run = run_config(tiny_encoder, checkpoint_every_s=0.0)
    assert run.device == DEVICE, "this process is on the pretend GPU"
    store, whole = make_store(str(tmp_path / "cut")), make_store(str(tmp_path / "whole"))
    with pytest.raises(ConnectionAbortedError):
        run_stage(stage, store, run, BreaksOff())
    reporter = RecordingReporter()
    run_stage(stage, store, run, reporter)
    assert reporter.steps_seen[0][1] == 5, "it went on from its checkpoint"
    run_stage(stage, whole, run)
    assert largest_difference(tensors(stage, store), tensors(stage, whole)) == 0.0
    assert [step for _, step, _ in reporter.evaluations] == ([8] if stage.mixture[0].select else [])


@pytest.mark.parametrize("kind", KINDS)
def test_ten_steps_wait_for_the_device_once_at_most(kind: str, tiny_encoder: Path, tmp_path: Path) -> None:
    stage = train_stage(tiny_encoder, part(kind, limit=32), precision=Precision.BF16, steps=13)
    waits: list[int] = []
    with counted_syncs() as syncs:

        class Counting(RecordingReporter):
            def progress(self, stage_id: str, step: int, steps: int) -> None:
                waits.append(syncs.total())

        run_stage(stage, make_store(str(tmp_path)), run_config(tiny_encoder, checkpoint_every_s=1e9), Counting())
        # From the end of the second step to the end of the twelfth; the first makes what later ones find.
        assert waits[11] - waits[1] <= 1, syncs
        # Behind the steps: the losses, the weights whether they are numbers, and each weight as it is published.
        published = sum(number for line, number in syncs.items() if line.startswith("_to_copy at stilts/models/"))
        assert syncs.total() - waits[12] - published <= 2, syncs


@pytest.mark.parametrize("kind", ["mnli", "lareqa", "plain"])
def test_the_cpus_numbers_come_out_in_fp32(kind: str, tiny_encoder: Path, tmp_path: Path) -> None:
    stage, found = train_stage(tiny_encoder, part(kind, limit=32)), []
    for device in (DEVICE, "cpu"):
        store = make_store(str(tmp_path / device.replace(":", "")))
        run_stage(stage, store, run_config(tiny_encoder, device=device))
        found.append(tensors(stage, store))
    assert largest_difference(*found) < 5e-6


@pytest.mark.parametrize("target", ["tatoeba", "bucc2018", "udpos"])
def test_a_target_is_scored_in_bf16(target: str, tiny_encoder: Path, tmp_path: Path) -> None:
    store, run = make_store(str(tmp_path)), run_config(tiny_encoder)
    parent = None
    if target == "udpos":
        trained = train_stage(tiny_encoder, part("udpos", limit=32), steps=4)
        run_stage(trained, store, run)
        parent = trained.stage_id
    plain = evaluate_stage(tiny_encoder, target, parent, "qaa")
    for stage in (replace(plain, precision=Precision.BF16), plain):
        run_stage(stage, store, run)
        (key,) = stage.outputs
        assert store.result(key)["num_items"] > 0 and store.result(key)["score"] is not None
