"""Stressed cells of studies with known scores: drops, what an intermediate spares, and attacks."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stilts.analysis.claims import Standing, claims_of
from stilts.analysis.results import StudyResults
from stilts.analysis.robustness import stress_cells, stress_table
from stilts.report.sections.material import Material
from stilts.report.sections.robustness import robustness_section, said_of
from stilts.seeds import derive_seed
from stilts.study.record import Replicate, Row
from tests.analysis.fake_store import FakeStore, column, evaluate, record, replicate

XNLI = column("xnli", languages=("en", "de"))
LABEL = "keyboard 0.3"


def stressed(store: FakeStore, item: Replicate, label: str, score: float, **parts: float) -> Replicate:
    """The replicate with stressed scores on the first 200 of its 300 examples."""
    stage = item.evaluate_stage.replace("evaluate-", "evaluate-stressed-")
    keys = {code: f"{stage}/report.{code}-{label.replace(' ', '')}" for code in XNLI.languages}
    for code, key in keys.items():
        correct = np.zeros(200)
        order = np.random.default_rng(0).random(200) + np.random.default_rng(derive_seed(key)).random(200)
        correct[np.argsort(order)[: round(2 * score)]] = 1
        values, items = {"correct": correct, "total": np.ones(200)}, [f"q{i}" for i in range(200)]
        store.add(key, values, items, metric="accuracy", language=code, use="report", chance=33.3)
        store.results[key]["parts"] |= parts  # type: ignore[operator]
    return replace(item, stressed={**item.stressed, label: keys})


def study(folder: Path, drops: dict[str, float], **parts: float) -> StudyResults:
    store = FakeStore(folder)
    items = []
    for row, drop in drops.items():
        for seed in (1, 2, 3):
            item = replicate(row, XNLI, None if row == "none" else seed, seed)
            evaluate(store, item, 70.0 + seed)
            items.append(stressed(store, item, LABEL, 70.0 + seed - drop, **parts))
    made = record([Row(name=row) for row in drops], [XNLI], items)
    made = replace(made, stages={**made.stages, **{s: _stage(one) for one in items for s in one.scoring_stages[1:]}})
    return StudyResults(record=made, store=store, draws=300)  # type: ignore[arg-type]


def _stage(item: Replicate) -> dict[str, object]:
    keys = [key for by_language in item.stressed.values() for key in by_language.values()]
    return {"kind": "evaluate", "name": item.column, "parent": item.target_stage, "outputs": keys}


def test_a_drop_is_of_the_same_examples_and_an_intermediate_spares_some_of_it(tmp_path: Path) -> None:
    results = study(tmp_path, {"none": 30.0, "mnli": 10.0, "qqp": 30.0})
    none, mnli, qqp = stress_cells(results)
    assert [cell.row for cell in (none, mnli, qqp)] == ["none", "mnli", "qqp"]
    assert none.stressed == pytest.approx(42.0) and none.replicates == 3 and none.spared is None
    # The clean score is that of the 200 stressed examples, not of all 300.
    assert none.drop.estimate == pytest.approx(none.clean - none.stressed) and abs(none.clean - 72.0) < 8
    assert none.drop.excludes_zero and none.drop.low > 15
    assert mnli.spared is not None and mnli.spared.low > 0 and abs(mnli.spared.estimate - 20) < 6
    assert qqp.spared is not None and not qqp.spared.excludes_zero
    assert set(none.by_language) == {"en", "de"}
    table = stress_table(results)
    assert len(table) == 6 and table["attack_success"].isna().all()
    said = said_of([none, mnli, qqp])
    assert "keyboard 0.3 costs most" in said[0] and any("after mnli is smaller" in line for line in said)
    assert not any("after qqp" in line for line in said)


def test_the_report_has_a_section_only_where_a_study_asks(tmp_path: Path) -> None:
    results = study(tmp_path, {"none": 20.0, "mnli": 20.0}, attack_success=40.0, queries=12.5)
    section = robustness_section(Material(results=results))
    assert section is not None and "no intermediate changes a drop beyond doubt" in section.body[0]
    assert "40.0" in "".join(section.after) and "12.5" in "".join(section.after)
    assert set(section.tables) == {"robustness"}
    plain = replace(results.record, replicates=tuple(replace(one, stressed={}) for one in results.record.replicates))
    assert robustness_section(Material(results=replace(results, record=plain))) is None


def test_what_is_not_all_there_is_no_cell(tmp_path: Path) -> None:
    results = study(tmp_path, {"none": 20.0, "mnli": 20.0})
    store = results.store
    assert isinstance(store, FakeStore)
    gone = next(key for key in store.results if "stressed-mnli" in key)
    del store.results[gone]
    fresh = StudyResults(record=results.record, store=results.store, draws=300)
    assert {cell.row: cell.replicates for cell in stress_cells(fresh)} == {"none": 3, "mnli": 2}
    assert set(fresh.cells["state"]) == {"done"}, "the matrix does not wait for it"


def test_claims_about_drops_are_decided(tmp_path: Path) -> None:
    results = study(tmp_path, {"none": 30.0, "mnli": 10.0})
    claims = [
        {"name": "falls", "drop": {"row": "none", "under": "keyboard"}, "above": 0},
        {"name": "spares", "drop": {"row": "mnli", "over": "none", "under": LABEL}, "below": 0},
        {"name": "costs", "drop": {"row": "mnli", "over": "none", "under": LABEL, "languages": ["de"]}, "above": 0},
        {"name": "elsewhere", "drop": {"row": "none", "under": "casing 0.3"}, "above": 0},
        {"name": "nobody", "drop": {"row": "squad", "under": LABEL, "targets": ["xnli"]}, "above": 0},
    ]
    made = replace(results.record, settings={"claims": claims})
    found = {one.name: one for one in claims_of(StudyResults(record=made, store=results.store, draws=300))}

    none, mnli = stress_cells(results)[:2]
    assert found["falls"].effect == pytest.approx(none.drop.estimate)
    assert found["spares"].effect == pytest.approx(mnli.drop.estimate - none.drop.estimate)
    assert [found[name].standing for name in ("falls", "spares", "costs")] == [
        Standing.SUPPORTED,
        Standing.SUPPORTED,
        Standing.NOT_SUPPORTED,
    ]
    assert found["falls"].num_languages == 2 and found["costs"].num_languages == 1
    assert found["elsewhere"].reason == "nothing is scored under casing 0.3"
    assert found["nobody"].reason == "squad is not done under keyboard 0.3 on xnli"
