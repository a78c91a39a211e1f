"""A study in MLflow's own pages, as a researcher opens them after ``stilts ui``."""

from __future__ import annotations

import json

import pytest

from stilts.analysis.best import answers_of
from stilts.analysis.glance import study_line
from stilts.analysis.results import StudyResults
from stilts.store import make_store
from stilts.study.record import NONE_ROW
from stilts.tracking.study_link import study_page
from tests.browser.chromium import Browser
from tests.browser.mlflow_ui import MLflowUi
from tests.browser.studies import Finished
from tests.e2e.studies import stilts

pytestmark = pytest.mark.slow


@pytest.fixture
def ui(browser: Browser, address: str, study: Finished) -> MLflowUi:
    pages = MLflowUi(browser, address, study.name)
    pages.forget()
    return pages


@pytest.fixture
def results(study: Finished) -> StudyResults:
    return StudyResults(record=study.record, store=make_store(str(study.store)))


def test_from_the_start_page_one_click_shows_the_answer_with_its_doubt(ui: MLflowUi, results: StudyResults) -> None:
    line = study_line(answers_of(results))
    ui.open_start()
    ui.browser.wait("answer as the description in the list of experiments", lambda: line in ui.text())
    ui.click(ui.experiment)
    in_sight = ui.experiment_note_in_sight()
    assert len(in_sight) > 60 and line.startswith(in_sight), in_sight
    assert "none shown to help (" in in_sight and " to +" in in_sight, "never a gain without its doubt"


def test_the_link_that_ui_prints_opens_the_runs_by_gain(ui: MLflowUi, study: Finished, results: StudyResults) -> None:
    said = stilts("ui", "--how", "--json", "--tracking-uri", ui.address, cwd=study.folder)
    link = json.loads(said.stdout)["studies"][study.name]
    assert link == f"{ui.address}{study_page(ui.address, study.name)}", "run and status ask the server itself"
    ui.open_link(link)
    ui.browser.wait("gains", lambda: any(text not in ("", "-") for text in ui.column("gain")))
    wanted = ["intermediate", "target", "score", "gain", "select"]
    assert [name for name in ui.headings() if name in wanted] == wanted
    shown = [float(text) for text in ui.column("gain") if text not in ("", "-")]
    assert shown == sorted(shown, reverse=True) and len(shown) > 10
    assert shown == pytest.approx(sorted(gains(results), reverse=True)[: len(shown)])
    assert not any(name == study.name for name, _ in ui.names()), "no run above the others"


def test_the_charts_open_with_gain_and_score(ui: MLflowUi) -> None:
    ui.open_link(f"{ui.address}{study_page(ui.address, ui.experiment)}&compareRunsMode=CHART")
    ui.browser.wait_for("main", "Score and gain")
    text = ui.browser.wait("charts", lambda: "select vs. score" in ui.text() and ui.text())
    assert "training.loss" not in text, "the section with a chart for every metric is folded"


def test_a_run_and_the_study_say_the_score_first_and_what_it_is_against(ui: MLflowUi, results: StudyResults) -> None:
    item = next(one for one in results.record.replicates if one.row != NONE_ROW)
    ui.open_run(f"{item.row} > {item.column} / i{item.intermediate_seed} t{item.target_seed}")
    interval = results.gain(item.row, item.column)
    assert interval is not None
    assert f"95 % interval {interval.low:+.2f} to {interval.high:+.2f}" in ui.note_in_sight()
    assert ui.metrics()[0] == "gain" and "score" in ui.metrics()
    ui.open_parent()
    cell = f"{item.row}.{item.column}"
    at = ui.metrics().index(f"gain.{cell}")
    assert ui.metrics()[at : at + 4] == [f"{name}.{cell}" for name in ("gain", "gain_low", "gain_high", "p_best")]


def test_comparing_runs_opens_with_what_differs_and_the_gain(ui: MLflowUi, results: StudyResults) -> None:
    ui.compare(f"tags.target = '{results.record.columns[0].name}' and tags.intermediate != '{NONE_ROW}'")
    axes = ui.axes()
    assert axes[:2] == ["intermediate", "seeds"] and axes[-1] == "gain"


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
