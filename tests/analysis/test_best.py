import json
from dataclasses import replace
from pathlib import Path

import pytest

from stilts.analysis.best import Answer, best
from stilts.report.phrases import headline
from stilts.study.record import Replicate, Row, StudyRecord
from tests.analysis.fake_store import FakeStore, column, evaluate, record, replicate

XNLI, TATOEBA = column("xnli"), column("tatoeba", select=False)
ROWS = [Row(name=name) for name in ("none", "mnli", "squad")]
SEEDS = (1, 2, 3)


@pytest.fixture
def store(tmp_path: Path) -> FakeStore:
    return FakeStore(tmp_path)


def replicates(target=XNLI, seeds=SEEDS) -> dict[str, list[Replicate]]:
    return {
        row.name: [replicate(row.name, target, None if row.name == "none" else s, s) for s in seeds] for row in ROWS
    }


def fill(store: FakeStore, cells: dict[str, list[Replicate]], scores: dict[str, float], **given: object) -> StudyRecord:
    for name, items in cells.items():
        for number, item in enumerate(items):
            if name in scores:
                evaluate(store, item, scores[name] + number, **given)  # type: ignore[arg-type]
    return record(ROWS, [XNLI], [item for items in cells.values() for item in items])


def answer(study: StudyRecord, store: FakeStore) -> Answer:
    [only] = best(study, store, draws=200)  # type: ignore[arg-type]
    return only


def test_the_winner_with_its_doubt(store: FakeStore) -> None:
    found = answer(fill(store, replicates(), {"none": 60, "mnli": 75, "squad": 62}), store)
    assert found.chosen == found.row == "mnli"
    assert found.oracle is None
    assert found.score == pytest.approx(76, abs=0.5)
    assert found.gain is not None
    assert found.gain.estimate == pytest.approx(15, abs=0.5)
    assert found.gain.excludes_zero
    assert not found.gain.conditional
    assert found.equals == ("mnli",)
    assert found.p_best["mnli"] > 0.95
    assert {gain.row for gain in found.gains} == {"mnli", "squad"}
    assert found.near_chance == ()
    assert found.losing == ()
    assert "stands alone" in found.advice
    assert found.row_gain is not None
    assert found.row_gain.claimed


def test_the_choice_is_made_on_select_and_described_on_report(store: FakeStore) -> None:
    cells = replicates()
    for use, scores in {"select": (60, 80, 70), "report": (60, 65, 85)}.items():
        for items, score in zip(cells.values(), scores, strict=True):
            for item in items:
                evaluate(store, item, score, use=use)
    found = answer(record(ROWS, [XNLI], [item for items in cells.values() for item in items]), store)
    assert (found.chosen, found.score, found.select_score) == ("mnli", pytest.approx(65), pytest.approx(80))
    assert found.equals == ("squad",)


def test_without_a_selection_score_the_highest_is_an_oracle(store: FakeStore) -> None:
    cells = replicates(TATOEBA)
    for items, score in zip(cells.values(), (60, 65, 70), strict=True):
        for item in items:
            evaluate(store, item, score)
    study = record(ROWS, [TATOEBA], [item for items in cells.values() for item in items])
    found = answer(study, store)
    assert found.chosen is None
    assert found.oracle == found.row == "squad"
    assert found.reason == "tatoeba has no selection score under selection: english_dev"
    assert found.select_score is None


def test_single_replicates_are_conditional_and_say_so(store: FakeStore) -> None:
    found = answer(fill(store, replicates(seeds=(1,)), {"none": 60, "mnli": 75, "squad": 62}), store)
    assert found.gain is not None
    assert found.gain.conditional
    assert found.conditional
    assert "mnli has one replicate: its figures are of the model that was trained" in found.notes


def test_none_may_win(store: FakeStore) -> None:
    found = answer(fill(store, replicates(), {"none": 75, "mnli": 60, "squad": 62}), store)
    assert found.chosen == "none"
    assert found.gain is None
    assert found.languages == ()
    assert all(gain.interval.high < 0 for gain in found.gains)


