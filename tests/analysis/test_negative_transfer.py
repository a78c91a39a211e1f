"""The checks of a cell below ``none``, each with a study in which its cause is there and one in which it is not."""

from dataclasses import replace
from pathlib import Path

import pytest

from stilts.analysis.negative_transfer import NegativeCell, checks_of, negative_cells
from stilts.analysis.results import StudyResults
from stilts.analysis.suspects import CauseVerdict, Check, Suspects
from stilts.fingerprint import Json
from stilts.study.record import Row
from tests.analysis.fake_store import FakeStore, column, evaluate, record, replicate
from tests.analysis.studies import finished, train

XNLI = column("xnli")
TATOEBA = replace(column("tatoeba", select=False), group="retrieval")


def check(results: StudyResults, row: str, cause: str, target: str = "xnli") -> Check:
    cell = checks_of(Suspects(results=results), row, target)
    assert cell is not None
    [found] = [item for item in cell.checks if item.cause == cause]
    return found


def scored(folder: Path, replicates: dict[str, list[float]], *, labels: dict[str, str] | None = None) -> StudyResults:
    """One target; each row's replicates score as listed, and answer always the row's label where one is given."""
    store = FakeStore(folder)
    items = []
    for name, scores in replicates.items():
        for seed, score in enumerate(scores):
            item = replicate(name, XNLI, None if name == "none" else seed, seed)
            evaluate(store, item, score, label=(labels or {}).get(name))
            train(store, item)
            items.append(item)
    made = record([Row(name=name) for name in replicates], [XNLI], items)
    return StudyResults(record=made, store=store, draws=200)  # type: ignore[arg-type]


def test_a_clear_loss_comes_with_four_checks_in_order(tmp_path: Path) -> None:
    results = finished(tmp_path, {XNLI: {"none": 80, "mnli": 50, "squad": 80}})
    cells = list(negative_cells(results))
    assert [(cell.row, cell.column, cell.clear) for cell in cells] == [("mnli", "xnli", True)]
    causes = [item.cause for item in cells[0].checks]
    assert causes == ["seed of the head", "learning rate ratio", "forgetting", "label prior"]
    assert isinstance(cells[0].to_json()["checks"], list)
    assert list(negative_cells(results, at_most=0)) == []
    assert list(negative_cells(results, target="udpos")) == []


def test_gains_and_none_have_no_checks(tmp_path: Path) -> None:
    suspects = Suspects(results=finished(tmp_path, {XNLI: {"none": 60, "mnli": 70}}))
    assert checks_of(suspects, "mnli", "xnli") is None
    assert checks_of(suspects, "none", "xnli") is None


def test_a_loss_within_chance_is_not_clear(tmp_path: Path) -> None:
    cell: NegativeCell | None = checks_of(
        Suspects(results=scored(tmp_path, {"none": [60, 64, 68], "mnli": [59, 63, 67]})), "mnli", "xnli"
    )
    assert cell is not None
    assert not cell.clear


def test_one_unlucky_replicate_is_found(tmp_path: Path) -> None:
    unlucky = scored(tmp_path / "a", {"none": [70, 70, 71], "mnli": [70, 69, 40]})
    assert check(unlucky, "mnli", "seed of the head").verdict is CauseVerdict.POINTS
    even = scored(tmp_path / "b", {"none": [70, 70, 71], "mnli": [60, 61, 60]})
    assert check(even, "mnli", "seed of the head").verdict is CauseVerdict.AGAINST


def test_one_replicate_says_nothing_of_the_seed(tmp_path: Path) -> None:
    found = check(scored(tmp_path, {"none": [70], "mnli": [60]}), "mnli", "seed of the head")
    assert found.verdict is CauseVerdict.UNKNOWN
    assert "rows: [mnli], columns: [xnli]" in found.line


def recipes(folder: Path, gains: dict[float, float]) -> StudyResults:
    """Rows that differ in learning rate alone, each with its gain over a ``none`` of 70."""
    store = FakeStore(folder)
    rows = {"none": (1e-4, 0.0)} | {f"row{number}": pair for number, pair in enumerate(gains.items())}
    items = []
    for name, (rate, gain) in rows.items():
        item = replicate(name, XNLI, None if name == "none" else 1, 1)
        evaluate(store, item, 70 + gain)
        train(store, item, learning_rate=rate)
        items.append(item)
    made = record([Row(name=name) for name in rows], [XNLI], items)
    return StudyResults(record=made, store=store, draws=200)  # type: ignore[arg-type]


def test_losses_that_grow_with_the_learning_rate_point_to_it(tmp_path: Path) -> None:
    rising = recipes(tmp_path / "a", {1e-5: -1, 3e-5: -3, 1e-4: -8, 3e-4: -12, 1e-3: -20})
    found = check(rising, "row4", "learning rate ratio")
    assert found.verdict is CauseVerdict.POINTS
    assert found.figures["rank_correlation"] == pytest.approx(-1)
    assert found.figures["ratio"] == pytest.approx(10)
    assert check(rising, "row0", "learning rate ratio").verdict is CauseVerdict.AGAINST  # the smallest of them
    flat = recipes(tmp_path / "b", {1e-5: -8, 3e-5: -3, 1e-4: -12, 3e-4: -1, 1e-3: -9})
    assert check(flat, "row4", "learning rate ratio").verdict is CauseVerdict.AGAINST


