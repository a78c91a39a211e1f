"""Agreement of select and report: what is believed by chance, what is found, and what searched rows cost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stilts.analysis.agreement import Agreement, agreement_of, agreements
from stilts.analysis.results import StudyResults
from stilts.analysis.search_cost import search_costs
from stilts.report.search_words import agreement_lines, cost_lines
from stilts.report.sections.material import Material
from stilts.report.sections.search import search_section
from stilts.study.record import Replicate, Row
from tests.analysis.fake_store import FakeStore, column, evaluate, record, replicate
from tests.analysis.studies import train

MIXTURE = {"mnli": 0.0, "squad": 0.0}
ROWS = (
    Row(name="none"),
    Row(name="mnli", mixture={"mnli": 1.0}),
    Row(name="squad", mixture={"squad": 1.0}),
    Row(name="searched", mixture=MIXTURE, searched=True, num_proposals=3, confirmed={"xnli": 1}),
    Row(
        name="merged", mixture=MIXTURE, searched=True, num_proposals=3, merges=("mnli", "squad"), confirmed={"xnli": 0}
    ),
)
SELECT = {("none", None): 40, ("mnli", None): 50, ("squad", None): 45}
SELECT |= {("searched", number): 52 + number * (2 - number) for number in range(3)}  # the second is highest
SELECT |= {("merged", number): 49 - number for number in range(3)}


def searched(folder: Path, *, sign: float = 1.0) -> StudyResults:
    """A study whose report follows select (or runs against it), with two fresh seeds of what was chosen."""
    store, target = FakeStore(folder), column("xnli")
    items: list[Replicate] = []
    for (row, proposal), select in SELECT.items():
        for seed in range(2) if proposal is None else (0,):
            items.append(replicate(row, target, None if row == "none" else seed, seed, proposal))
            evaluate(store, items[-1], 50 + sign * (select - 40) + seed, use="report")
            evaluate(store, items[-1], select + seed, use="select")
            train(store, items[-1])
    for row, chosen in (("searched", 1), ("merged", 0)):
        for seed in (1000, 1001):
            items.append(replicate(row, target, seed, seed, chosen, confirms=True))
            evaluate(store, items[-1], 50 + sign * 10 + seed - 1000, use="report")
            evaluate(store, items[-1], 10.0, use="select")
            train(store, items[-1])
    return StudyResults(record=record(ROWS, [target], items), store=store, draws=200)


def test_every_recipe_counts_once_and_fresh_seeds_do_not(tmp_path: Path) -> None:
    (found,) = agreements(searched(tmp_path))

    assert found.num_recipes == len(SELECT) and found.correlation == pytest.approx(1.0) and found.lost == 0
    assert found.verdict == "may be believed" and found.gained > 0
    assert agreement_lines([found]) == [
        f"Selection scores: may be believed on xnli +1.00 ({len(SELECT)} recipes), by rank correlation with report."
    ]


def test_select_that_runs_against_report_misleads(tmp_path: Path) -> None:
    (found,) = agreements(searched(tmp_path, sign=-1.0))

    assert found.verdict == "misleads" and found.lost == pytest.approx(13.5) and found.gained < 0


def test_what_cannot_be_ranked_has_no_agreement() -> None:
    assert agreement_of([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]) is None
    assert agreement_of([1.0, 1.0, 1.0, 1.0], [1.0, 2.0, 3.0, 4.0]) is None
    four = agreement_of([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0])
    assert four is not None and four[0] == 1.0 and four[1] < 0, "one order of 24"


@pytest.mark.parametrize("count", [6, 10, 30])
def test_by_chance_select_is_believed_or_distrusted_in_one_of_twenty(count: int) -> None:
    stream = np.random.default_rng(0)
    called = 0
    for _ in range(1000):
        found = agreement_of(list(stream.normal(size=count)), list(stream.normal(size=count)))
        assert found is not None
        called += found[1] > 0 or found[2] < 0

    assert called <= 70


def test_intervals_hold_the_correlation_that_is_there() -> None:
    stream = np.random.default_rng(1)
    true, held = 0.7, 0
    spearman = 6 / np.pi * np.arcsin(true / 2)
    for _ in range(500):
        one = stream.normal(size=25)
        other = true * one + np.sqrt(1 - true**2) * stream.normal(size=25)
        found = agreement_of(list(one), list(other))
        assert found is not None
        held += found[1] <= spearman <= found[2]

    assert 0.92 <= held / 500 <= 0.98


def test_a_row_costs_its_own_stages_and_a_merge_shares_its_recipes(tmp_path: Path) -> None:
    results = searched(tmp_path)
    costs = {one.row: one for one in search_costs(results)}

    assert list(costs) == ["searched", "merged"]
    mixed = costs["searched"]
    # Three proposals of an hour, half an hour for the target each; two more replicates confirm.
    assert mixed.search_s == pytest.approx(3 * 5400, rel=0.01) and mixed.confirm_s == pytest.approx(2 * 5400, rel=0.01)
    assert mixed.shared_s == 0 and mixed.gain is not None and mixed.gain.estimate == pytest.approx(10.0)
    said = " ".join(cost_lines(list(costs.values()), results.record))
    assert "searched: +10" in said and "merged cost 100% of searched with as many proposals" in said


def test_the_section_says_what_a_search_gained_cost_and_may_believe(tmp_path: Path) -> None:
    section = search_section(Material(results=searched(tmp_path)))

    assert section is not None
    page = "".join((*section.body, *section.after))
    assert "may be believed" in page and "What searched and merged rows cost" in page
    assert len(section.tables["search_costs"]) == 2 and len(section.tables["selection_agreement"]) == 1


def test_a_study_without_a_search_has_no_such_section(tmp_path: Path) -> None:
    store, target = FakeStore(tmp_path), column("xnli")
    item = replicate("none", target, None, 0)
    evaluate(store, item, 50.0)
    results = StudyResults(record=record(ROWS[:1], [target], [item]), store=store, draws=200)

    assert search_section(Material(results=results)) is None


def test_a_verdict_is_one_of_three() -> None:
    def one(low: float, high: float) -> str:
        return Agreement(
            target="t", languages=("en",), num_recipes=9, correlation=0.1, low=low, high=high, lost=0, gained=0
        ).verdict

    assert [one(0.1, 0.5), one(-0.5, -0.1), one(-0.2, 0.5)] == [
        "may be believed",
        "misleads",
        "not shown to say anything",
    ]
