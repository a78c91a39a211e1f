import pandas as pd
import pytest

from stilts.report.drawing.colour import NO_NUMBER, diverging
from stilts.report.drawing.scene import Shape
from stilts.report.figures.heatmap import heat_map
from stilts.report.figures.matrix_data import matrix_data
from stilts.report.figures.picture import Picture
from tests.report.fitting import said, words
from tests.report.studies import Shown, shown


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
    assert lost[-1] == diverging(-1.0, 1.0)


def test_the_chosen_row_is_framed_and_bold(study: Shown, data: pd.DataFrame) -> None:
    scene = heat_map(data, study.record).bands[0]
    frames = [shape for shape in scene.shapes if isinstance(shape, Shape) and shape.fill is None and shape.closed]
    assert len(frames) == data["chosen"].sum() > 0
    assert {text.text.split()[0] for text in scene.texts if text.bold and text.text[0].isdigit()} == {"69.0", "66.0"}


def test_an_empty_matrix_is_drawn(study: Shown, data: pd.DataFrame) -> None:
    gone = float("nan")
    nothing = data.assign(score=gone, gain=gone, low=gone, high=gone, state="missing", num_done=0, chosen=False)
    assert said(heat_map(nothing, study.record)).count("missing") == len(data)
