from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from stilts.analysis.flips import cell_flips
from stilts.analysis.results import StudyResults
from stilts.analysis.story import cell_story
from stilts.errors import UnknownNameError
from stilts.fingerprint import Json
from stilts.report.explained import story_lines
from stilts.study.record import Row
from tests.analysis.fake_store import FakeStore, column, evaluate, record, replicate
from tests.analysis.studies import finished, train

XNLI, UDPOS = column("xnli"), column("udpos")


def text(renderable: object, width: int = 120) -> str:
    console = Console(width=width, color_system=None, force_terminal=False)
    with console.capture() as capture:
        console.print(renderable)
    return capture.get()


@pytest.fixture
def results(tmp_path: Path) -> StudyResults:
    return finished(tmp_path, {XNLI: {"none": 60, "mnli": 75}, UDPOS: {"none": 60, "mnli": 50}})


def test_flips_add_up_to_the_difference_of_the_scores(results: StudyResults) -> None:
    found = cell_flips(results, "mnli", "xnli")
    assert found is not None
    assert found.whole
    assert (found.row_replicate, found.none_replicate) == ("mnli>xnli/i1/t1", "none>xnli/t1")
    assert [item.language for item in found.languages] == list(XNLI.languages)
    for item in found.languages:
        assert item.num_won - item.num_lost == round(0.15 * item.num_examples)
        assert len(item.won) == 5
        assert all((flip.row_answer, flip.none_answer) == ("yes", "no") for flip in item.won)
        assert all((flip.row_score, flip.none_score) == (0, 100) for flip in item.lost)


def test_none_and_cells_that_are_not_done_have_no_flips(results: StudyResults) -> None:
    assert cell_flips(results, "none", "xnli") is None
    assert cell_flips(results, "squad", "xnli") is None


def test_a_story_tells_lineage_states_and_what_is_reused(results: StudyResults) -> None:
    story = cell_story(results, "mnli", "xnli")
    assert len(story.replicates) == 3
    evaluated, target, intermediate = story.replicates[0].lineage
    assert [stage.state for stage in (evaluated, target, intermediate)] == ["done"] * 3
    assert intermediate.also_in == ("mnli>udpos",)
    assert target.also_in == ()
    assert intermediate.seconds == 3600
    assert story.replicates[0].scores["report"]["en"] == pytest.approx(76, abs=0.5)
    assert story.negative is None
    assert story.to_json()["cell"] == "mnli>xnli"


def test_a_losing_cell_comes_with_its_checks(results: StudyResults) -> None:
    story = cell_story(results, "mnli", "udpos")
    assert story.negative is not None
    shown = text(story_lines(story))
    assert "1. seed of the head" in shown
    assert "4. label prior" in shown
    assert "Examples that flipped against none" in shown


def test_settings_show_the_fields_in_which_rows_differ(tmp_path: Path) -> None:
    store = FakeStore(tmp_path)
    items = []
    for name, rate in (("none", 0.0), ("mnli", 1e-4), ("squad", 3e-4)):
        item = replicate(name, XNLI, None if name == "none" else 1, 1)
        evaluate(store, item, 60)
        train(store, item, learning_rate=rate)
        items.append(item)
    made = record([Row(name=name) for name in ("none", "mnli", "squad")], [XNLI], items)
    story = cell_story(StudyResults(record=made, store=store, draws=50), "squad", "xnli")  # type: ignore[arg-type]
    assert list(story.settings.rows) == ["squad", "none", "mnli"]
    assert story.settings.differing == ("tasks", "learning_rate")
    assert story.settings.rows["squad"]["learning_rate"] == "0.0003"
    assert story.settings.rows["none"] == {}
    assert story.settings.same["steps"] == "100"
    assert "target learning_rate" in story.settings.same


