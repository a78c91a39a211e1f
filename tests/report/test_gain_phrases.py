"""An interval that is wide because seeds are few says so beside its figure, and what would narrow it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stilts.report.gain_phrases import why_wide
from stilts.report.phrases import facts
from tests.analysis.fake_store import FakeStore
from tests.analysis.test_glance import answer


@pytest.fixture
def store(tmp_path: Path) -> FakeStore:
    return FakeStore(tmp_path)


def test_two_seeds_say_why_and_what_the_spread_known_well_would_give(store: FakeStore) -> None:
    found = answer(store, {"none": (60, 78), "mnli": (61, 62), "squad": (40, 41)})
    said = why_wide(found)
    assert dict(facts(found))["why so wide"] == said and "one more seed of each" in said
    known, shown = map(float, re.findall(r"±(\d+\.\d)", said))
    widest = max(found.gains, key=lambda item: item.interval.high - item.interval.low).interval
    assert shown == round((widest.high - widest.low) / 2, 1) > 100
    # As by hand: 1.96 standard errors, which are those of the components.
    assert known == pytest.approx(1.96 * sum(widest.components.values()) ** 0.5, abs=0.06)


@pytest.mark.parametrize("seeds", [1, 5])
def test_one_seed_has_no_such_interval_and_many_need_no_words(seeds: int, store: FakeStore) -> None:
    found = answer(store, {"none": (60, 62, 61, 63, 59)[:seeds], "mnli": (64, 61, 63, 62, 66)[:seeds]})
    assert why_wide(found) == "" and "why so wide" not in dict(facts(found))
