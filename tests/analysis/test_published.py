"""Published figures beside a study's own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stilts.analysis.published import BEST, PublishedGain, published_gains
from stilts.analysis.results import StudyResults
from stilts.report.sections.material import Material
from stilts.report.sections.published import published_section
from tests.analysis.fake_store import column
from tests.analysis.studies import finished

SCORES = {
    column("xnli"): {"none": 50.0, "mnli": 60.0, "squad": 53.0},
    column("panx"): {"none": 40.0, "mnli": 44.0, "squad": 45.0},
}
PAPER = {
    "source": "Somebody 2020, dev",
    "gains": {"mnli": 7.2, "squad": 30.0},
    "best": 1.0,
    "none": 68.1,
    "theirs": ["learning rate 1e-5"],
    "unknown": ["seeds"],
}


def told(folder: Path, *sources: dict[str, Any], seeds: tuple[int, ...] = (1, 2, 3)) -> StudyResults:
    return finished(folder, SCORES, seeds=seeds, settings={"published": list(sources)})


def test_ours_stand_beside_theirs_as_means_over_the_same_targets(tmp_path: Path) -> None:
    mnli, squad, best = published_gains(told(tmp_path, PAPER))

    assert mnli.own is not None and mnli.own.estimate == pytest.approx(7.0)
    assert (mnli.row, mnli.published, mnli.reading) == ("mnli", 7.2, "within our interval")
    assert squad.reading == "ours is lower"
    assert best.row == BEST and best.own is not None and best.own.estimate == pytest.approx((10.0 + 5.0) / 2)
    assert best.targets == ("xnli", "panx") and best.to_json()["reading"] == best.reading


def test_targets_may_be_named_and_what_is_open_is_told(tmp_path: Path) -> None:
    results = told(tmp_path, {**PAPER, "gains": {"mnli": 10.0}, "best": None, "targets": ["xnli"]})
    (only,) = published_gains(results)
    assert only.own is not None and only.own.estimate == pytest.approx(10.0) and only.lacking == ()

    results = told(tmp_path / "two", {**PAPER, "gains": {"later": 3.0}})
    later, _ = published_gains(results)
    assert later.own is None and later.lacking == ("xnli", "panx") and later.reading == "nothing is done yet"


def test_one_seed_says_nothing(tmp_path: Path) -> None:
    assert published_gains(told(tmp_path, PAPER, seeds=(1,)))[0].reading == "one seed: nothing can be said"


def test_the_section_says_how_figures_stand_and_whose_settings_they_are(tmp_path: Path) -> None:
    section = published_section(Material(results=told(tmp_path, PAPER)))

    assert section is not None
    page = "".join((*section.body, *section.after))
    for words in ("Within our interval: mnli", "Ours is lower: squad", "none scores 68.1 there", "learning rate 1e-5"):
        assert words in page
    assert "Not known of Somebody 2020, dev, so ours: seeds." in page
    assert list(section.tables["published"]["row"]) == ["mnli", "squad", BEST]


def test_a_study_that_names_none_has_no_such_section(tmp_path: Path) -> None:
    assert published_section(Material(results=finished(tmp_path, SCORES))) is None


def test_readings_go_by_the_interval(tmp_path: Path) -> None:
    (one, *_) = published_gains(told(tmp_path, PAPER))
    assert one.own is not None
    below: PublishedGain = replace(one, published=one.own.low - 0.1)
    assert below.reading == "ours is higher"
