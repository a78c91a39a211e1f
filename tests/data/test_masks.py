"""Masks of masked LM, and the counter-based hash under them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from stilts.data.collate import Batch, collate, mask_tokens
from stilts.data.counter_hash import GOLDEN, keys, mix, uniform
from stilts.data.encoded import IGNORED, Encoded
from stilts.data.toy import generate
from stilts.kinds.learning import encode
from stilts.models import dropout
from stilts.tasks.kinds.masked_lm import MASKED_LM, TextExample
from tests.data.encoding import encoder, vocabulary


@pytest.fixture(scope="module")
def texts() -> Encoded:
    examples = generate(generator="plain", split="train", language="en", size=300, options={})
    return encode(MASKED_LM, examples, encoder(max_length=48))


def masked(encoded: Encoded, units: np.ndarray, *, seed: int = 1, step: int = 4, pad_to: int | None = None) -> Batch:
    words = vocabulary()
    return mask_tokens(collate(encoded, units, words, pad_to=pad_to), words, seed, step, 0.15)


def unpadded(batch: Batch) -> dict[int, tuple[list[int], list[int]]]:
    """Ids and labels of each row, without padding."""
    assert batch.row_labels is not None
    return {
        int(row): (ids[kept].tolist(), labels[kept].tolist())
        for row, ids, labels, kept in zip(batch.rows, batch.ids, batch.row_labels, batch.mask, strict=True)
    }


@given(st.permutations(range(12)), st.integers(1, 12), st.integers(0, 3))
def test_masks_depend_on_neither_micro_batches_nor_padding(
    texts: Encoded, order: list[int], size: int, padding: int
) -> None:
    whole = unpadded(masked(texts, np.arange(12)))
    for start in range(0, 12, size):
        piece = np.asarray(order[start : start + size])
        for row, content in unpadded(masked(texts, piece, pad_to=48 + padding)).items():
            assert content == whole[row]


def test_special_tokens_are_never_masked_and_every_row_learns_something(texts: Encoded) -> None:
    units = np.arange(len(texts))
    before, batch = collate(texts, units, vocabulary()), masked(texts, units)
    assert batch.row_labels is not None
    chosen = batch.row_labels != IGNORED
    special = np.isin(before.ids.numpy(), vocabulary().special)
    assert not (chosen.numpy() & special).any()
    assert (batch.ids.numpy()[special] == before.ids.numpy()[special]).all()
    assert chosen.any(dim=1).all()
    assert (batch.row_labels[chosen] == before.ids[chosen]).all()
    assert (batch.ids[~chosen] == before.ids[~chosen]).all()


def test_shares_are_devlins(texts: Encoded) -> None:
    before, chosen, shown = [], [], []
    for step in range(30):
        units = np.arange(len(texts))
        batch = masked(texts, units, step=step)
        assert batch.row_labels is not None
        plain = ~np.isin(collate(texts, units, vocabulary()).ids.numpy(), vocabulary().special)
        before.append(collate(texts, units, vocabulary()).ids.numpy()[plain])
        chosen.append((batch.row_labels.numpy() != IGNORED)[plain])
        shown.append(batch.ids.numpy()[plain])
    gold, is_chosen, seen = (np.concatenate(parts) for parts in (before, chosen, shown))
    assert len(gold) > 50_000
    assert is_chosen.mean() == pytest.approx(0.15, abs=0.02), "a little above: no row goes without"
    as_mask = (seen[is_chosen] == vocabulary().mask).mean()
    as_itself = (seen[is_chosen] == gold[is_chosen]).mean()
    assert as_mask == pytest.approx(0.8, abs=0.02) and as_itself == pytest.approx(0.1, abs=0.02)


def test_steps_and_seeds_mask_otherwise(texts: Encoded) -> None:
    units = np.arange(50)
    first = unpadded(masked(texts, units))
    assert unpadded(masked(texts, units, step=5)) != first and unpadded(masked(texts, units, seed=2)) != first


def test_a_row_of_special_tokens_only_stays_as_it_is() -> None:

    empty = encode(MASKED_LM, [TextExample(item="1", text="")], encoder())
    batch = masked(empty, np.asarray([0]))
    assert batch.row_labels is not None and (batch.row_labels == IGNORED).all()


# --- the hash ---


@given(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=50))
def test_numpy_and_torch_mix_to_the_same_bits(numbers: list[int]) -> None:
    x = np.asarray(numbers, np.uint32)
    mixed = dropout.mix_(torch.from_numpy(x.view(np.int32).copy()))
    assert (mixed.numpy().view(np.uint32) == mix(x)).all()


def test_both_count_in_the_same_steps() -> None:
    assert dropout.GOLDEN == GOLDEN


def test_mixing_is_one_to_one_on_a_sample() -> None:
    x = np.arange(2**18, dtype=np.uint32) * np.uint32(16411)
    assert len(np.unique(mix(x))) == len(x)


@pytest.mark.parametrize("seed", [0, 1, 2**40 + 5])
def test_neighbouring_counters_are_uniform_and_unrelated(seed: int) -> None:
    drawn = uniform(keys(seed, 3, np.arange(200)[:, None], np.arange(500)[None, :]))
    assert drawn.shape == (200, 500) and drawn.min() >= 0.0 and drawn.max() < 1.0
    counts = np.histogram(drawn, bins=100, range=(0, 1))[0]
    # Chi-square of 100 bins: mean 99, standard deviation 14.
    assert ((counts - 1000) ** 2 / 1000).sum() < 99 + 5 * 14
    for left, right in ((drawn[:-1], drawn[1:]), (drawn[:, :-1], drawn[:, 1:])):
        assert abs(np.corrcoef(left.ravel(), right.ravel())[0, 1]) < 0.02


@given(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1))
def test_seeds_differ_in_all_their_bits(seed: int, other: int) -> None:
    same = (keys(seed, 1, np.arange(8)) == keys(other, 1, np.arange(8))).all()
    assert same == (seed == other)
