"""Mined sentence pairs: the official figures where they are at hand, and the rules on small cases."""

import json
import os
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stilts.errors import InputError
from stilts.metrics import mining
from stilts.metrics.bucc import above, best_threshold, mine_sentences, pair_row, unified
from stilts.metrics.metric import metric
from stilts.metrics.mining import margin_nearest, mine
from stilts.metrics.neighbours import neighbours
from stilts.metrics.retrieval import nearest

GOLDEN = Path(os.environ.get("STILTS_SHARED", Path(__file__).parents[3] / "shared")) / "golden" / "mining"
# A threshold lies half-way between two margins, for which neighbouring floats have no room.
_MARGIN = st.integers(10_000, 200_000).map(lambda number: number / 100_000)
VECTORS = st.integers(1, 12).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, 12), st.integers(0, 999)))


def columns(path: Path) -> list[tuple[str, ...]]:
    return [tuple(line.split("\t")) for line in path.read_text().splitlines()]


def f1(gold: list[tuple[str, str]], found: list[tuple[str, str]]) -> float:
    return metric("pair_f1").score(
        dict(zip(("tp", "predicted", "gold"), pair_row(gold, found)[0].tolist(), strict=True))
    )


def drawn(sizes: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    stream = np.random.default_rng(sizes[2])
    return stream.random((sizes[0], 6)) + 0.01, stream.random((sizes[1], 6)) + 0.01


@pytest.mark.skipif(not GOLDEN.is_dir(), reason="no golden figures at hand")
def test_mining_gives_the_official_figures() -> None:
    source, target = np.load(GOLDEN / "source.npy"), np.load(GOLDEN / "target.npy")
    ids = tuple((GOLDEN / name).read_text().split() for name in ("source.id", "target.id"))
    texts = tuple([f"{side} sentence {row}" for row in range(1500)] for side in ("source", "target"))
    expected, gold = json.loads((GOLDEN / "expected.json").read_text()), columns(GOLDEN / "gold.tsv")

    candidates = mine(source, target)
    official = {(left, right): float(score) for score, left, right in columns(GOLDEN / "candidates.tsv")}
    places = zip(candidates.source, candidates.target, candidates.margin, strict=True)
    ours = {(texts[0][i], texts[1][j]): score for i, j, score in places}
    assert ours == pytest.approx(official, abs=1e-6)

    margins = mine_sentences(source, target, texts, ids)
    threshold = best_threshold(margins, gold)
    assert threshold == pytest.approx(expected["bucc"]["best-threshold"], abs=1e-6)
    found = above(margins, threshold)
    assert set(found) == set(columns(GOLDEN / "mined.tsv"))
    assert f1(gold, found) == pytest.approx(expected["bucc"]["F1"], abs=1e-6)
    assert nearest(target, source).tolist() == expected["nearest_source_of_each_target"]


def test_the_margin_by_hand() -> None:
    # Cosines: s0 to t0 1, t1 0.6; s1 to t0 0, t1 0.8. With k = 2 all are neighbours.
    source, target = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[1.0, 0.0], [0.6, 0.8]])
    found = mine(source, target, k=2)
    # means: s0 0.8, s1 0.4, t0 0.5, t1 0.7
    assert list(zip(found.source.tolist(), found.target.tolist(), strict=True)) == [(0, 0), (1, 1)]
    assert found.margin == pytest.approx([1 / 0.65, 0.8 / 0.55], abs=1e-6)
    assert mine(source, target, k=2, margin="distance").margin == pytest.approx([0.35, 0.25], abs=1e-6)
    assert mine(source, target, k=2, margin="absolute").margin == pytest.approx([1.0, 0.8], abs=1e-6)


@settings(deadline=None)
@given(VECTORS)
def test_mined_pairs_are_one_to_one_best_first_and_the_same_from_both_sides(sizes: tuple[int, int, int]) -> None:
    source, target = drawn(sizes)
    found, back = mine(source, target), mine(target, source)
    assert len(set(found.source)) == len(set(found.target)) == len(found.margin) > 0
    assert (np.diff(found.margin) <= 0).all() and (found.margin > 0).all()
    pairs = set(zip(found.source.tolist(), found.target.tolist(), strict=True))
    assert pairs == set(zip(back.target.tolist(), back.source.tolist(), strict=True))


