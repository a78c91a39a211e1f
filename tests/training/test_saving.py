"""Checkpoints are written beside the loop, one at a time, seldom enough, and what fails there is raised in the loop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from stilts.execute.run_stage import run_stage
from stilts.store import make_store
from stilts.training.host_copies import HostCopies
from stilts.training.saving import MOST_FRAC, CheckpointWriter
from tests.training.tiny import part, run_config, train_stage


def writes(text: str) -> Callable[[Path], Callable[[], None]]:
    def take(folder: Path) -> Callable[[], None]:
        def write() -> None:
            (folder / "state").write_text(text)

        return write

    return take


def computes(seconds: float) -> Callable[[Path], None]:
    def work(folder: Path) -> None:
        until = time.thread_time() + seconds
        while time.thread_time() < until:
            pass

    return work


def test_the_loop_goes_on_while_a_checkpoint_is_written_and_what_was_copied_is_kept() -> None:
    may_end, kept = threading.Event(), []

    def save(folder: Path) -> None:
        may_end.wait(20)
        kept.append((folder / "state").read_text())

    with CheckpointWriter(save, least_s=1e-9) as writer:
        writer.start(writes("first"))
        assert not writer.is_due and kept == []  # one in flight at most
        may_end.set()
    assert kept == ["first"]


def test_the_time_between_two_follows_what_one_costs() -> None:
    with CheckpointWriter(computes(0.05), least_s=1e-9) as writer:
        assert writer.is_due
        writer.start(writes(""))
        writer.wait()
        assert not writer.is_due
        writer._last -= 0.9 * 0.05 * (1 / MOST_FRAC - 1)
        assert not writer.is_due
        writer._last -= 5.0
        assert writer.is_due
    with CheckpointWriter(lambda folder: time.sleep(0.2), least_s=0.01) as waiting:
        waiting.start(writes(""))
        waiting.wait()
        waiting._last -= 0.5 * 0.2 / MOST_FRAC  # half of what 0.2 s would make it wait
        assert waiting.is_due, "to wait for a disk or a bucket costs the loop nothing"


def test_before_the_first_its_size_foretells_the_cost() -> None:
    assert CheckpointWriter(computes(0), least_s=1e-9, num_bytes=0).is_due
    large = CheckpointWriter(computes(0), least_s=1e-9, num_bytes=2_680_000_000)
    large._last -= 200.0
    assert not large.is_due
    large._last -= 20.0
    assert large.is_due


def test_with_no_least_time_every_step_has_its_checkpoint() -> None:
    kept: list[str] = []
    with CheckpointWriter(lambda folder: kept.append((folder / "state").read_text()), least_s=0.0) as writer:
        for step in range(5):
            assert writer.is_due
            writer.start(writes(str(step)))
    assert kept == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("chance", ["is_due", "start", "wait", "end"])
def test_what_fails_in_the_thread_is_raised_in_the_loop(chance: str) -> None:
    def full(folder: Path) -> None:
        raise OSError("no space left")

    def go_on() -> None:
        with CheckpointWriter(full, least_s=1e-9) as writer:
            writer.start(writes(""))
            if chance == "end":
                return
            assert writer._thread is not None
            writer._thread.join()
            _ = writer.is_due if chance == "is_due" else getattr(writer, chance)(*[writes("")] * (chance == "start"))
            raise AssertionError("nothing was raised")

    with pytest.raises(OSError, match="no space left"):
        go_on()


def test_copies_do_not_follow_what_is_copied() -> None:
    tensor = torch.zeros(3)
    copies = HostCopies().copied({"weights": {"one": tensor}})
    tensor.add_(1)
    assert copies["weights"]["one"].tolist() == [0, 0, 0]


def test_a_stage_whose_checkpoint_cannot_be_written_fails(
    tiny_encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, tensors: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("stilts.training.checkpoint.write_tensors", full)
    stage = train_stage(tiny_encoder, part("udpos", limit=32), steps=4)
    run = run_config(tiny_encoder, checkpoint_every_s=0.0)
    with pytest.raises(OSError, match="no space left"):
        run_stage(stage, make_store(str(tmp_path / "store")), run)
