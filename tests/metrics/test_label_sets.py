"""R-precision and micro F1 of label sets, against a direct count, and the text that a ranking is kept as."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stilts.errors import InputError
from stilts.metrics.label_sets import label_set_rows, most_frequent_first, ranking_in, ranking_text
from stilts.metrics.metric import metric

LABELS = tuple("abcdefg")
R_PRECISION = metric("r_precision")


def scored(gold: list[tuple[str, ...]], ranked: list[tuple[str, ...]], chosen: list[int]) -> dict[str, float]:
    sums = dict(zip(R_PRECISION.columns, label_set_rows(gold, ranked, chosen).sum(axis=0).tolist(), strict=True))
    return {"score": float(R_PRECISION.score(sums)), **{k: float(v) for k, v in R_PRECISION.parts(sums).items()}}


def test_the_first_r_are_looked_at() -> None:
    found = scored([("a", "b"), ("c",), ()], [("a", "c", "b"), ("a", "c"), ("a",)], [3, 0, 1])
    # 1 of 2, 0 of 1, and an example without labels that has no R-precision.
    assert found["score"] == found["r_precision"] == pytest.approx(25.0)
    assert found["micro_precision"] == pytest.approx(50.0) and found["micro_recall"] == pytest.approx(100 * 2 / 3)


@given(st.lists(st.tuples(st.permutations(LABELS), st.sets(st.sampled_from(LABELS)), st.integers(0, 7)), min_size=1))
def test_sums_say_what_a_direct_count_says(examples: list[tuple[list[str], set[str], int]]) -> None:
    found = scored([tuple(g) for _, g, _ in examples], [tuple(r) for r, _, _ in examples], [n for *_, n in examples])
    each = [len(gold & set(ranked[: len(gold)])) / len(gold) for ranked, gold, _ in examples if gold]
    assert found["score"] == pytest.approx(100 * sum(each) / len(each) if each else 0.0)
    right = sum(len(gold & set(ranked[:n])) for ranked, gold, n in examples)
    all_named = sum(len(gold) + n for _, gold, n in examples)
    assert found["micro_f1"] == pytest.approx(100 * 2 * right / all_named if all_named else 0.0)


@given(st.permutations(LABELS), st.integers(0, 7))
def test_a_ranking_is_read_as_it_was_written(ranked: list[str], chosen: int) -> None:
    assert ranking_in(ranking_text(ranked, chosen)) == (tuple(ranked), chosen)


def test_what_cannot_be_scored_is_refused() -> None:
    with pytest.raises(InputError, match="ranked"):
        label_set_rows([("a", "b")], [("a",)], [1])
    with pytest.raises(InputError, match="no bar"):
        ranking_in("a b")
    with pytest.raises(InputError, match="None"):
        label_set_rows([None], [("a",)], [1])  # type: ignore[list-item]


def test_always_the_most_frequent_first() -> None:
    assert most_frequent_first([("a",), ("a", "b"), ("b", "c"), ("a",)]) == pytest.approx(100 * (1 + 1 + 0.5 + 1) / 4)
    assert most_frequent_first([()]) == 0.0