def test_languages_that_lose_are_listed_worst_first(store: FakeStore) -> None:
    cells = replicates()
    for item in cells["none"]:
        evaluate(store, item, 60)
    for item in cells["mnli"]:
        evaluate(store, item, 80, languages={"sw": 35, "zh": 45})
    study = record(ROWS, [XNLI], [item for items in cells.values() for item in items])
    assert [item.language for item in answer(study, store).losing] == ["sw", "zh"]


def test_scores_near_chance_are_flagged(store: FakeStore) -> None:
    assert answer(fill(store, replicates(), {"none": 34, "mnli": 35, "squad": 33}), store).near_chance == (
        "mnli",
        "none",
    )


def test_what_is_not_done_is_noted(store: FakeStore) -> None:
    found = answer(fill(store, replicates(), {"mnli": 70}), store)
    assert found.chosen == "mnli"
    assert found.gains == ()
    assert 'gains are unknown until "none" is done' in found.notes
    assert any("squad missing (0 of 3 replicates done)" in note for note in found.notes)


def test_an_empty_store_gives_an_answer_that_says_so(store: FakeStore) -> None:
    found = answer(fill(store, replicates(), {}), store)
    assert found.row is None
    assert found.advice == "nothing is done yet"
    assert found.reason == "no row is scored on both select and report yet"


def test_a_searched_winner_is_reported_by_fresh_seeds_and_says_of_how_many_it_was_chosen(store: FakeStore) -> None:
    rows = [Row(name="none"), Row(name="mix", searched=True, num_proposals=6, confirmed={"xnli": 1})]
    items = [replicate("none", XNLI, None, 1), *(replicate("mix", XNLI, 1, 1, number) for number in range(2))]
    items.append(replicate("mix", XNLI, 1000, 1000, 1, confirms=True))
    for item, score in zip(items, (60, 70, 72, 68), strict=True):
        evaluate(store, item, score)
    found = answer(record(rows, [XNLI], items, overlaps=(("mix", "xnli", "MNLI is XNLI's"),)), store)
    assert (found.chosen, found.score, found.select_score) == ("mix", pytest.approx(68), pytest.approx(68))
    assert found.recipes == (6, 1)
    assert "chosen from 6 recipes, none from 1" in "".join(text for text, _ in headline(found))
    assert "overlap: MNLI is XNLI's" in found.notes


def test_what_a_search_found_is_never_advised_before_it_is_confirmed(store: FakeStore) -> None:
    rows = [Row(name="none"), Row(name="mix", searched=True, num_proposals=2)]
    items = [*(replicate("none", XNLI, None, seed) for seed in range(2)), replicate("mix", XNLI, 1, 1, 0)]
    for item, score in zip(items, (60, 61, 90), strict=True):
        evaluate(store, item, score)
    found = answer(record(rows, [XNLI], items), store)
    assert found.chosen == "none" and found.equals == ("none",) and found.gains == ()
    assert [(one.row, one.state) for one in found.open_cells] == [("mix", "unconfirmed")]


def test_one_seed_in_every_cell_claims_nothing_and_drops_no_row(store: FakeStore) -> None:
    items = {"none": [replicate("none", XNLI, None, 0)], **{n: [replicate(n, XNLI, 0, 0)] for n in ("mnli", "squad")}}
    found = answer(fill(store, items, {"none": 50, "mnli": 90, "squad": 10}), store)
    assert found.chosen == "mnli" and found.conditional and not found.helps
    assert found.equals == ("mnli", "none", "squad") and found.p_best == {}
    assert not any(gain.claimed for gain in found.gains) and found.negative == () and found.losing == ()
    said = "".join(text for text, _ in headline(found))
    assert "one seed each, which claims nothing" in said and "train on" not in said
    assert found.settling.seeds == {"mnli": 1, "none": 1} and "a second seed of mnli and none" in found.advice


