"""Memory that is full halves a batch and changes rounding only; a batch of one that is too much is told once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from stilts.errors import NoMemoryError
from stilts.execute.run_stage import run_stage
from stilts.models.architectures.bert_shape import BertShape
from stilts.models.device_memory import is_out_of_memory
from stilts.store import Store, make_store
from stilts.study.stage import TrainStage
from tests.training.recording_reporter import RecordingReporter
from tests.training.test_execution_invariance import largest_difference, trained
from tests.training.tiny import evaluate_stage, part, run_config, train_stage

FULL = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    MemoryError(),
    RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory: you tried 2 bytes"),
]


class SmallDevice:
    """Holds so many rows of a forward pass at once."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, rows: int, error: BaseException = FULL[0]) -> None:
        self.refused: list[int] = []
        given = BertShape._given

        def within(shape: BertShape, encoder: Any, ids: torch.Tensor, *rest: Any) -> Any:
            if len(ids) > rows:
                self.refused.append(len(ids))
                raise error
            return given(shape, encoder, ids, *rest)

        monkeypatch.setattr(BertShape, "_given", within)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return make_store(str(tmp_path / "store"))


def result(store: Store, stage: TrainStage) -> dict[str, Any]:
    found: dict[str, Any] = store.result(stage.stage_id)
    return found


@pytest.mark.parametrize("kind", ["mnli", "hellaswag", pytest.param("lareqa", marks=pytest.mark.on_device), "plain"])
def test_a_step_is_repeated_in_halves_and_the_weights_are_the_same(
    kind: str, tiny_encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = train_stage(tiny_encoder, part(kind, limit=32), steps=6)
    whole = trained(stage, tmp_path / "whole", run_config(tiny_encoder))
    small = SmallDevice(monkeypatch, rows=4)
    cut = trained(stage, tmp_path / "cut", run_config(tiny_encoder))
    assert largest_difference(whole, cut) < 2e-5
    rows = stage.mixture[0].config.batch_size * {"hellaswag": 4, "lareqa": 2}.get(kind, 1)
    halves = [rows >> n for n in range(6) if rows >> n > 4]
    assert small.refused == halves, "later steps begin with what fits"
    said = result(make_store(str(tmp_path / "cut")), stage)["execution"]
    assert said["halved_to"] == {stage.mixture[0].task.learner: 4} and said["micro_batch"] is None


@pytest.mark.parametrize("error", FULL, ids=["device", "host", "allocator"])
def test_every_full_memory_is_known(
    error: Exception, tiny_encoder: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert is_out_of_memory(error) and not is_out_of_memory(RuntimeError("shapes differ"))
    small = SmallDevice(monkeypatch, rows=4, error=error)
    stage = train_stage(tiny_encoder, part("mnli", limit=16), steps=2)
    run_stage(stage, store, run_config(tiny_encoder))
    assert small.refused == [8] and result(store, stage)["steps"] == 2


def test_what_was_learned_of_memory_outlives_the_process(
    tiny_encoder: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    class BreaksOff(RecordingReporter):
        def progress(self, stage_id: str, step: int, steps: int) -> None:
            if step == 3:
                raise ConnectionAbortedError("on purpose")

    small = SmallDevice(monkeypatch, rows=4)
    stage = train_stage(tiny_encoder, part("mnli", limit=16), steps=4)
    often = run_config(tiny_encoder, checkpoint_every_s=0.0)
    with pytest.raises(ConnectionAbortedError):
        run_stage(stage, store, often, BreaksOff())
    run_stage(stage, store, often)
    assert small.refused == [8]


def test_the_next_stage_of_the_kind_begins_with_what_fitted(
    tiny_encoder: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    small, run = SmallDevice(monkeypatch, rows=4), run_config(tiny_encoder)
    first, again = (train_stage(tiny_encoder, part("mnli", limit=16), steps=2, seed=seed) for seed in (1, 2))
    other = train_stage(tiny_encoder, part("mnli", limit=16, max_length=64), steps=2)
    little = train_stage(tiny_encoder, part("mnli", limit=16, batch_size=4), steps=2)
    for stage in (first, again, little):
        run_stage(stage, store, run)
    assert small.refused == [8], "once for all of them"
    assert [result(store, one)["execution"].get("halved_to") for one in (first, again, little)] == [
        {"mnli": 4},
        {"mnli": 4},
        None,
    ]
    run_stage(other, store, run)
    assert small.refused == [8, 8], "of shorter texts more may fit"
    run_stage(train_stage(tiny_encoder, part("mnli", limit=16), steps=2, seed=3), make_store(f"{store.url}2"), run)
    assert small.refused == [8, 8, 8], "another store knows nothing of it"


def test_a_smaller_micro_batch_that_was_asked_for_stays(
    tiny_encoder: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = SmallDevice(monkeypatch, rows=4)
    for seed, rows in ((1, None), (2, 2)):
        stage = train_stage(tiny_encoder, part("mnli", limit=16), steps=2, seed=seed)
        run_stage(stage, store, run_config(tiny_encoder, micro_batch=rows))
    assert small.refused == [8] and "halved_to" not in result(store, stage)["execution"]


@pytest.mark.parametrize("kind", ["mnli", "lareqa"])
def test_one_example_that_is_too_much_is_told_once(
    kind: str, tiny_encoder: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = SmallDevice(monkeypatch, rows=0)
    stage = train_stage(tiny_encoder, part(kind, limit=16), steps=2)
    with pytest.raises(NoMemoryError, match=r"one example at a time .*Lower max_length"):
        run_stage(stage, store, run_config(tiny_encoder))
    smallest = 2 if kind == "lareqa" else 1
    assert small.refused[-1] == smallest and small.refused == sorted(set(small.refused), reverse=True)


def test_a_full_memory_in_the_optimizers_step_is_no_matter_of_the_batch(
    tiny_encoder: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise FULL[0]

    monkeypatch.setattr(torch.optim.AdamW, "step", full)
    with pytest.raises(NoMemoryError, match="16 bytes a parameter"):
        run_stage(train_stage(tiny_encoder, part("mnli", limit=16)), store, run_config(tiny_encoder))


@pytest.mark.on_device
@pytest.mark.parametrize("name", ["udpos", "tatoeba"])
def test_an_evaluation_is_repeated_in_halves_and_scores_the_same(
    name: str, tiny_encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (make_store(str(tmp_path / where)) for where in "ab")
    parent = None
    if name == "udpos":
        train = train_stage(tiny_encoder, part("udpos", limit=16), steps=2)
        for store in (first, second):
            run_stage(train, store, run_config(tiny_encoder))
        parent = train.stage_id
    stage = evaluate_stage(tiny_encoder, name, parent, "qaa", limit=20)
    run_stage(stage, first, run_config(tiny_encoder))
    small = SmallDevice(monkeypatch, rows=5)
    run_stage(stage, second, run_config(tiny_encoder))
    (key,) = stage.outputs
    assert first.result(key)["stats"] == pytest.approx(second.result(key)["stats"])
    assert small.refused and max(small.refused[1:], default=0) < small.refused[0]
