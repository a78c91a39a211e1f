"""Siblings: one study with several encoders, and whether gains go with their size."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from stilts.analysis import encoders
from stilts.analysis.encoders import AcrossEncoders, across_encoders
from stilts.analysis.results import StudyResults
from stilts.report.sections.encoders import encoders_answer, encoders_section, figures_data, slopes_data
from stilts.report.sections.material import Material
from tests.analysis.fake_store import column
from tests.analysis.studies import finished

SIZES = {"scale.mini": 6_500_000, "scale.small": 46_000_000, "scale.base": 278_000_000}


def siblings(
    folder: Path, monkeypatch: pytest.MonkeyPatch, gains: dict[str, float], *, seeds: tuple[int, ...] = (1, 2, 3)
) -> StudyResults:
    """The first of three studies of which the store knows those with a gain; mnli gains so much over 50 on xnli."""
    found: dict[str, StudyResults] = {}
    for name, gain in gains.items():
        made = finished(folder / name, {column("xnli"): {"none": 50.0, "mnli": 50.0 + gain}}, seeds=seeds)
        record = replace(made.record, name=name, siblings=tuple(SIZES), weights=SIZES[name], encoder=name[6:])
        found[name] = StudyResults(record=record, store=made.store, draws=200)
    stores = {one.record.name: one.store for one in found.values()}
    monkeypatch.setattr(encoders, "read_study", lambda _, name: found[name].record if name in found else None)
    made_of = StudyResults
    monkeypatch.setattr(
        encoders, "StudyResults", lambda *, record, store: made_of(record=record, store=stores[record.name], draws=200)
    )
    return next(iter(found.values()))


def across(results: StudyResults) -> AcrossEncoders:
    found = across_encoders(results)
    assert found is not None
    return found


def test_a_gain_that_grows_with_size_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = siblings(tmp_path, monkeypatch, {"scale.mini": 0.0, "scale.small": 12.0, "scale.base": 24.0})
    found = across(results)
    (effect,) = found.effects
    assert [(one.encoder, round(one.value.estimate)) for one in found.figures] == [
        ("mini", 0),
        ("small", 12),
        ("base", 24),
    ]
    assert effect.num_encoders == 3 and effect.clear and effect.slope.estimate == pytest.approx(14.7, abs=0.3)
    assert "mnli on xnli by" in encoders_answer(found)
    section = encoders_section(Material(results=results))
    assert section is not None and "46 M" in "".join(section.after)
    assert list(figures_data(found)["study"]) == list(SIZES) and len(slopes_data(found)) == 1


def test_equal_gains_are_not_told_apart_and_the_smallest_change_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = across(siblings(tmp_path, monkeypatch, dict.fromkeys(SIZES, 5.0)))
    assert not found.effects[0].clear and found.effects[0].smallest_visible > 0
    assert "would have shown" in encoders_answer(found)


def test_one_seed_claims_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gains = {"scale.mini": 0.0, "scale.small": 20.0, "scale.base": 40.0}
    found = across(siblings(tmp_path, monkeypatch, gains, seeds=(1,)))
    assert not found.effects[0].clear
    assert "one seed" in encoders_answer(found)


def test_a_sibling_of_which_nothing_is_known_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = across(siblings(tmp_path, monkeypatch, {"scale.mini": 0.0, "scale.base": 24.0}))
    assert found.lacking == ("scale.small",) and found.effects[0].num_encoders == 2


def test_a_study_with_one_encoder_has_no_such_section(tmp_path: Path) -> None:
    results = finished(tmp_path, {column("xnli"): {"none": 50.0, "mnli": 60.0}})
    assert across_encoders(results) is None and encoders_section(Material(results=results)) is None
