"""Rows in one language each: gains by source and target language, and their trend with distance."""

from __future__ import annotations

from pathlib import Path

import pytest

from stilts.analysis.claims import claims_of
from stilts.analysis.results import StudyResults
from stilts.analysis.sources import SourceRow, sources_of
from stilts.report.sections.material import Material
from stilts.report.sections.sources import source_lines, sources_section
from stilts.study.record import Replicate, Row
from stilts.tasks.languages import LANGUAGES, syntactic_distance
from tests.analysis.fake_store import FakeStore, column, evaluate, record, replicate
from tests.analysis.test_lens import XTREME

ROWS = (
    Row(name="none"),
    Row(name="nli_en", mixture={"mnli": 1.0}, languages=("en",)),
    Row(name="nli_tr", mixture={"mnli_tr": 1.0}, languages=("tr",)),
    Row(name="both", mixture={"mnli": 0.5, "mnli_tr": 0.5}, languages=("en", "tr")),
)


def study(folder: Path, *, nearness: float = 40.0, claims: tuple[dict[str, object], ...] = ()) -> StudyResults:
    """nli_tr gains by so much for a whole distance less from Turkish, nli_en three points everywhere."""
    store, target = FakeStore(folder), column("xnli", languages=XTREME)
    items: list[Replicate] = []
    for row in ROWS:
        for seed in (1, 2):
            item = replicate(row.name, target, None if row.name == "none" else seed, seed)
            gains = {code: 0.0 if row.name == "none" else 3.0 + seed for code in XTREME}
            if row.name == "nli_tr":
                far = {code: 0.7 if (one := syntactic_distance("tr", code)) is None else one for code in XTREME}
                gains = {code: nearness * (0.7 - far[code]) + seed for code in XTREME}
            evaluate(store, item, 50.0, languages={code: 50.0 + gain for code, gain in gains.items()})
            items.append(item)
    made = record(ROWS, [target], items, settings={"claims": list(claims)})
    return StudyResults(record=made, store=store, draws=100)


def test_gains_stand_by_source_and_target_language(tmp_path: Path) -> None:
    en, tr = sources_of(study(tmp_path))

    assert (en.row, en.language, tr.row, tr.language) == ("nli_en", "en", "nli_tr", "tr")
    assert "en" not in tr.gains and tr.own == pytest.approx(28.0 + 1.5, abs=0.3)
    kin = [gain for code, gain in tr.gains.items() if LANGUAGES[code].family == "Turkic" and code != "tr"]
    assert tr.family == pytest.approx(sum(kin) / len(kin))
    assert en.own is None and en.others == pytest.approx(4.5, abs=0.3)


def test_nearness_that_helps_is_found_and_one_that_does_not_is_not(tmp_path: Path) -> None:
    _, near = sources_of(study(tmp_path))
    assert near.clear and near.trend.correlation is not None and near.trend.correlation < -0.9
    flat = sources_of(study(tmp_path / "flat", nearness=0.0))
    assert not any(one.clear for one in flat)


def test_the_section_says_what_follows(tmp_path: Path) -> None:
    results = study(tmp_path)
    said = source_lines(sources_of(results))
    assert said[0].startswith("Gains go with the distance from the row's language") and "nli_tr -" in said[0]
    assert any("In tr the highest gain is that of nli_tr" in line and "which is in it" in line for line in said)
    section = sources_section(Material(results=results))
    assert section is not None and len(section.tables["source_languages"]) == 2 * (len(XTREME) - 1)


def test_a_study_in_one_source_language_has_no_such_section(tmp_path: Path) -> None:
    results = study(tmp_path)
    rows = tuple(row for row in results.record.rows if row.name != "nli_tr")
    alone = StudyResults(record=record(rows, results.record.columns, []), store=results.store, draws=100)
    assert sources_of(alone) == () and sources_section(Material(results=alone)) is None


def test_a_trend_may_be_claimed_along_the_distance_from_another_language(tmp_path: Path) -> None:
    claim = {"name": "near", "trend": {"row": "nli_tr", "along": "distance", "source": "tr"}, "below": 0}
    (found,) = claims_of(study(tmp_path, claims=(claim,)))
    assert found.standing == "supported" and found.effect is not None and found.effect < -0.9


def test_rows_without_a_test_say_why(tmp_path: Path) -> None:
    store, target = FakeStore(tmp_path), column("xnli", languages=("en", "tr", "de"))
    items = []
    for row in ROWS:
        items.append(replicate(row.name, target, None if row.name == "none" else 1, 1))
        evaluate(store, items[-1], 50.0)
    rows: tuple[SourceRow, ...] = sources_of(StudyResults(record=record(ROWS, [target], items), store=store, draws=100))
    assert [one.p_adjusted for one in rows] == [None, None]
    assert source_lines(rows)[0].startswith("Too few languages or families")
