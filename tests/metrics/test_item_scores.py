"""Single examples' scores: what each kind of metric makes of them, how they pair, and their way through JSON."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest

from stilts.metrics.item_scores import ItemScores, items_from_json, items_to_json, mean_over, paired
from stilts.metrics.metric import METRICS, metric


def scores(*values: float, items: str = "a") -> ItemScores:
    return ItemScores(items=items, scores=np.asarray(values, np.float32))


@pytest.mark.parametrize(
    ("name", "row", "wanted"),
    [
        ("accuracy", (1, 1), 100.0),
        ("accuracy", (3, 4), 75.0),
        ("squad", (0, 0.5, 1), 25.0),
        ("span_f1", (1, 2, 2), 50.0),
        ("span_f1", (0, 1, 0), 0.0),
        ("span_f1", (0, 0, 0), 100.0),
        ("reciprocal_rank_at_20", (0, 1), 0.0),
    ],
)
def test_an_example_alone_has_a_score(name: str, row: tuple[float, ...], wanted: float) -> None:
    rows = np.array([row, row], np.float64)
    assert metric(name).example_scores(rows).tolist() == [wanted, wanted]


@pytest.mark.parametrize("name", sorted(METRICS))
def test_no_examples_have_no_scores(name: str) -> None:
    assert metric(name).example_scores(np.empty((0, len(metric(name).columns)))).shape == (0,)


def test_only_equal_items_are_paired_and_translations_are_one_unit() -> None:
    ours = {"en": scores(100, 0), "de": scores(100, 100), "sw": scores(0, items="b"), "fr": scores(1, 2)}
    theirs = {"en": scores(0, 0), "de": scores(100, 0), "sw": scores(50, items="c"), "ru": scores(1, 2)}
    left, right = paired(ours, theirs)
    assert left.tolist() == [100.0, 50.0] and right.tolist() == [50.0, 0.0]
    assert [len(side) for side in paired(ours, {})] == [0, 0]


def test_the_mean_of_models_leaves_out_what_not_all_were_asked() -> None:
    mean = mean_over([{"en": scores(100, 0), "de": scores(1)}, {"en": scores(0, 0), "de": scores(1, items="b")}])
    assert list(mean) == ["en"] and mean["en"].scores.tolist() == [50.0, 0.0]


def test_they_come_back_from_json_as_they_were_and_are_small() -> None:
    draw = np.random.default_rng(0)
    items = {"en": scores(*(100.0 * draw.integers(0, 2, 2000))), "de": scores(*draw.random(50))}
    text = json.dumps(items_to_json(items))
    back = items_from_json(json.loads(text))
    assert all((back[name].scores == items[name].scores).all() for name in items) and back.keys() == items.keys()
    assert len(json.dumps(items_to_json({"en": items["en"]}))) < 700
    assert len(pickle.dumps(items["en"])) < 4 * 2000 + 500
    assert items_from_json({"en": {"items": "a", "num": 3, "scores": "broken"}}) == {} == items_from_json(None)
