"""Which examples a step sees: exact shares, whole epochs, and the same whatever was asked before."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stilts.data.batches import BatchOrder, micro_batches, mixture_schedule, token_batches

WEIGHTS = st.lists(st.floats(0.01, 1.0), min_size=1, max_size=5)
LENGTHS = st.lists(st.integers(1, 60), min_size=1, max_size=200).map(lambda x: np.asarray(x, np.int64))


@given(WEIGHTS, st.integers(1, 500), st.integers(0, 2**40))
def test_tasks_get_their_shares_to_one_step(weights: list[float], steps: int, seed: int) -> None:
    schedule = mixture_schedule(weights, steps, seed)
    counts = np.bincount(schedule, minlength=len(weights))
    assert counts.sum() == steps == len(schedule)
    shares = np.asarray(weights) / sum(weights) * steps
    assert (np.abs(counts - shares) < 1).all()
    assert (schedule == mixture_schedule(weights, steps, seed)).all()


def test_whole_shares_are_exact_and_the_seed_orders_them() -> None:
    schedules = [mixture_schedule([0.5, 0.3, 0.2], 100, seed) for seed in range(5)]
    assert all(np.bincount(s).tolist() == [50, 30, 20] for s in schedules)
    assert len({tuple(s) for s in schedules}) == 5


def test_shares_do_not_depend_on_the_sum_of_the_weights() -> None:
    assert (mixture_schedule([3, 1], 40, 0) == mixture_schedule([0.75, 0.25], 40, 0)).all()


@given(LENGTHS, st.integers(1, 40), st.integers(0, 2**40))
def test_an_epoch_shows_a_unit_at_most_once_in_full_batches(lengths: np.ndarray, size: int, seed: int) -> None:
    order = BatchOrder(lengths, size, seed)
    for epoch in range(3):
        batches = [order.batch(epoch * order.per_epoch + i) for i in range(order.per_epoch)]
        assert {len(batch) for batch in batches} == {min(size, len(lengths))}
        units = np.concatenate(batches)
        assert len(set(units.tolist())) == len(units) >= len(lengths) - size + 1
        assert units.min() >= 0 and units.max() < len(lengths)


@given(LENGTHS, st.integers(1, 20), st.integers(0, 2**40), st.lists(st.integers(0, 60), min_size=1, max_size=12))
def test_a_batch_does_not_depend_on_what_was_asked_before(
    lengths: np.ndarray, size: int, seed: int, numbers: list[int]
) -> None:
    one = BatchOrder(lengths, size, seed)
    for number in numbers:
        assert (one.batch(number) == BatchOrder(lengths, size, seed).batch(number)).all()


def test_epochs_and_seeds_differ_and_what_was_left_over_comes_again() -> None:
    lengths = np.ones(103, np.int64)
    order = BatchOrder(lengths, 10, 0)
    epochs = [np.concatenate([order.batch(e * 10 + i) for i in range(10)]) for e in range(20)]
    assert not (epochs[0] == epochs[1]).all()
    assert set(np.concatenate(epochs).tolist()) == set(range(103))
    assert not (BatchOrder(lengths, 10, 1).batch(0) == order.batch(0)).all()


def test_units_of_like_length_are_batched_together() -> None:
    lengths = np.random.default_rng(0).integers(1, 100, 5000)
    order = BatchOrder(lengths, 10, 0)
    spreads = [np.ptp(lengths[order.batch(i)]) for i in range(order.per_epoch)]
    assert np.mean(spreads) < 10


@given(LENGTHS, st.none() | st.integers(1, 50))
def test_micro_batches_part_a_batch(lengths: np.ndarray, size: int | None) -> None:
    units = np.arange(len(lengths))[:: 2 if len(lengths) > 1 else 1]
    pieces = list(micro_batches(units, lengths, size))
    assert sorted(np.concatenate(pieces).tolist()) == sorted(units.tolist())
    assert all(len(piece) <= (size or len(units)) for piece in pieces)
    assert len(pieces) == (1 if size is None else math.ceil(len(units) / size))


@given(LENGTHS, st.integers(1, 300))
def test_token_batches_hold_every_unit_once_within_the_budget(lengths: np.ndarray, budget: int) -> None:
    batches = list(token_batches(lengths, budget))
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * lengths[batch].max() <= budget


def test_no_units_are_no_batches() -> None:
    assert list(token_batches(np.zeros(0, np.int64), 100)) == []
