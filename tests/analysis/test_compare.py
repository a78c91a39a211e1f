from dataclasses import replace
from pathlib import Path

import pytest

from stilts.analysis.compare import CellDifference, StudyComparison, compare_studies
from stilts.analysis.results import StudyResults
from stilts.errors import InputError
from tests.analysis.fake_store import column
from tests.analysis.studies import finished

XNLI, UDPOS = column("xnli"), column("udpos")


def cell(comparison: StudyComparison, row: str, name: str = "xnli") -> CellDifference:
    [found] = [item for item in comparison.cells if (item.row, item.column) == (row, name)]
    return found


def pair(folder: Path) -> tuple[StudyResults, StudyResults]:
    first = finished(folder / "a", {XNLI: {"none": 60, "mnli": 65, "squad": 62}}, name="first")
    second = finished(folder / "b", {XNLI: {"none": 60, "mnli": 75}, UDPOS: {"none": 60}}, name="second")
    return first, second


def test_common_cells_have_a_difference_with_an_interval(tmp_path: Path) -> None:
    found = compare_studies(*pair(tmp_path))
    mnli = cell(found, "mnli")
    assert (mnli.first, mnli.second) == (pytest.approx(67, abs=0.5), pytest.approx(77, abs=0.5))
    assert mnli.difference is not None
    assert mnli.difference.estimate == pytest.approx(10, abs=0.5)
    assert mnli.difference.excludes_zero
    assert mnli.paired_frac == 1.0
    assert not mnli.same


def test_what_only_one_has_is_listed(tmp_path: Path) -> None:
    found = compare_studies(*pair(tmp_path))
    assert (found.rows, found.columns) == (("none", "mnli"), ("xnli",))
    assert found.only_first == ("row squad",)
    assert found.only_second == ("column udpos",)


def test_the_same_evaluations_are_said_to_be_the_same(tmp_path: Path) -> None:
    first, _ = pair(tmp_path)
    found = compare_studies(first, first)
    assert all(item.same for item in found.cells)
    assert cell(found, "mnli").difference is not None
    assert cell(found, "mnli").difference.estimate == 0  # type: ignore[union-attr]
    assert any("the very same evaluations" in note for note in found.notes)


def test_only_common_languages_are_compared(tmp_path: Path) -> None:
    first = finished(tmp_path / "a", {XNLI: {"none": 60, "mnli": 65}})
    second = finished(tmp_path / "b", {replace(XNLI, languages=("en", "sw")): {"none": 60, "mnli": 75}})
    found = compare_studies(first, second)
    assert cell(found, "mnli").languages == ("en", "sw")
    assert any("common languages only (en, sw)" in note for note in found.notes)


def test_unlike_metrics_are_not_compared(tmp_path: Path) -> None:
    first, second = pair(tmp_path)
    columns = tuple(replace(item, metric="span_f1") for item in second.record.columns)
    other = StudyResults(record=replace(second.record, columns=columns), store=second.store)
    found = compare_studies(first, other)
    assert cell(found, "mnli").difference is None
    assert any("xnli is not compared: its metric is accuracy in one" in note for note in found.notes)


def test_studies_with_nothing_in_common_are_refused(tmp_path: Path) -> None:
    first = finished(tmp_path / "a", {XNLI: {"none": 60}})
    second = finished(tmp_path / "b", {UDPOS: {"none": 60}})
    with pytest.raises(InputError, match="no column has the same name"):
        compare_studies(first, second)