def test_a_searched_cell_shows_its_proposals_and_what_pruned_them(tmp_path: Path) -> None:
    store = FakeStore(tmp_path)
    base = replicate("none", XNLI, None, 1)
    tried = [replicate("mix", XNLI, 1, 1, number) for number in range(3)]
    for item, score in zip((base, *tried[:2]), (60, 70, 72), strict=True):
        evaluate(store, item, score)
        train(store, item)
    for number in range(3):
        store.notes[f"studies/study/proposals/mix/{number:04d}"] = {"number": number, "params": {"steps": 10 * number}}
    why = "At 25% of its steps its selection score on xnli is 40.00, place 3 of 3 recipes of mix."
    where = {"stage_id": str(tried[2].target_stage), "row": "mix", "column": "xnli", "proposal": 2}
    said: dict[str, Json] = {"step": 25, "steps": 100, "score": 40.0, "policy": "halving", "reason": why}
    store.notes[f"studies/study/pruned/{tried[2].target_stage}"] = {**where, **said}
    rows = [Row(name="none"), Row(name="mix", searched=True, num_proposals=3)]
    made = record(rows, [XNLI], [base, *tried])
    story = cell_story(StudyResults(record=made, store=store, draws=50), "mix", "xnli")  # type: ignore[arg-type]
    assert [item.chosen for item in story.proposals] == [False, True, False]
    assert story.proposals[1].params == {"steps": 10}
    assert story.proposals[2].state == "pruned"
    assert why in story.proposals[2].pruned
    assert [item.replicate for item in story.replicates] == ["mix>xnli/p1/i1/t1"]
    assert "place 3 of 3" in " ".join(text(story_lines(story)).split())


def test_a_failed_stage_says_why(tmp_path: Path) -> None:
    results = finished(tmp_path, {XNLI: {"none": 60}})
    item = replicate("mnli", XNLI, 1, 1)
    store: FakeStore = results.store  # type: ignore[assignment]
    store.notes[f"failures/{item.target_stage}"] = {
        "stage_id": str(item.target_stage),
        "kind": "DataError",
        "error": "no file",
        "attempts": 2,
        "time": 0.0,
    }
    made = record([Row(name="none"), Row(name="mnli")], [XNLI], [*results.record.replicates, item])
    story = cell_story(StudyResults(record=made, store=store, draws=50), "mnli", "xnli")  # type: ignore[arg-type]
    assert story.score is None
    assert [stage.state for stage in story.replicates[0].lineage] == ["missing", "failed", "missing"]
    assert "DataError: no file (attempts: 2)" in text(story_lines(story))
    assert story.settings.unknown == ("mnli",)


def test_long_answers_are_cut_and_every_line_fits(results: StudyResults) -> None:
    story = cell_story(results, "mnli", "xnli")
    assert story.flips is not None
    long = replace(story.flips.languages[0].won[0], row_answer="word " * 40)
    language = replace(story.flips.languages[0], won=(long,))
    shown = text(story_lines(replace(story, flips=replace(story.flips, languages=(language,)))), width=100)
    assert "..." in shown
    assert all(len(line.rstrip()) <= 100 for line in shown.splitlines())


def test_an_unknown_column_is_refused(results: StudyResults) -> None:
    with pytest.raises(UnknownNameError):
        cell_story(results, "mnli", "panx")


def test_a_story_tells_where_and_for_which_job_a_stage_ran(results: StudyResults) -> None:
    stage = cell_story(results, "mnli", "xnli").replicates[0].lineage[0].stage
    for key, result in results.store.results.items():
        if key.startswith(stage):
            ran = {"device": "cuda:0", "device_name": "NVIDIA H200", "node": "worker-1", "job": "study-1"}
            results.store.results[key] = {**result, "execution": ran}
    again = StudyResults(record=results.record, store=results.store)
    told = text(story_lines(cell_story(again, "mnli", "xnli")), width=400)
    assert f"{stage}: done" in told and "on NVIDIA H200 of worker-1 for job study-1" in told
