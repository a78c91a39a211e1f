"""What the figures of search, cost, languages and lens say, and that their data say the same."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from stilts.analysis.results import StudyResults
from stilts.report.drawing.scene import Shape
from stilts.report.figures.cost import cost_data, cost_plot, cost_words
from stilts.report.figures.forest import forest_plot
from stilts.report.figures.languages import language_plot
from stilts.report.figures.matrix_data import matrix_data
from stilts.report.figures.mixtures import mixture_data, mixture_plot
from stilts.report.figures.picture import Picture
from stilts.report.figures.search import history_plot, mean_gains, proposal_data
from stilts.report.sections.lens import lens_section
from stilts.report.sections.material import Material
from tests.report.fitting import said, words
from tests.report.studies import Shown, searched, shown


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    return shown(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def search(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    return searched(tmp_path_factory.mktemp("store"))


def hints(picture: Picture) -> list[str]:
    return [
        shape.hint for scene in picture.on_screen for shape in scene.shapes if isinstance(shape, Shape) and shape.hint
    ]


def test_proposals_are_scored_on_select_and_the_pruned_one_is_not(search: Shown) -> None:
    data = proposal_data(search.results)
    panx = data[data["column"] == "panx"].set_index("proposal")
    assert panx["score"].tolist()[:4] == pytest.approx([52.0, 56.0, 60.0, 52.0])
    assert panx.loc[4, "state"] == "pruned" and pd.isna(panx.loc[4, "score"])
    assert panx["base"].unique() == [52.0]
    assert panx[panx["chosen"]].index.tolist() == [2]
    assert "pruned" in words(history_plot(data, "study"))  # type: ignore[arg-type]


def test_mean_gains_compare_proposals_over_the_same_targets(search: Shown) -> None:
    gains = mean_gains(proposal_data(search.results), "mix")
    assert gains == pytest.approx({0: 0.0, 1: 4.0, 2: 8.0, 3: 0.0})


def test_mixtures_of_three_are_a_triangle_others_bars(search: Shown, tmp_path: Path) -> None:
    data = mixture_data(search.results, proposal_data(search.results))
    assert data.groupby("proposal")["share"].sum().tolist() == pytest.approx([1.0] * 5, abs=0.02)
    three = mixture_plot(data, "study")
    assert three is not None and {"all mnli", "all squad", "all hellaswag"} <= set(said(three))
    assert {"2: +8.0", "4: -"} <= set(said(three))
    two = searched(tmp_path, tasks=("mnli", "squad"))
    bars = mixture_plot(mixture_data(two.results, proposal_data(two.results)), "study")
    assert bars is not None and "1 mnli; 2 squad" in words(bars)


def test_mixtures_that_are_no_weights_of_the_proposal_are_shown_as_recorded(search: Shown) -> None:
    record = search.results.record
    recorded = {
        replicate.intermediate_stage: {"mnli": 0.5, "squad": 0.5}
        for replicate in record.replicates
        if replicate.proposal is not None
    }
    stages = {
        name: {**stage, **({"mixture": recorded[name]} if name in recorded else {})}
        for name, stage in record.stages.items()
    }
    results = StudyResults(record=replace(record, stages=stages), store=search.results.store, draws=10)
    data = mixture_data(results, proposal_data(results))
    assert set(data["share"]) == {0.5, 0.0} and set(data[data["share"] == 0.0]["task"]) == {"hellaswag"}


def test_a_forecast_uses_only_what_had_ended(search: Shown) -> None:
    data = cost_data(search.results)
    train = data[data["kind"] == "train"]
    assert train["stages"].sum() - train["forecast_stages"].sum() == 1, "the first had nothing before it"
    assert train["measured_s"].sum() == pytest.approx(
        sum(s for name, s in search.results.view.seconds.items() if name.startswith("train"))
    )
    assert 0 < train["forecast_s"].sum() < train["measured_of_forecast_s"].sum(), "the second half took twice as long"
    told = cost_words(data, search.record)
    assert "CPU-h" in told and "The forecast is worked out afterwards" in told
    assert cost_plot(data.iloc[:0], search.record) is None


def test_a_forest_has_every_row_on_every_target(study: Shown) -> None:
    data = matrix_data(study.results)
    picture = forest_plot(data, study.record)
    told = said(picture)
    assert told.count("hellaswag") + told.count("hellaswag ~") == 3
    assert "missing" in told and "score 60.0" in told
    interval = study.results.gain("hellaswag", "panx")
    assert interval is not None and f"+9.0 [{interval.low:.1f}, {interval.high:.1f}]" in told


def test_languages_are_of_the_chosen_row_and_sorted(study: Shown) -> None:
    data = Material(results=study.results).languages
    assert dict(zip(data["column"], data["row"], strict=True))["panx"] == "hellaswag"
    assert data[data["column"] == "tatoeba"]["role"].iloc[0].startswith("highest on report (oracle)")
    picture = language_plot(data, "study")
    assert picture is not None
    shown_panx = [hint.split(":")[0] for hint in hints(picture)][4:8]
    panx = data[data["column"] == "panx"].sort_values("gain", ascending=False, kind="stable")
    assert shown_panx == panx["language"].tolist()
    assert language_plot(data.iloc[:0], "study") is None


def test_the_lens_groups_languages_and_says_what_it_cannot(study: Shown) -> None:
    section = lens_section(Material(results=study.results))
    assert section is not None
    told = words(section.pictures[0])
    assert "by family" in told and "descriptive: fewer than six families" in told
    assert {"language_lens_targets", "language_lens_groups"} == set(section.tables)
    assert set(section.pictures[0].data["language"]) == {"de", "sw", "zh"}
