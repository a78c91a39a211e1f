"""Answers over groups of languages and over several targets."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stilts.analysis.best import answers_of
from stilts.analysis.groups import group_answers
from stilts.analysis.objectives import objective_answer
from stilts.analysis.only_one import only_one
from stilts.analysis.results import StudyResults
from stilts.analysis.totals import total_interval, total_of
from stilts.errors import InputError, UnknownNameError
from stilts.metrics.objectives import AVERAGE, GAIN, NO_RETRIEVAL, WORST
from stilts.metrics.resampling import Side
from stilts.metrics.uncertainty import gain_interval
from stilts.study.record import Row
from tests.analysis.fake_store import LANGUAGES, FakeStore, column, evaluate, record, replicate
from tests.analysis.studies import SEEDS, finished

XNLI, UDPOS = column("xnli"), column("udpos")
TATOEBA = replace(column("tatoeba", select=False), group="retrieval")
BOTH = replace(XNLI, select_languages=LANGUAGES)


def two(folder: Path, **changes: object) -> StudyResults:
    scores = {
        XNLI: {"none": 60, "mnli": 75, "squad": 64},
        UDPOS: {"none": 60, "mnli": 55, "squad": 64},
        TATOEBA: {"none": 60, "mnli": 30, "squad": 40},
    }
    return finished(folder, scores, **changes)  # type: ignore[arg-type]


def per_language(folder: Path, selection: str) -> StudyResults:
    """``mnli`` is best in German and English, ``squad`` in Swahili and Chinese; so also on select."""
    target = BOTH if selection == "target_dev" else XNLI
    scores = {
        "none": dict.fromkeys(LANGUAGES, 60.0),
        "mnli": {"en": 80.0, "de": 80.0, "sw": 50.0, "zh": 50.0},
        "squad": {"en": 65.0, "de": 65.0, "sw": 70.0, "zh": 70.0},
    }
    store = FakeStore(folder)
    items = []
    for name, of_row in scores.items():
        for seed in SEEDS:
            item = replicate(name, target, None if name == "none" else seed, seed)
            evaluate(store, item, 0, languages=of_row)
            items.append(item)
    made = record([Row(name=name) for name in scores], [target], items, selection=selection)
    return StudyResults(record=made, store=store, draws=200)  # type: ignore[arg-type]


def test_without_selection_scores_per_language_the_targets_choice_stays(tmp_path: Path) -> None:
    results = per_language(tmp_path, "english_dev")
    found = {line.group: line for line in group_answers(results, "language", answers_of(results))}
    assert [line.languages for line in found.values()] == [(name,) for name in LANGUAGES]
    found = {line.languages[0]: line for line in found.values()}
    assert {line.chosen for line in found.values()} == {"mnli"}
    assert (found["sw"].oracle, found["de"].oracle) == ("squad", "mnli")
    assert found["sw"].gain is not None
    assert found["sw"].gain.estimate == pytest.approx(-10, abs=0.5)
    assert found["sw"].clear
    assert "no selection score of their own" in found["sw"].reason


def test_with_selection_scores_each_group_is_chosen_for(tmp_path: Path) -> None:
    results = per_language(tmp_path, "target_dev")
    found = {line.group: line for line in group_answers(results, "script", answers_of(results))}
    assert sorted(name for line in found.values() for name in line.languages) == sorted(LANGUAGES)
    [chinese] = [line for line in found.values() if line.languages == ("zh",)]
    assert chinese.chosen == "squad"
    assert chinese.score == pytest.approx(70, abs=0.5)
    [latin] = [line for line in found.values() if "de" in line.languages]
    assert latin.chosen == "mnli"


def test_groups_of_a_target_without_a_choice_name_the_oracle_only(tmp_path: Path) -> None:
    results = finished(tmp_path, {TATOEBA: {"none": 60, "mnli": 30}})
    for line in group_answers(results, "family", answers_of(results)):
        assert (line.chosen, line.gain, line.oracle) == (None, None, "none")


def test_an_unknown_grouping_is_refused(tmp_path: Path) -> None:
    results = finished(tmp_path, {XNLI: {"none": 60, "mnli": 70}})
    with pytest.raises(UnknownNameError):
        group_answers(results, "colour", answers_of(results))


def test_retrieval_does_not_choose_but_stands_in_the_figures(tmp_path: Path) -> None:
    found = objective_answer(two(tmp_path), AVERAGE)
    assert found.chosen == "mnli"
    assert found.chosen_by == ("xnli", "udpos")
    assert found.left_out == ("tatoeba",)
    [mnli] = [row for row in found.rows if row.row == "mnli"]
    assert mnli.score.estimate == pytest.approx((77 + 57 + 32) / 3, abs=0.5)
    assert mnli.gain is not None
    assert mnli.gain.estimate == pytest.approx((15 - 5 - 30) / 3, abs=0.5)
    assert any("tatoeba: no selection score" in note for note in found.notes)


def test_a_choice_that_report_does_not_bear_out_is_warned_of(tmp_path: Path) -> None:
    assert "do not count on this choice" in objective_answer(two(tmp_path), GAIN).notes[0]
    assert not any("do not count" in note for note in objective_answer(two(tmp_path / "b"), NO_RETRIEVAL).notes)


def searched_for(folder: Path, *objectives: str) -> StudyResults:
    """A row searched for these; proposal 0 is best in English, 1 in the two Uralic languages, each confirmed."""
    spoken = ("en", "fi", "et")
    target = replace(column("udpos", languages=spoken), select_languages=spoken)
    english, uralic = {"en": 90.0, "fi": 50.0, "et": 50.0}, {"en": 60.0, "fi": 80.0, "et": 76.0}
    store, items = FakeStore(folder), []
    for seed in SEEDS:
        items.append(replicate("none", target, None, seed))
        evaluate(store, items[-1], 62)
    for number, scores in enumerate((english, uralic)):
        for seed in (0, *(1000 + seed for seed in SEEDS)):
            items.append(replicate("mix", target, seed, seed, number, confirms=seed >= 1000))
            evaluate(store, items[-1], 0, languages=scores)
    confirmed = {name: 0 if name == "language:en" else 1 for name in objectives}
    mix = Row(name="mix", searched=True, num_proposals=2, objectives=objectives, confirmed=confirmed)
    made = record([Row(name="none"), mix], [target], items, selection="target_dev")
    return StudyResults(record=made, store=store, draws=200)  # type: ignore[arg-type]


def test_what_was_searched_by_a_family_is_asked_by_it(tmp_path: Path) -> None:
    results = searched_for(tmp_path, "family:Uralic")
    found = objective_answer(results, "family:Uralic")
    assert found.chosen == "mix" and found.description == "mean score in the languages of the family Uralic"
    mix = found.rows[0]
    assert (mix.select_score, mix.score.estimate) == (pytest.approx(78, abs=0.2), pytest.approx(78, abs=0.5))
    assert mix.gain is not None and mix.gain.estimate == pytest.approx(78 - 62, abs=0.5)
    # The recipe was found for Uralic languages, and stands in the cells whatever is asked.
    assert objective_answer(results, "language:en").rows[0].row == "none"


def test_of_several_objectives_each_is_answered_by_its_own_recipe(tmp_path: Path) -> None:
    results = searched_for(tmp_path, "family:Uralic", "language:en")
    assert results.cells.set_index("row")["proposal"]["mix"] == 1
    assert objective_answer(results, "family:Uralic").rows[0].select_score == pytest.approx(78, abs=0.2)
    english = objective_answer(results, "language:en")
    assert english.chosen == "mix" and english.rows[0].score.estimate == pytest.approx(90, abs=0.5)


def test_languages_hurt_chooses_the_row_that_hurts_fewest(tmp_path: Path) -> None:
    results = searched_for(tmp_path, "languages_hurt")
    found = objective_answer(results, "languages_hurt")
    assert [(row.row, row.select_score) for row in found.rows] == [("none", 0), ("mix", 1)]


def test_one_target_is_an_objective_too(tmp_path: Path) -> None:
    results = two(tmp_path)
    found = objective_answer(results, "udpos")
    [squad] = [row for row in found.rows if row.row == "squad"]
    own = results.gain("squad", "udpos")
    assert found.chosen == "squad"
    assert squad.gain is not None and own is not None
    assert (squad.gain.low, squad.gain.high) == pytest.approx((own.low, own.high), abs=1e-9)


def test_choosing_on_report_is_refused(tmp_path: Path) -> None:
    results = two(tmp_path)
    with pytest.raises(InputError, match="no target of its objective has a selection score"):
        objective_answer(results, "tatoeba")
    with pytest.raises(InputError, match="one answer for each target"):
        objective_answer(results, "per_target")
    with pytest.raises(InputError, match="English alone"):
        objective_answer(results, "family:Uralic")
    with pytest.raises(InputError, match="English alone"):
        objective_answer(results, WORST)
    with pytest.raises(UnknownNameError):
        objective_answer(results, "best_of_all")


def test_the_worst_language_counts_under_target_dev(tmp_path: Path) -> None:
    found = objective_answer(per_language(tmp_path, "target_dev"), WORST)
    assert found.chosen == "squad"
    assert found.rows[0].score.estimate == pytest.approx(65, abs=0.5)


def test_rows_that_lack_a_cell_are_listed_not_averaged(tmp_path: Path) -> None:
    scores = {XNLI: {"none": 60, "mnli": 75, "squad": 64}, UDPOS: {"none": 60, "squad": 64}}
    found = objective_answer(finished(tmp_path, scores), AVERAGE)
    assert found.incomplete == {"mnli": ("udpos",)}
    assert found.chosen == "squad"
    assert {row.row for row in found.rows} == {"none", "squad"}


def test_only_one_gives_worst_target_and_regret(tmp_path: Path) -> None:
    results = two(tmp_path)
    found = only_one(results, answers_of(results))
    assert found.chosen == "mnli"
    assert found.winners == {"xnli": "mnli", "udpos": "squad"}
    rows = {row.row: row for row in found.rows}
    assert (rows["mnli"].worst_target, rows["mnli"].worst_gain) == ("tatoeba", pytest.approx(-30, abs=0.5))
    assert rows["mnli"].regret == pytest.approx({"xnli": 0, "udpos": 9}, abs=0.5)
    assert rows["squad"].mean_regret == pytest.approx(11 / 2, abs=0.5)
    assert rows["squad"].worst_regret == ("xnli", pytest.approx(11, abs=0.5))
    assert rows["squad"].gain_without_retrieval == pytest.approx(4, abs=0.5)


def made_side(stream: np.random.Generator, luck: np.ndarray, own: float, seeds: tuple[int | None, ...]) -> Side:
    scores = 60 + luck + stream.normal(0, own, len(luck))
    draws = scores[:, None, None] + stream.normal(0, 0.1, (1, 1, 300))
    return Side(
        intermediate_seeds=seeds,
        target_seeds=tuple(range(len(luck))),
        languages=("en",),
        scores=scores[:, None],
        draws=draws,
    )


def test_luck_that_targets_share_is_not_averaged_away() -> None:
    stream = np.random.default_rng(0)
    luck = np.array([-4.0, -2.0, 0.0, 2.0, 4.0])
    seeds = tuple(range(5))
    shared = total_of({str(n): made_side(stream, luck, 0.1, seeds) for n in range(4)})
    own = total_of({str(n): made_side(stream, np.roll(luck, n), 0.1, (None,) * 5) for n in range(4)})
    assert shared.shared and not own.shared
    assert shared.seeds[0].value == pytest.approx(luck.var(ddof=1) / 5, rel=0.3)
    assert sum(term.value for term in own.seeds) < shared.seeds[0].value / 2


def test_intervals_of_totals_cover_the_truth() -> None:
    stream = np.random.default_rng(1)
    covered = 0
    for _ in range(300):
        luck = stream.normal(0, 2, 3)
        row = total_of({str(n): made_side(stream, luck, 1.0, (0, 1, 2)) for n in range(3)})
        base = total_of({str(n): made_side(stream, np.zeros(3), 1.0, (None,) * 3) for n in range(3)})
        interval = total_interval(row, base)
        covered += interval.low <= 0 <= interval.high
    assert 0.92 <= covered / 300 <= 0.99


def test_a_total_of_one_target_is_its_cell() -> None:
    stream = np.random.default_rng(2)
    row = made_side(stream, stream.normal(0, 2, 3), 1.0, (0, 1, 2))
    base = made_side(stream, np.zeros(3), 1.0, (None,) * 3)
    one, other = total_interval(total_of({"x": row}), total_of({"x": base})), gain_interval(row, base)
    assert (one.low, one.high, one.p_value) == pytest.approx((other.low, other.high, other.p_value))
