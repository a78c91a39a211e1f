from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from stilts.analysis.best import answers_of
from stilts.analysis.compare import compare_studies
from stilts.analysis.groups import group_answers
from stilts.analysis.objectives import objective_answer
from stilts.analysis.only_one import only_one
from stilts.analysis.results import StudyResults
from stilts.metrics.objectives import AVERAGE
from stilts.report.wide_answers import comparison_lines, group_lines, objective_lines, only_one_lines
from tests.analysis.fake_store import column
from tests.analysis.studies import finished

XNLI, UDPOS = column("xnli"), column("udpos")
TATOEBA = replace(column("tatoeba", select=False), group="retrieval")


def text(renderable: RenderableType, width: int = 100) -> str:
    console = Console(width=width, color_system=None, force_terminal=False)
    with console.capture() as capture:
        console.print(renderable)
    shown = capture.get()
    assert all(len(line.rstrip()) <= width for line in shown.splitlines())
    assert "…" not in shown
    return shown


@pytest.fixture
def results(tmp_path: Path) -> StudyResults:
    scores = {"none": 60, "mnli": 75, "squad": 64}
    return finished(tmp_path, {XNLI: scores, UDPOS: {**scores, "mnli": 55}, TATOEBA: {**scores, "mnli": 30}})


def line_of(shown: str, first: str) -> list[str]:
    return next(line.split() for line in shown.splitlines() if line.split()[:1] == [first])


def test_groups_name_row_gain_and_oracle(results: StudyResults) -> None:
    shown = text(group_lines(group_answers(results, "family", answers_of(results))))
    assert "udpos: the whole target's choice" in shown
    assert "tatoeba: nothing chosen, tatoeba has no selection score" in shown
    assert "oracle: highest on report, no advice" in " ".join(shown.split())
    assert "+15.0" in shown


def test_an_objective_names_the_row_and_what_chose_it(results: StudyResults) -> None:
    shown = text(objective_lines(objective_answer(results, AVERAGE)))
    assert shown.startswith("xtreme_average: no intermediate is shown to help; select picks mnli")
    assert "chosen by the mean selection score over xnli, udpos\n" in "\n".join(map(str.rstrip, shown.splitlines()))
    assert "do not count on this choice" in shown
    assert line_of(shown, "none")[-1] == "-"


def test_only_one_shows_worst_target_and_regret(results: StudyResults) -> None:
    shown = text(only_one_lines(only_one(results, answers_of(results))))
    assert shown.startswith("if only one: no intermediate is shown to help; select picks mnli")
    assert "tatoeba -30.0" in shown
    assert "udpos 9.0" in shown


def test_two_studies_stand_side_by_side(results: StudyResults, tmp_path: Path) -> None:
    other = finished(tmp_path / "other", {XNLI: {"none": 60, "mnli": 65}}, name="other")
    shown = text(comparison_lines(compare_studies(results, other)))
    assert line_of(shown, "mnli")[1:4] == ["77.0", "67.0", "-10.0"]
    assert line_of(shown, "none")[1:] == ["62.0", "62.0", "="]
    assert "only in study (first): row squad, column udpos, column tatoeba" in shown
