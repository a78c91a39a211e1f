"""A study in MLflow's own pages, as a researcher opens them after ``stilts ui``."""

from __future__ import annotations

import pytest

from stilts.analysis.best import answers_of
from stilts.analysis.results import StudyResults
from stilts.store import make_store
from stilts.study.record import NONE_ROW
from tests.browser.chromium import Browser
from tests.browser.mlflow_ui import MLflowUi
from tests.browser.studies import Finished

pytestmark = pytest.mark.slow


@pytest.fixture
def ui(browser: Browser, address: str, study: Finished) -> MLflowUi:
    pages = MLflowUi(browser, address, study.name)
    pages.forget()
    return pages


@pytest.fixture
def results(study: Finished) -> StudyResults:
    return StudyResults(record=study.record, store=make_store(str(study.store)))


def test_the_runs_of_a_study_appear_under_their_parent(ui: MLflowUi, study: Finished) -> None:
    ui.open_runs()
    [(parent, left)] = ui.names()
    assert parent == study.name
    ui.unfold(parent)
    first, *below = ui.names()
    assert first == (parent, left)
    assert len(below) == len(study.record.replicates) + len(recipes(study))
    assert all(indented > left for _, indented in below)
    for item in study.record.replicates:
        assert any(name.startswith(f"{item.row} > {item.column}") for name, _ in below)


@pytest.mark.parametrize("down", [True, False])
def test_the_column_sorted_by_gain_is_in_order(ui: MLflowUi, results: StudyResults, down: bool) -> None:
    ui.open_runs()
    ui.show_column("gain")
    ui.sort("gain", down=down)
    ui.browser.wait("gains", lambda: any(text not in ("", "-") for text in ui.column("gain")))
    shown = [float(text) for text in ui.column("gain") if text not in ("", "-")]
    assert shown == sorted(shown, reverse=down)
    assert len(set(shown)) > 10
    assert shown == pytest.approx(sorted(gains(results), reverse=down))


def test_a_filter_by_tag_leaves_its_runs(ui: MLflowUi, study: Finished) -> None:
    column = study.record.columns[1].name
    ui.open_runs()
    ui.unfold(study.name)
    ui.filter(f"tags.target = '{column}'")
    wanted = sum(item.column == column for item in study.record.replicates)
    ui.browser.wait("filtered runs", lambda: len(ui.names()) == 1 + wanted)
    (parent, _), *below = ui.names()  # MLflow keeps the parent of what it finds
    assert parent == study.name
    assert all(f"> {column}" in name for name, _ in below)


def test_the_note_answers_before_any_click(ui: MLflowUi, results: StudyResults) -> None:
    ui.open_parent()
    in_sight = ui.note_in_sight()
    for answer in answers_of(results):
        assert f"{answer.target}: " in in_sight and str(answer.row) in in_sight, in_sight
    whole = ui.show_whole_note()
    for answer in answers_of(results):
        assert answer.target in whole and str(answer.row) in whole


def test_the_report_and_its_heat_map_render_as_artifacts(ui: MLflowUi, study: Finished) -> None:
    ui.open_parent("artifacts/heatmap.png")
    assert ui.image_width() > 300
    ui.open_parent("artifacts/report.html")
    driver = ui.browser.driver
    driver.switch_to.frame(ui.frame())
    try:
        assert ui.browser.wait_for("h1").text
        for column in study.record.columns:
            ui.browser.wait_for("section", column.name)
    finally:
        driver.switch_to.default_content()


def recipes(study: Finished) -> set[str]:
    return {item.intermediate_stage for item in study.record.replicates if item.intermediate_stage}


def gains(results: StudyResults) -> list[float]:
    """Each replicate's score minus the mean of its column's row ``none``, from the study's own results."""
    means = results.frame.query("use == 'report'").groupby(["row", "column", "replicate_id"])["score"].mean()
    none = means.xs(NONE_ROW, level="row").groupby(level="column").mean()
    return [score - none[column] for (row, column, _), score in means.items() if row != NONE_ROW]
