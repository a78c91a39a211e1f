from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from stilts.analysis.best import Answer, best
from stilts.analysis.glance import Glance, Verdict, glance_of, study_line, verdict_of
from stilts.report.phrases import headline
from stilts.study.record import NONE_ROW, Column, Row
from tests.analysis.fake_store import FakeStore, column, evaluate, record, replicate

XNLI, TATOEBA = column("xnli"), column("tatoeba", select=False)


@pytest.fixture
def store(tmp_path: Path) -> FakeStore:
    return FakeStore(tmp_path)


def answer(store: FakeStore, scores: dict[str, Sequence[float]], target: Column = XNLI) -> Answer:
    """The answer of a study with these rows, a score per seed."""
    items = []
    for row, given in scores.items():
        for seed, score in enumerate(given):
            items.append(replicate(row, target, None if row == NONE_ROW else seed, seed))
            evaluate(store, items[-1], score)
    [only] = best(record([Row(name=row) for row in scores], [target], items), store, draws=200)  # type: ignore[arg-type]
    return only


def said(found: Answer) -> str:
    return "".join(text for text, _ in headline(found))


def test_a_row_that_is_shown_to_help_is_advised(store: FakeStore) -> None:
    found = answer(store, {"none": (60, 61, 62), "mnli": (80, 81, 82), "squad": (62, 63, 64)})
    glance = glance_of(found)
    assert glance.verdict is Verdict.HELPS and glance.verdict.is_advice and glance.train_on == "mnli"
    assert glance.line.startswith("xnli: train on mnli first (mnli +20")
    assert glance.gain is not None and f"{glance.gain.low:+.1f} to {glance.gain.high:+.1f}" in glance.line


def test_the_doubt_comes_before_the_gain(store: FakeStore) -> None:
    glance = glance_of(answer(store, {"none": (60, 70, 65), "mnli": (62, 71, 66)}))
    assert glance.verdict is Verdict.NOT_SHOWN and not glance.verdict.is_advice
    assert glance.train_on == "no advice (mnli picked)"
    assert glance.line.startswith("xnli: none shown to help (mnli +")


def test_one_seed_says_nothing_yet(store: FakeStore) -> None:
    glance = glance_of(answer(store, {"none": (50,), "mnli": (90,)}))
    assert glance.verdict is Verdict.ONE_SEED
    assert glance.line.startswith("xnli: one seed each, says nothing yet (mnli +40")


def test_no_intermediate_is_an_answer_too(store: FakeStore) -> None:
    glance = glance_of(answer(store, {"none": (80, 81), "mnli": (70, 71)}))
    assert (glance.verdict, glance.train_on) == (Verdict.NONE_BEST, "no intermediate")
    assert glance.line == "xnli: train on no intermediate"


def test_where_none_is_picked_and_others_may_be_better_that_is_said(store: FakeStore) -> None:
    found = answer(store, {"none": (80, 90), "mnli": (79, 89)})
    glance = glance_of(found)
    assert (glance.verdict, glance.train_on) == (Verdict.NONE_PICKED, "no intermediate")
    assert glance.line == "xnli: no intermediate shown to be better"
    assert "no intermediate is shown to be better than none" in said(found)


def test_a_tie_on_select_is_told(store: FakeStore) -> None:
    found = answer(store, {"none": (80, 90), "mnli": (80, 90), "squad": (70, 80)})
    assert found.chosen == "none"
    assert found.reason.startswith("none, mnli have the same highest selection score (85.0), so select cannot tell")


def test_what_is_near_guessing_is_not_advised_in_any_words(store: FakeStore) -> None:
    found = answer(store, {"none": (20, 20.1, 20.2), "mnli": (33, 33.1, 33.2)})
    assert "mnli" in found.near_chance
    assert verdict_of(found) is Verdict.NEAR_CHANCE
    assert "train on" not in said(found) and "near guessing" in said(found)


def test_without_selection_scores_nothing_is_advised(store: FakeStore) -> None:
    glance = glance_of(answer(store, {"none": (60, 61), "mnli": (80, 81)}, TATOEBA))
    assert (glance.verdict, glance.train_on) == (Verdict.NO_CHOICE, "no advice (mnli is highest)")


def test_a_study_in_one_line_has_what_says_something_first_and_counts_what_it_leaves_out(store: FakeStore) -> None:
    helps = answer(store, {"none": (60, 61, 62), "mnli": (80, 81, 82)})
    open_one = answer(store, {"none": (50,), "squad": (90,)}, column("panx"))
    whole = study_line([open_one, helps])
    assert whole.index("xnli: train on mnli") < whole.index("panx: one seed each")
    assert study_line([open_one, helps], at_most=40).endswith("; and 1 more")
    assert study_line([]) == "no target yet"


def test_every_verdict_is_said_in_the_headline_as_at_a_glance(store: FakeStore) -> None:
    found = answer(store, {"none": (60, 61, 62), "mnli": (80, 81, 82)})
    assert said(found).startswith("xnli: train on mnli first") and isinstance(glance_of(found), Glance)


def test_what_takes_from_an_answer_stands_beside_its_verdict(store: FakeStore) -> None:
    found = answer(store, {"none": (60, 61, 62), "mnli": (80, 81, 82), "squad": (62, 63, 64)})
    assert glance_of(found).sure == "shown to help"
    beaten = replace(found, equals=("squad", "none"), p_best={"none": 0.3, "squad": 0.7})
    assert glance_of(beaten).sure == "shown to help, yet squad scores higher"
    assert glance_of(replace(found, overlap="same data")).sure == "shown to help; shares data with the target"


def test_seeds_are_not_said_to_settle_what_they_cannot(store: FakeStore) -> None:
    guessing = answer(store, {"none": (20, 20.1, 20.2), "mnli": (33, 33.1, 33.2)})
    assert guessing.advice not in glance_of(guessing).surer and "a model that learns" in glance_of(guessing).surer
    unchosen = answer(store, {"none": (60, 61), "mnli": (80, 81)}, TATOEBA)
    assert glance_of(unchosen).surer == f"data to choose by; {unchosen.advice}"


def test_every_verdict_has_a_meaning_of_its_own() -> None:
    assert len({verdict.meaning for verdict in Verdict}) == len(Verdict)