@given(
    st.lists(st.tuples(_MARGIN, st.booleans()), min_size=1, max_size=12, unique_by=lambda x: x[0]),
    st.integers(0, 3),
)
def test_the_threshold_keeps_the_prefix_with_the_best_f1(drawn_pairs: list[tuple[float, bool]], lost: int) -> None:
    margins = {(f"s{n}", f"t{n}"): score for n, (score, _) in enumerate(drawn_pairs)}
    gold = [(f"s{n}", f"t{n}") for n, (_, right) in enumerate(drawn_pairs) if right] + [
        ("no", str(n)) for n in range(lost)
    ]
    ranked = sorted(margins, key=lambda pair: -margins[pair])
    best = max(f1(gold, ranked[:taken]) for taken in range(1, len(ranked) + 1))
    assert f1(gold, above(margins, best_threshold(margins, gold))) == pytest.approx(best)


def test_a_threshold_without_pairs_takes_all() -> None:
    assert best_threshold({}, [("a", "b")]) == 0.0
    assert best_threshold({("a", "c"): 1.5}, [("a", "b")]) == 0.0


def test_equal_texts_are_one_sentence_and_have_no_id() -> None:
    texts = (["a", "b", "a"], ["x", "y"])
    assert unified(texts[0]).tolist() == [2, 1]
    vectors = np.array([[1.0, 0.1], [0.1, 1.0], [1.0, 0.1]]), np.array([[1.0, 0.1], [0.1, 1.0]])
    found = mine_sentences(*vectors, texts, (["s0", "s1", "s2"], ["t0", "t1"]))
    assert list(found) == [("s1", "t1")]
    assert (
        mine_sentences(*vectors, (["a", "b", "c"], ["x", "y"]), (["s0", "s1", "s2"], ["t0", "t1"])).keys()
        > found.keys()
    )
    with pytest.raises(InputError, match="3 vectors, 2 texts"):
        mine_sentences(*vectors, (["a", "b"], ["x", "y"]), (["s0", "s1"], ["t0", "t1"]))


def test_pairs_count_once() -> None:
    assert pair_row([("a", "b"), ("a", "b")], [("a", "b"), ("c", "d"), ("c", "d")]).tolist() == [[1, 2, 1]]


def test_zeros_have_no_margin() -> None:
    assert not len(mine(np.zeros((2, 3)), np.ones((2, 3))).margin)


def test_a_margin_unmasks_a_hub() -> None:
    # The hub is near every query; by cosine it wins, by margin the translation does.
    queries = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    candidates = np.array([[0.62, 0.55, 0.56], [0.1, 1.0, 0.0], [0.0, 0.1, 1.0], [0.52, -0.6, -0.6]])
    assert nearest(queries, candidates)[0] == 0
    assert margin_nearest(queries, candidates, k=2)[0] == 3
    assert margin_nearest(queries, candidates, k=2, margin="absolute")[0] == 0


def test_by_absolute_margin_the_nearest_is_the_nearest_by_cosine() -> None:
    stream = np.random.default_rng(3)
    english = stream.standard_normal((30, 8))
    other = english + 0.8 * stream.standard_normal((30, 8))
    assert margin_nearest(english, other, margin="absolute").tolist() == nearest(english, other).tolist()


def test_blocks_change_neither_margins_nor_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = np.random.default_rng(5)
    source = stream.standard_normal((60, 24))
    target = np.concatenate([source[:40] + 0.4 * stream.standard_normal((40, 24)), stream.standard_normal((31, 24))])
    whole, near = mining.mine(source, target), mining.margin_nearest(source, target)
    in_blocks = partial(neighbours, query_block=7, candidate_block=5)
    monkeypatch.setattr(mining, "neighbours", in_blocks)
    blocks = mining.mine(source, target)
    assert (blocks.source == whole.source).all() and (blocks.target == whole.target).all()
    assert blocks.margin == pytest.approx(whole.margin, abs=1e-6) and len(whole.margin) > 30
    assert (mining.margin_nearest(source, target) == near).all()
