"""Retrieval scored from vectors alone: which way, by what, among which candidates, above which threshold."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch

from stilts.errors import InputError
from stilts.kinds.retrieved import ALONE, Pool, RetrievalSearch, retrieved
from stilts.kinds.scored import Scored
from stilts.metrics.neighbours import exact_index, unit
from stilts.models.heads import pooled
from stilts.study.config import TaskConfig
from stilts.tasks.kinds.retrieval import CandidateExample, MiningExample, PairExample, QueryExample
from stilts.tasks.registry import default_registry

TASKS = {name: default_registry().task(name) for name in ("tatoeba", "bucc2018", "lareqa", "mewslix")}


def found(name: str, vectors: Any, examples: list[Any], search: RetrievalSearch = ALONE, **config: Any) -> Scored:
    return retrieved(TASKS[name], TaskConfig(**config), unit(np.asarray(vectors)), examples, search, exact_index)


def pairs(count: int, **changes: Any) -> list[PairExample]:
    return [PairExample(item=str(i), query="q", candidate="c", **changes) for i in range(count)]


def test_translations_are_asked_for_from_either_side() -> None:
    # English, other, English, other. Both English sentences are nearest to the first of the others, and both of the
    # others to the second of the English.
    vectors = [[1.0, 0.0], [0.9, 0.45], [0.8, 0.6], [0.3, 1.0]]
    there = found("tatoeba", vectors, pairs(2))
    assert there.predictions == ("0", "0") and there.rows[:, 0].tolist() == [1.0, 0.0]
    back = found("tatoeba", vectors, pairs(2), direction="to_english")
    assert back.predictions == ("1", "1") and back.rows[:, 0].tolist() == [0.0, 1.0] and back.chance == 50.0
    # Against what is near each candidate, the crowded first one is no longer the best for both.
    assert found("tatoeba", vectors, pairs(2), margin="ratio").predictions == ("0", "1")


def mining() -> tuple[list[MiningExample], list[list[float]]]:
    examples, vectors = [], []
    rng = np.random.default_rng(3)
    for i in range(30):
        source, target = rng.normal(size=64), rng.normal(size=64)
        translated = i % 3 == 0
        sources = () if i % 3 == 2 else ((f"de-{i}", f"de {i}"),)
        targets = ((f"en-{i}", f"en {i}"),) if i % 3 != 1 else ()
        examples.append(
            MiningExample(
                item=str(i), sources=sources, targets=targets, pairs=((f"de-{i}", f"en-{i}"),) if translated else ()
            )
        )
        vectors += [source.tolist()] * len(sources)
        vectors += [(source + 0.1 * target if translated else target).tolist()] * len(targets)
    return examples, vectors


def test_mined_pairs_stand_at_their_source_and_add_up() -> None:
    examples, vectors = mining()
    scored = found("bucc2018", vectors, examples)
    assert scored.rows.sum(axis=0).tolist() == [10.0, 10.0, 10.0] and scored.threshold is not None
    for example, row, text in zip(examples, scored.rows, scored.predictions, strict=True):
        assert row.tolist() == ([1.0, 1.0, 1.0] if example.pairs else [0.0, 0.0, 0.0])
        assert text == ("\t".join(example.pairs[0]) if example.pairs else "")


def test_a_given_threshold_is_used_as_it_is() -> None:
    examples, vectors = mining()
    chosen = found("bucc2018", vectors, examples).threshold
    assert chosen is not None
    everything = found("bucc2018", vectors, examples, RetrievalSearch(threshold=0.0))
    assert everything.rows[:, 1].sum() > 10 and everything.threshold == 0.0
    assert not found("bucc2018", vectors, examples, RetrievalSearch(threshold=9.0)).rows[:, 1].any()
    again = found("bucc2018", vectors, examples, RetrievalSearch(threshold=chosen))
    assert again.rows.sum(axis=0).tolist() == [10.0, 10.0, 10.0]


def pool() -> Pool:
    names = {"a": ("k1",), "b": ("k2",), "c": ("k1",), "d": ()}
    candidates = [CandidateExample(item=name, text=name, keys=keys) for name, keys in names.items()]
    return Pool(candidates=candidates, vectors=unit(np.asarray([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0], [-1.0, 0.0]])))


def test_a_pool_is_ranked_whole_and_its_right_answers_are_named() -> None:
    queries = [QueryExample(item="q", query="q", key=key) for key in ("k1", "k2", "k3")]
    scored = found("lareqa", [[1.0, 0.01]] * 3, queries, RetrievalSearch(pool=pool()))
    assert [json.loads(text) for text in scored.predictions] == [["a", "b", "c", "d"]] * 3
    assert scored.truths is not None and [json.loads(text) for text in scored.truths] == [["a", "c"], ["b"], []]
    assert scored.rows[:, 0].tolist() == pytest.approx([(1 + 2 / 3) / 2, 0.5, 0.0])
    reciprocal = found("mewslix", [[0.0, 1.0]] * 3, queries, RetrievalSearch(pool=pool()))
    assert json.loads(reciprocal.predictions[0]) == ["c", "b", "a", "d"]
    assert reciprocal.rows[:, 0].tolist() == pytest.approx([1.0, 0.5, 0.0])


def test_queries_without_a_pool_are_refused() -> None:
    with pytest.raises(InputError, match="its queries have no candidates"):
        found("lareqa", [[1.0, 0.0]], [QueryExample(item="q", query="q", key="k")])


def test_pairs_bring_their_own_pool_in_which_equal_candidates_are_one() -> None:
    examples = [
        PairExample(item="1", query="q1", candidate="same", context="p"),
        PairExample(item="2", query="q2", candidate="same", context="p"),
        PairExample(item="3", query="q3", candidate="same", context="another"),
    ]
    vectors = [[1.0, 0.0], [1.0, 0.0], [1.0, 0.1], [1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]
    scored = found("lareqa", vectors, examples)
    assert scored.truths == ('["1"]', '["1"]', '["3"]')
    assert scored.rows[:, 0].tolist() == [1.0, 1.0, 0.5]


@pytest.mark.parametrize(("pooling", "wanted"), [("mean", [2.0, 3.0]), ("cls", [1.0, 4.0]), ("max", [3.0, 4.0])])
def test_each_pooling_leaves_padding_out(pooling: str, wanted: list[float]) -> None:
    hidden = torch.tensor([[[1.0, 4.0], [3.0, 2.0], [99.0, 99.0]]])
    vectors = pooled(hidden, torch.tensor([[True, True, False]]), pooling)
    expected = torch.tensor([wanted])
    torch.testing.assert_close(vectors, expected / expected.norm())
