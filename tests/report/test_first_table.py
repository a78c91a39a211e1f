"""The first table of the page, the words below it, and that no two sentences of an answer contradict each other."""

from dataclasses import replace
from pathlib import Path

import pytest

from stilts.analysis.best import Answer
from stilts.analysis.glance import SHARES_DATA, Verdict, glance_of
from stilts.report import phrases
from stilts.report.sections.first_table import first_table, how_to_read
from tests.report.studies import Shown, searched, shown
from tests.report.test_page import outline_of


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    return shown(tmp_path_factory.mktemp("store"))


def of(study: Shown, target: str, **changes: object) -> Answer:
    [answer] = [answer for answer in study.answers if answer.target == target]
    return replace(answer, **changes)  # type: ignore[arg-type]


def guessing(study: Shown) -> Answer:
    """An answer near guessing in which rows and languages would be said to lose."""
    answer = of(study, "panx", chosen="hellaswag", near_chance=("hellaswag", "none"))
    worse = replace(answer.languages[0], gain=-9.0, p_adjusted=0.001)
    below = tuple(replace(g, interval=replace(g.interval, estimate=-9.0), p_adjusted=0.001) for g in answer.gains)
    return replace(answer, languages=(worse,), gains=below)


def test_each_target_has_a_line_with_its_doubt(study: Shown) -> None:
    outline = outline_of(table := first_table(study.answers))
    assert outline.open == [] and outline.seen.count("tr") == 1 + len(study.answers)
    assert outline.seen.count("td") == 6 * len(study.answers)
    labels = [value for name, value in outline.attributes if name == "data-of"]
    assert labels[:6] == [
        "train on first",
        "score",
        "gain over none",
        "how sure",
        "what it costs",
        "what would settle it",
    ]
    for answer in study.answers:
        glance = glance_of(answer)
        assert glance.train_on in outline.text and glance.sure in outline.text and glance.surer in outline.text
    assert "<b>" not in table


def test_only_what_is_advised_is_not_pale(study: Shown) -> None:
    sure, unsure = first_table([of(study, "panx")]), first_table([of(study, "xnli")])
    assert 'class="strong"><span>hellaswag' in sure and "pale" not in sure
    assert 'class="pale"><span>no advice' in unsure and 'class="pale"><span>+6.0' in unsure


def test_an_end_beside_zero_says_on_which_side_it_lies(study: Shown) -> None:
    answer = of(study, "panx")
    assert answer.gain is not None
    close = replace(answer, gain=replace(answer.gain, low=0.03))
    assert "+0.03 to " in first_table([close])


def test_every_word_of_the_table_is_explained_and_no_other(study: Shown) -> None:
    told = outline_of(how_to_read(study.answers, study.record)).text
    there = {glance_of(answer).verdict for answer in study.answers}
    assert len(there) == 3
    for verdict in Verdict:
        assert (verdict.meaning in told) == (verdict in there)
    assert "one model" in told and "95 of 100 such intervals" in told
    assert SHARES_DATA not in told and "unconfirmed" not in told


def test_overlap_and_confirmation_are_explained_where_they_occur(study: Shown, tmp_path: Path) -> None:
    shared = of(study, "panx", overlap="same data")
    assert f"shown to help; {SHARES_DATA}" in first_table([shared])
    assert SHARES_DATA in how_to_read([shared], study.record)
    made = searched(tmp_path)
    assert "unconfirmed" in how_to_read(made.answers, made.record)


def test_near_guessing_nothing_is_said_to_lose_or_to_be_settled_by_seeds(study: Shown) -> None:
    answer = guessing(study)
    assert answer.losing and answer.negative
    told = dict(phrases.facts(answer))
    assert "read nothing into the differences" in told["near chance"]
    assert "languages that lose" not in told and "clearly below none" not in told
    assert "more seeds will not help" in told["to be surer"] == glance_of(answer).surer
    assert phrases.losing(answer) == ""


def test_a_row_far_above_a_guessing_none_may_be_read(study: Shown) -> None:
    answer = of(study, "panx", near_chance=("none",))
    assert glance_of(answer).verdict is Verdict.HELPS
    assert "read nothing" not in phrases.near_chance(answer)
    assert "the gain of hellaswag is over little more than guessing" in phrases.near_chance(answer)


def test_a_study_without_gains_explains_none(study: Shown) -> None:
    bare = [replace(answer, gain=None) for answer in study.answers]
    told = how_to_read(bare, study.record)
    assert "interval" not in outline_of(told).text.replace(Verdict.PROBABLY.meaning, "")
