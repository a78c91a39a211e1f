"""MLflow's scores and gains are the matrix's own, of searched rows too, and none appears that could still change."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from stilts.analysis.results import StudyResults
from stilts.study.record import NONE_ROW, Row
from stilts.tracking.run_view import RunView, metric_name
from stilts.tracking.views import run_views
from tests.analysis.fake_store import FakeStore, column, evaluate, record, replicate
from tests.analysis.studies import train
from tests.e2e.studies import stilts, tiny_study
from tests.tracking.mlflow_contents import shown, uri_of

XNLI = column("xnli")
# Row and proposal: scores on select and report. What is best on select is not best on report.
SCORES = {("none", 0): (50.0, 60.0), ("none", 1): (70.0, 55.0), ("mix", 0): (80.0, 61.0), ("mix", 1): (40.0, 66.0)}


@pytest.fixture
def results(tmp_path: Path) -> StudyResults:
    store, items = FakeStore(tmp_path), []
    for (row, proposal), (select, report) in SCORES.items():
        items.append(replicate(row, XNLI, None if row == "none" else 0, 0, proposal))
        evaluate(store, items[-1], select, use="select")
        evaluate(store, items[-1], report, use="report")
    for row, proposal, score in (("none", 1, 55.0), ("mix", 0, 61.0)):
        items.append(replicate(row, XNLI, None if row == "none" else 1000, 1000, proposal, confirms=True))
        evaluate(store, items[-1], score)
    for intermediate, target, score in ((1, 1, 57.0), (1, 2, 63.0), (2, 1, 69.0)):
        items.append(replicate("mnli", XNLI, intermediate, target))
        evaluate(store, items[-1], score)
    for item in items:
        train(store, item)
    rows = [Row(name="none", searched=True, num_proposals=2, confirmed={"xnli": 1}), Row(name="mnli")]
    rows.append(Row(name="mix", searched=True, num_proposals=2, confirmed={"xnli": 0}))
    return StudyResults(record=record(rows, [XNLI], items), store=store)  # type: ignore[arg-type]


def parent_of(views: list[RunView]) -> Mapping[str, float]:
    """The cells that the study's own run shows."""
    (parent,) = [view for view in views if view.is_parent]
    return {name: value for name, value in parent.latest().items() if name.startswith(("score.", "gain."))}


def test_every_cell_has_the_score_and_gain_of_the_matrix(results: StudyResults) -> None:
    found = parent_of(list(run_views(results, running=False)))
    cells = results.cells.set_index("row")
    assert found == {
        **{f"score.{row}.xnli": cells["score"][row] for row in ("none", "mnli", "mix")},
        **{f"gain.{row}.xnli": cells["gain"][row] for row in ("mnli", "mix")},
    }
    assert found["gain.mix.xnli"] == pytest.approx(61.0 - 55.0), "chosen on select, counted from none's own choice"
    assert found["score.mnli.xnli"] == pytest.approx((60.0 + 69.0) / 2), "seeds of the intermediate count alike"


def test_what_is_not_confirmed_has_no_figure(results: StudyResults) -> None:
    fresh = [one for one in results.record.replicates if not one.confirms]
    rows = [replace(row, confirmed={}) for row in results.record.rows]
    searched = StudyResults(record=record(rows, [XNLI], fresh), store=results.store)
    assert list(parent_of(list(run_views(searched, running=False)))) == ["score.mnli.xnli"]


def test_replicates_gain_over_the_same_none(results: StudyResults) -> None:
    views = {view.identity[1]: view.latest() for view in run_views(results, running=False)}
    none = results.cells.set_index("row")["score"]["none"]
    assert views["mix>xnli/p1/i0/t0"]["gain"] == pytest.approx(66.0 - none)
    assert views["mnli>xnli/i2/t1"]["gain.sw"] == pytest.approx(views["mnli>xnli/i2/t1"]["score.sw"] - 55.0)
    assert not any("gain" in name for name in views["none>xnli/p0/t0"])


def test_of_a_study_that_goes_on_nothing_is_shown_that_another_proposal_may_change(results: StudyResults) -> None:
    rows = [*results.record.rows[:2], Row(name="mix", searched=True, num_proposals=3)]
    goes_on = StudyResults(record=record(rows, [XNLI], results.record.replicates), store=results.store)
    for running in (True, False):  # it was stopped, and may be run again
        views = list(run_views(goes_on, running=running))
        assert list(parent_of(views)) == ["score.mnli.xnli"]
        assert not any(name.startswith("gain") for view in views for name in view.latest())


@pytest.mark.slow
def test_mlflow_has_the_figures_of_stilts_matrix_cell_by_cell(tmp_path: Path) -> None:
    rate = {"low": 1e-4, "high": 1e-2, "log": True}
    search = {"target_learning_rate": rate, "proposals": 3, "sampler": "random"}
    study = tiny_study(
        tmp_path / "study",
        name="searched",
        intermediates={"none": {"search": search}, "mnli": None, "panx": {"search": search}},
    )
    run = stilts("run", study, "--store", "store", "--local", cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    said = stilts("matrix", study, "--store", "store", "--json", cwd=tmp_path)
    cells = json.loads(said.stdout)["cells"]
    figures = {
        metric_name(figure, cell["row"], cell["column"]): cell[figure]
        for cell in cells
        for figure in ("score", "gain")
        if cell[figure] is not None and not (figure == "gain" and cell["row"] == NONE_ROW)
    }
    metrics = shown(uri_of(tmp_path), "searched")["searched"]["metrics"]
    found = {name: points[-1][2] for name, points in metrics.items() if name.startswith(("score.", "gain."))}
    assert len(figures) == 2 * 3 + 2 * 2 and all(map(math.isfinite, figures.values()))
    assert found == pytest.approx(figures, rel=0, abs=1e-9)  # JSON has ten digits behind the point
