"""Everything that names a target's best model names the same one."""

from __future__ import annotations

from pathlib import Path

from stilts.analysis.best import answers_of
from stilts.analysis.champion import find_replicate, pinned_stages
from stilts.analysis.results import StudyResults
from stilts.app.champions import champions
from stilts.ledger.typed import to_fields
from stilts.study.record import Row
from tests.analysis.fake_store import FakeStore, column, evaluate, record, replicate
from tests.analysis.studies import train


def test_best_export_registry_and_gc_name_the_same_champions(tmp_path: Path) -> None:
    """In a study with a searched row that is confirmed on one target only, and a tie on another."""
    store = FakeStore(tmp_path)
    xnli, panx, udpos = column("xnli"), column("panx"), column("udpos")
    fixed = [replicate(row, target, 0, 0) for row in ("none", "mnli") for target in (xnli, panx, udpos)]
    drawn = [replicate("mix", target, 0, 0, number) for number in (0, 1) for target in (xnli, panx)]
    fresh = [replicate("mix", xnli, 1000 + seed, 1000 + seed, 1, confirms=True) for seed in (0, 1)]
    scores = {("none", "xnli"): 60.0, ("mnli", "xnli"): 70.0, ("none", "panx"): 60.0, ("mnli", "panx"): 70.0}
    tied = 65.0  # on udpos
    select = [
        *((one, scores.get((one.row, one.column), tied)) for one in fixed),
        *zip(drawn, (75.0, 90.0, 76.0, 91.0), strict=True),
        *zip(fresh, (72.0, 74.0), strict=True),
    ]
    for one, score in select:
        train(store, one)
        evaluate(store, one, score, use="select")
        evaluate(store, one, 50.0, use="report")
    rows = [
        Row(name="none"),
        Row(name="mnli"),
        Row(name="mix", searched=True, num_proposals=2, confirmed={"xnli": 1, "panx": 1}),
    ]
    study = record(rows, [xnli, panx, udpos], [*fixed, *drawn, *fresh])
    store.notes["studies/study/record"] = to_fields(study)
    results = StudyResults(record=study, store=store, draws=20)  # type: ignore[arg-type]

    chosen = {answer.target: answer.chosen for answer in answers_of(results)}
    # The highest score on panx is a searched proposal's that nobody confirmed: it is no champion.
    assert chosen == {"xnli": "mix", "panx": "mnli", "udpos": "none"}
    exported = {target: find_replicate(results, target, None, None) for target in chosen}
    assert {target: one.row for target, one in exported.items()} == chosen
    assert exported["xnli"] == fresh[1]  # of the confirmed replicates that with the best selection score
    registered = {one.target: (one.intermediate, one.stage_id) for one in champions(results, store, {})}  # type: ignore[arg-type]
    assert registered == {target: (one.row, one.target_stage) for target, one in exported.items()}
    assert pinned_stages(store) == {one.target_stage for one in exported.values()}  # type: ignore[arg-type]