def test_equal_learning_rates_tell_nothing(tmp_path: Path) -> None:
    found = check(scored(tmp_path, {"none": [70], "a": [60], "b": [61], "c": [62]}), "a", "learning rate ratio")
    assert found.verdict is CauseVerdict.UNKNOWN
    assert "a third of its learning rate" in found.line


def untrained(folder: Path, alignment: dict[str, float], target: dict[str, float]) -> StudyResults:
    """A target, and a retrieval column that fine-tunes nothing."""
    store = FakeStore(folder)
    items = []
    for name in target:
        item = replicate(name, XNLI, None if name == "none" else 1, 1)
        evaluate(store, item, target[name])
        train(store, item)
        aligned = replicate(name, TATOEBA, None if name == "none" else 1, None)
        aligned = replace(aligned, target_stage=None)
        evaluate(store, aligned, alignment[name])
        items += [item, aligned]
    made = record([Row(name=name) for name in target], [XNLI, TATOEBA], items)
    return StudyResults(record=made, store=store, draws=200)  # type: ignore[arg-type]


def test_lost_alignment_points_to_forgetting(tmp_path: Path) -> None:
    losses = {"none": 70.0, "mnli": 50.0, "squad": 55.0, "ccg": 60.0, "mix": 69.0}
    found = check(untrained(tmp_path / "a", losses, losses), "mnli", "forgetting")
    assert found.verdict is CauseVerdict.POINTS
    tatoeba: Json = found.figures["tatoeba"]
    assert isinstance(tatoeba, dict)
    assert tatoeba["change"] == pytest.approx(-20, abs=1)
    assert "masked_lm:" in found.line


def test_forgetting_that_costs_others_nothing_does_not_explain_a_loss(tmp_path: Path) -> None:
    target = {"none": 70.0, "mnli": 60.0, "squad": 75.0, "ccg": 74.0, "mix": 73.0}
    forgot = {"none": 70.0, "mnli": 55.0, "squad": 45.0, "ccg": 48.0, "mix": 50.0}
    assert check(untrained(tmp_path / "a", forgot, target), "mnli", "forgetting").verdict is CauseVerdict.AGAINST
    kept = dict.fromkeys(target, 70.0)
    assert check(untrained(tmp_path / "b", kept, target), "mnli", "forgetting").verdict is CauseVerdict.AGAINST


def test_without_a_watching_column_the_line_to_add_is_named(tmp_path: Path) -> None:
    found = check(scored(tmp_path, {"none": [70], "mnli": [60]}), "mnli", "forgetting")
    assert found.verdict is CauseVerdict.UNKNOWN
    assert '"tatoeba:"' in found.line
    assert '"masked_lm:"' in found.line


def test_masked_lm_losses_are_told_before_and_after(tmp_path: Path) -> None:
    results = untrained(tmp_path, {"none": 70.0, "mnli": 40.0}, {"none": 70.0, "mnli": 50.0})
    store = results.store
    for key, result in store.results.items():  # type: ignore[attr-defined]
        if "tatoeba" in key:
            result["parts"] = {"nll_nats": 3.0 if "mnli" in key else 2.0}
    columns = (XNLI, replace(TATOEBA, kind="masked_lm", group=""))
    probed = StudyResults(record=replace(results.record, columns=columns), store=store, draws=200)
    found = check(probed, "mnli", "forgetting")
    assert found.verdict is CauseVerdict.POINTS
    assert "masked-LM loss 2.00 to 3.00 nats" in found.line


def test_predictions_that_collapse_point_to_the_label_prior(tmp_path: Path) -> None:
    scores = {"none": [70.0, 71.0], "mnli": [50.0, 50.0]}
    found = check(scored(tmp_path / "a", scores, labels={"mnli": "no"}), "mnli", "label prior")
    assert found.verdict is CauseVerdict.POINTS
    assert "collapsed onto one label in en (no 100.0 %)" in found.line
    # The labels of these studies say right or wrong, so a loss of two points moves two in a hundred of them.
    even = scored(tmp_path / "b", {"none": [70.0, 71.0], "mnli": [68.0, 68.0]})
    found = check(even, "mnli", "label prior")
    assert found.verdict is CauseVerdict.AGAINST
    assert found.figures["mean_distance"] == pytest.approx(0.02, abs=0.005)
    assert found.figures["none_replicates_distance"] == pytest.approx(0.01, abs=0.005)


def test_answers_that_are_no_labels_have_no_prior(tmp_path: Path) -> None:
    results = scored(tmp_path, {"none": [70], "mnli": [60]})
    columns = (replace(XNLI, kind="span_qa"),)
    other = StudyResults(record=replace(results.record, columns=columns), store=results.store)
    assert check(other, "mnli", "label prior").verdict is CauseVerdict.UNKNOWN
