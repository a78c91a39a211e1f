"""What stages took is carried over to stages of other studies: by kind, shape, precision and what they hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from stilts.errors import StoreError
from stilts.ledger.records import TEMPOS
from stilts.ledger.tempo import keep_tempo, known_tempo
from stilts.store import Store, make_store
from stilts.study.config import Precision, TrainConfig
from stilts.study.rates import assumed_seconds
from stilts.study.slots import Resources
from stilts.study.stage import TrainStage
from tests.study.handmade import part, train_stage
from tests.study.test_workload import ENCODED, full_rows

CPU = Resources(cpus=1)


def trained(steps: int = 10, precision: Precision = Precision.FP32) -> TrainStage:
    return train_stage(part(), encoder=ENCODED, config=TrainConfig(steps=steps, precision=precision))


def known(store: Store, stage: TrainStage, held: Resources = CPU, *, again: bool = False) -> float | None:
    return known_tempo(store, stage, held, gradient_checkpointing=again)


def test_the_last_stage_of_a_kind_says_how_long_others_take(tmp_path: Path) -> None:
    store = make_store(str(tmp_path / "store"))
    stage = trained()
    assert known(store, stage) is None
    for times in (4.0, 3.0):
        took = times * assumed_seconds(stage, CPU, lengths=full_rows)
        keep_tempo(store, stage, CPU, took=took, lengths=full_rows, gradient_checkpointing=False, device="a CPU")
        assert known(store, stage) == pytest.approx(times)
    assert known(store, trained(steps=99)) == pytest.approx(3.0), "steps are arithmetic"
    assert known(store, trained(precision=Precision.BF16)) is None
    assert known(store, stage, Resources(cpus=2)) is None and known(store, stage, again=True) is None
    assert known(store, replace(stage, encoder=replace(ENCODED, shape=replace(ENCODED.shape, layers=3)))) is None  # type: ignore[type-var]


def test_a_store_without_room_fails_no_published_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = make_store(str(tmp_path / "store"))

    def full(*_: object) -> None:
        raise StoreError("record", "no room", "It is not written", "Make room")

    monkeypatch.setattr(type(TEMPOS), "write", full)
    keep_tempo(store, trained(), CPU, took=1.0, lengths=full_rows, gradient_checkpointing=False, device="a CPU")
    assert known(store, trained()) is None