def test_two_seeds_of_the_rows_that_matter_are_enough_to_claim(store: FakeStore) -> None:
    items = {
        "none": [replicate("none", XNLI, None, seed) for seed in range(3)],
        "mnli": [replicate("mnli", XNLI, seed, seed) for seed in range(3)],
        "squad": [replicate("squad", XNLI, 0, 0)],
    }
    found = answer(fill(store, items, {"none": 50, "mnli": 90, "squad": 10}), store)
    assert found.helps and found.chosen == "mnli" and found.equals == ("mnli",)


def test_answers_are_json(store: FakeStore) -> None:
    found = answer(fill(store, replicates(), {"none": 60, "mnli": 75, "squad": 62}), store).to_json()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["row"] == "mnli"


def test_the_cheapest_of_the_equals_costs_least_to_train(store: FakeStore) -> None:
    cells = replicates()
    study = fill(store, cells, {"none": 60, "mnli": 75, "squad": 75})
    for row, seconds in (("mnli", 7200.0), ("squad", 3600.0)):
        for item in cells[row]:
            store.train(str(item.intermediate_stage), seconds=seconds)
    for items in cells.values():
        for item in items:
            store.train(str(item.target_stage), seconds=1800.0)
    found = answer(study, store)
    assert set(found.equals) == {"mnli", "squad"}
    assert found.cheapest == "squad"
    assert found.costs == pytest.approx({"none": 0.5, "mnli": 2.5, "squad": 1.5})
    assert found.cost_unit == "CPU-h"


def test_a_masked_lm_column_has_no_answer(store: FakeStore) -> None:
    cells = replicates()
    study = fill(store, cells, {"none": 60, "mnli": 75, "squad": 62})
    assert best(replace(study, columns=(replace(XNLI, kind="masked_lm"),)), store, draws=50) == []  # type: ignore[arg-type]


def test_gains_are_claimed_over_the_whole_matrix(store: FakeStore) -> None:
    targets = [column(f"target{number}") for number in range(6)]
    items = []
    for number, target in enumerate(targets):
        for name, lead in (("none", 0.0), ("mnli", 4.2 if number == 0 else 0.0), ("squad", 0.0)):
            for seed in SEEDS:
                item = replicate(name, target, None if name == "none" else seed, seed)
                evaluate(store, item, 60 + lead + 1.5 * (seed - 2))
                items.append(item)
    study = record(ROWS, targets, items)
    alone = best(replace(study, columns=study.columns[:1]), store, draws=200)[0]  # type: ignore[arg-type]
    among = best(study, store, draws=200)[0]  # type: ignore[arg-type]
    assert among.gains[0].interval.estimate == pytest.approx(alone.gains[0].interval.estimate)
    assert among.gains[0].p_adjusted > alone.gains[0].p_adjusted


def test_rows_clearly_below_none_are_named(store: FakeStore) -> None:
    found = answer(fill(store, replicates(), {"none": 75, "mnli": 50, "squad": 75}), store)
    assert [gain.row for gain in found.negative] == ["mnli"]


def test_a_single_seed_is_not_surer_than_three(tmp_path: Path) -> None:
    """A row with one replicate is lent the column's seed variance before a loss is claimed of it."""
    store, target = FakeStore(tmp_path), column("udpos")
    scores = {"none": (70, 69.7, 70.3), "three": (66, 54, 78), "one": (62,)}
    items = [
        replicate(row, target, None if row == "none" else seed, seed)
        for row, found in scores.items()
        for seed in range(len(found))
    ]
    for item in items:
        evaluate(store, item, scores[item.row][item.target_seed or 0], num_items=2000)
    rows = [Row(name=name) for name in scores]
    [answer] = best(record(rows, [target], items), store, draws=200)  # type: ignore[arg-type]
    single = next(gain for gain in answer.gains if gain.row == "one")
    assert single.interval.conditional and single.interval.excludes_zero
    assert not single.claimed
    assert answer.negative == ()
