"""Objective arithmetic against figures made by hand."""

from __future__ import annotations

import pytest

from stilts.errors import InputError
from stilts.metrics.objectives import (
    languages_hurt,
    mean_gain,
    mean_over_languages,
    mean_score,
    worst_language,
)

SCORES = {"xnli": {"en": 80.0, "de": 70.0, "sw": 60.0}, "panx": {"en": 90.0, "sw": 40.0}}
NONE = {"xnli": {"en": 78.0, "de": 72.0, "sw": 55.0}, "panx": {"en": 85.0, "sw": 46.0}}


def test_languages_are_averaged_within_targets_first() -> None:
    assert mean_score(SCORES) == (70.0 + 65.0) / 2
    assert worst_language(SCORES) == (60.0 + 40.0) / 2


def test_gain_is_over_the_same_targets_of_the_baseline() -> None:
    assert mean_gain(SCORES, NONE) == pytest.approx((70.0 - 205 / 3 + 65.0 - 65.5) / 2)
    more = {**NONE, "tatoeba": {"sw": 3.0}}
    assert mean_gain(SCORES, more) == mean_gain(SCORES, NONE)
    with pytest.raises(InputError, match="panx"):
        mean_gain(SCORES, {"xnli": NONE["xnli"]})


def test_a_language_is_hurt_by_its_mean_over_targets() -> None:
    # en: 85 against 81.5, de: 70 against 72, sw: 50 against 50.5.
    assert languages_hurt(SCORES, NONE) == 2
    assert languages_hurt(NONE, NONE) == 0
    assert languages_hurt({"xnli": SCORES["xnli"]}, NONE) == 1
    with pytest.raises(InputError, match="xnli"):
        languages_hurt(SCORES, {"panx": NONE["panx"]})


def test_a_part_of_the_languages_counts_where_it_is_scored() -> None:
    assert mean_over_languages(SCORES, ["de"]) == 70.0
    assert mean_over_languages(SCORES, ["sw"]) == 50.0
    assert mean_over_languages(SCORES, ["de", "sw"]) == (65.0 + 40.0) / 2
    with pytest.raises(InputError, match="yo"):
        mean_over_languages(SCORES, ["yo"])
