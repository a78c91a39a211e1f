"""Every picture at 9 x 9 and at 50 x 20 cells with long names: nothing overlaps, nothing is cut off."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stilts.report.contents import sections_of
from stilts.report.figures.cost import COST_COLUMNS, cost_plot
from stilts.report.figures.forest import forest_plot
from stilts.report.figures.heatmap import heat_map
from stilts.report.figures.languages import LANGUAGE_COLUMNS, language_plot
from stilts.report.figures.mixtures import mixture_plot
from stilts.report.figures.search import PROPOSAL_COLUMNS, history_plot
from stilts.tasks.languages import LANGUAGES
from tests.report.fitting import assert_fits, said, words
from tests.report.studies import LONG, searched, shown, table

SIZES = ((3, 2), (9, 9), (50, 20), (20, 50))


@pytest.mark.parametrize("size", SIZES)
def test_the_heat_map(size: tuple[int, int]) -> None:
    data, record = table(*size)
    picture = heat_map(data, record)
    assert_fits(picture)
    assert sum(text.startswith("±") for text in said(picture)) == data["low"].notna().sum()


@pytest.mark.parametrize("size", SIZES)
def test_the_forest_plots(size: tuple[int, int]) -> None:
    data, record = table(*size)
    assert_fits(forest_plot(data, record))


@pytest.mark.parametrize("number", [1, 9, 20])
def test_gains_by_language(number: int) -> None:
    assert_fits(language_plot(_languages(number), "a study with a long name"))  # type: ignore[arg-type]


@pytest.mark.parametrize("number", [1, 9, 20])
def test_search_history(number: int) -> None:
    assert_fits(history_plot(_proposals(number), "a study with a long name"))  # type: ignore[arg-type]


@pytest.mark.parametrize("tasks", [2, 3, 9])
@pytest.mark.parametrize("proposals", [1, 6, 200])
def test_mixtures(tasks: int, proposals: int) -> None:
    assert_fits(mixture_plot(_mixtures(tasks, proposals), "a study with a long name"))  # type: ignore[arg-type]


@pytest.mark.parametrize("number", [1, 13, 90])
def test_cost(number: int) -> None:
    _, record = table(2, 2)
    assert_fits(cost_plot(_costs(number), record))  # type: ignore[arg-type]


@pytest.mark.parametrize("make", [shown, searched])
def test_whole_reports(tmp_path: Path, make) -> None:  # type: ignore[no-untyped-def]
    for section in sections_of(make(tmp_path).results):
        for picture in section.pictures:
            assert_fits(picture)


def test_names_that_are_cut_end_with_an_ellipsis() -> None:
    data, record = table(4, 2)
    data["row"] = data["row"].str.replace(LONG, LONG * 4)
    picture = heat_map(data, record)
    assert_fits(picture)
    assert "\u2026" in words(picture)
    assert LONG * 4 in "".join(str(name) for name in picture.data["row"])


def _languages(number: int) -> pd.DataFrame:
    stream = np.random.default_rng(0)
    codes = [code for code in LANGUAGES][:40]
    lines = []
    for at in range(number):
        for code in codes:
            gain, half = stream.normal(0, 4), stream.uniform(1, 9)
            role = "chosen" if at % 2 else "highest on report (oracle); nothing is chosen"
            sure = abs(gain) > half
            name = f"{LONG}_{at}" if at % 3 == 0 else f"mix{at}"
            line = (
                f"target{at}",
                name,
                role,
                code,
                gain,
                gain - half,
                gain + half,
                0.5,
                sure and gain < 0,
                sure and gain > 0,
            )
            lines.append(line)
    return pd.DataFrame(lines, columns=list(LANGUAGE_COLUMNS))


def _proposals(number: int) -> pd.DataFrame:
    stream = np.random.default_rng(0)
    lines = []
    for at in range(number):
        for proposal in range(200):
            state = str(stream.choice(["done", "done", "pruned", "missing"]))
            score = stream.normal(60, 5) if state == "done" else np.nan
            lines.append((LONG, f"tydiqa_on_xquad_{at}", proposal, score, 59.0, state, proposal == 7))
    return pd.DataFrame(lines, columns=list(PROPOSAL_COLUMNS))


def _mixtures(tasks: int, proposals: int) -> pd.DataFrame:
    stream = np.random.default_rng(0)
    shares = stream.dirichlet(np.ones(tasks), proposals)
    lines = [
        {"row": LONG, "proposal": number, "task": f"{LONG}_{task}", "share": share, "mean_select_gain": gain}
        for number, gain in enumerate(stream.normal(0, 2, proposals))
        for task, share in enumerate(shares[number])
    ]
    return pd.DataFrame(lines)


def _costs(number: int) -> pd.DataFrame:
    stream = np.random.default_rng(0)
    lines = []
    for at in range(number):
        seconds = float(stream.uniform(10, 90_000))
        lines.append(("evaluate", f"{LONG}_{at}", 999, seconds, at % 3, seconds if at % 3 else 0.0, seconds * (at % 3)))
    return pd.DataFrame(lines, columns=list(COST_COLUMNS))
