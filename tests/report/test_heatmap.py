import re
import struct
import subprocess
import sys
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import pytest

from stilts.report.heatmap import heat_map
from tests.report.studies import Shown, shown


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    return shown(tmp_path_factory.mktemp("store"), toy=True)


def texts(svg: bytes) -> list[str]:
    return [
        unescape("".join(part.itertext())) for part in ElementTree.fromstring(svg).iter() if part.tag.endswith("text")
    ]


def test_every_cell_says_score_and_gain_or_its_state(study: Shown) -> None:
    said = texts(heat_map(study.cells, study.record, format="svg"))
    assert {"63.0 s", "+3.0", "66.0", "+6.0", "69.0", "+9.0", "missing", "1/2 failed"} <= set(said)
    assert {"none", "mnli", "a|<b>&_c_", "hellaswag", "xnli", "panx", "tatoeba"} <= set(said)
    assert said.count("60.0 s") == 2 and "+0.0" not in said
    assert "gain over none, points" in said


def test_title_and_legend_say_what_is_drawn(study: Shown) -> None:
    said = " ".join(texts(heat_map(study.cells, study.record, format="svg")))
    assert "study (toy data and encoder): score and gain over none, in points" in said
    assert "s single replicate" in said and "hatched: the row has seen" in said


def test_overlaps_are_hatched_and_explained_only_where_they_are(study: Shown) -> None:
    without = heat_map(study.cells.assign(overlap=None), study.record, format="svg")
    assert b"<pattern" in heat_map(study.cells, study.record, format="svg")
    assert b"<pattern" not in without and b"hatched" not in without


def test_colours_are_symmetric_and_the_row_none_is_the_middle(study: Shown) -> None:
    def fills(cells) -> list[str]:  # type: ignore[no-untyped-def]
        svg = heat_map(cells, study.record, format="svg").decode()
        return re.findall(r'style="fill: (#\w+); stroke: #ffffff', svg)

    plain = study.cells.assign(overlap=None)
    drawn = dict(zip(zip(plain["row"], plain["column"], strict=True), fills(plain), strict=True))
    middle = drawn["none", "xnli"]
    red, green, blue = (int(drawn["mnli", "xnli"][i : i + 2], 16) for i in (1, 3, 5))
    assert blue > green > red, "a gain is blue"
    lost = fills(plain.assign(gain=-plain["gain"]))
    assert int(lost[3][1:3], 16) > int(lost[3][5:7], 16), "a loss is red"
    assert lost[0] == middle == drawn["none", "panx"]


@pytest.mark.parametrize("format", ["png", "svg"])
def test_the_same_cells_give_the_same_bytes(study: Shown, format: str) -> None:
    once, again = (heat_map(study.cells, study.record, format=format) for _ in range(2))  # type: ignore[arg-type]
    assert once == again


def test_png_grows_with_the_matrix(study: Shown) -> None:
    def size(cells) -> tuple[int, int]:  # type: ignore[no-untyped-def]
        png = heat_map(cells, study.record, format="png")
        assert png.startswith(b"\x89PNG")
        return struct.unpack(">II", png[16:24])

    small = size(study.cells[study.cells["row"].isin(["none", "mnli"])])
    assert size(study.cells)[1] > small[1]


def test_an_empty_matrix_is_drawn(study: Shown) -> None:
    nothing = study.cells.assign(score=float("nan"), gain=float("nan"), state="missing", num_done=0)
    assert texts(heat_map(nothing, study.record, format="svg")).count("missing") == len(study.cells)


def test_no_window_system_and_no_global_figure_is_touched() -> None:
    code = "import stilts.report.heatmap, sys; print([m for m in sys.modules if m.startswith('matplotlib')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path.cwd())
    assert done.stdout.strip() == "[]"
    assert "pyplot" not in Path(sys.modules[heat_map.__module__].__file__ or "").read_text()
