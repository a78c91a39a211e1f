from dataclasses import replace

import pandas as pd
import pytest

from stilts.report.drawing.colour import NO_NUMBER, diverging, luminance
from stilts.report.drawing.scene import Shape
from stilts.report.figures.heatmap import heat_map
from stilts.report.figures.matrix_data import matrix_data
from stilts.report.figures.picture import NARROW, PORTRAIT, Picture
from stilts.report.figures.shades import colour_limit
from tests.report.fitting import said, words
from tests.report.studies import Shown, shown, table


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    return shown(tmp_path_factory.mktemp("store"), toy=True)


@pytest.fixture(scope="module")
def data(study: Shown) -> pd.DataFrame:
    return matrix_data(study.results)


def fills(picture: Picture) -> list[str]:
    """The colours of the cells, in the order of the table."""
    shapes = (shape for scene in picture.on_screen for shape in scene.shapes)
    cells = [shape for shape in shapes if isinstance(shape, Shape) and shape.hint]
    return [shape.fill or "" for shape in cells if shape.extent[2] - shape.extent[0] > 40]


def test_every_cell_says_score_gain_and_interval_or_its_state(study: Shown, data: pd.DataFrame) -> None:
    found = said(heat_map(data, study.record))
    assert {"63.0 s", "+3.0", "66.0", "+6.0", "69.0", "+9.0", "missing", "1/2 failed"} <= {
        t.rstrip(" *os~") or t for t in found
    } | set(found)
    assert {"none", "mnli", "a|<b>&_c_", "hellaswag", "xnli", "panx", "tatoeba"} <= set(found)
    assert found.count("60.0 s") >= 1 and "+0.0" not in found
    interval = study.results.gain("hellaswag", "panx")
    assert interval is not None and f"±{(interval.high - interval.low) / 2:.1f}" in found


def test_title_and_legend_say_what_is_drawn(study: Shown, data: pd.DataFrame) -> None:
    told = words(heat_map(data, study.record))
    assert "study (toy data and encoder): score and gain over none, in points" in told
    assert "gain over none, points" in told
    assert "s single replicate" in told and "hatched: the row shares data" in told


def test_overlaps_are_hatched_and_explained_only_where_they_are(study: Shown, data: pd.DataFrame) -> None:
    def strokes(table: pd.DataFrame) -> int:
        scene = heat_map(table, study.record).bands[0]
        return sum(isinstance(shape, Shape) and not shape.closed and len(shape.parts) > 5 for shape in scene.shapes)

    without = data.assign(overlap=None)
    assert (strokes(data), strokes(without)) == (1, 0)
    assert "hatched" not in words(heat_map(without, study.record))


def test_colours_are_symmetric_and_none_is_the_middle(study: Shown, data: pd.DataFrame) -> None:
    plain = data.assign(overlap=None)
    drawn = dict(
        zip(zip(plain["row"], plain["column"], strict=True), fills(heat_map(plain, study.record)), strict=True)
    )
    assert drawn["none", "xnli"] == diverging(0.0, 1.0)
    assert drawn["hellaswag", "panx"] == diverging(1.0, 1.0)
    assert drawn["hellaswag", "xnli"] == NO_NUMBER
    lost = fills(heat_map(plain.assign(gain=-plain["gain"]), study.record))
    assert lost[-2] == diverging(-1.0, 1.0)


def test_what_is_not_beyond_chance_is_pale_and_sets_no_scale(study: Shown, data: pd.DataFrame) -> None:
    wild = data.assign(overlap=None)
    wild.loc[(wild["row"] == "mnli") & (wild["column"] == "tatoeba"), "gain"] = -80.0
    assert wild["claimed"].sum() == 2 and colour_limit(wild) == pytest.approx(9.0)
    drawn = dict(zip(zip(wild["row"], wild["column"], strict=True), fills(heat_map(wild, study.record)), strict=True))
    assert drawn["hellaswag", "panx"] == diverging(1.0, 1.0), "the scale ends at the largest gain beyond chance"
    assert luminance(drawn["mnli", "tatoeba"]) > 0.6 > 0.2 > luminance(diverging(-1.0, 1.0))
    assert "pale: not beyond chance" in words(heat_map(wild, study.record))
    sure = heat_map(wild.assign(claimed=True), study.record)
    assert "pale" not in words(sure) and "-80.0" in words(sure)


def test_without_any_claim_one_wild_cell_sets_no_scale(data: pd.DataFrame) -> None:
    unsure = pd.concat([data.assign(claimed=False)] * 4, ignore_index=True)
    unsure.loc[unsure.index[-1], "gain"] = 80.0
    assert colour_limit(unsure) < 10


def test_what_a_near_guessing_row_gains_is_not_claimed(study: Shown, data: pd.DataFrame) -> None:
    claimed = data[data["claimed"]]
    assert set(claimed["column"]) == {"panx"}, "the other columns have one seed"
    results = replace(study.results, _sides={})
    results.__dict__["cells"] = study.results.cells.assign(near_chance=True)
    assert not matrix_data(results)["claimed"].any()


def test_a_telephone_gets_bands_that_fit_it(study: Shown, data: pd.DataFrame) -> None:
    narrow = heat_map(data, study.record).narrow
    assert narrow and all(scene.width <= NARROW for scene in narrow)
    shown_there = " ".join(text.text for scene in narrow for text in scene.texts)
    assert all(name in shown_there for name in ("xnli", "panx", "tatoeba", "hellaswag"))
    assert all(f"{score:.1f}" in shown_there for score in data["score"].dropna())


@pytest.mark.parametrize("number", [2, 5, 9])
def test_few_columns_fill_the_width(number: int) -> None:
    made, record = table(6, number)
    assert heat_map(made, record).bands[0].width > 0.85 * PORTRAIT


def test_the_chosen_row_is_framed_and_bold(study: Shown, data: pd.DataFrame) -> None:
    scene = heat_map(data, study.record).bands[0]
    frames = [shape for shape in scene.shapes if isinstance(shape, Shape) and shape.fill is None and shape.closed]
    assert len(frames) == data["chosen"].sum() > 0
    assert {text.text.split()[0] for text in scene.texts if text.bold and text.text[0].isdigit()} == {"69.0", "66.0"}


def test_an_empty_matrix_is_drawn(study: Shown, data: pd.DataFrame) -> None:
    gone = float("nan")
    nothing = data.assign(score=gone, gain=gone, low=gone, high=gone, state="missing", num_done=0, chosen=False)
    assert said(heat_map(nothing, study.record)).count("missing") == len(data)
