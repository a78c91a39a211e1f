"""A study with merges, from its file to its matrix: recipes are trained once, proposals pay for their targets only."""

from __future__ import annotations

from pathlib import Path

from stilts.app.running import RunOptions, run
from stilts.ledger.study_record import load_study
from stilts.store import open_store
from tests.e2e.studies import tiny_study

ROWS = {
    "none": None,
    "mnli": None,
    "squad": None,
    "average": {"merge": {"mnli": 0.5, "squad": 0.5}},
    "found": {"search": {"merge": ["mnli", "squad"], "proposals": 3, "sampler": "random", "confirm": False}},
}


def test_a_study_with_merges_is_filled_and_trains_each_recipe_once(tmp_path: Path) -> None:
    study = tiny_study(tmp_path, intermediates=ROWS, targets={"udpos": {"languages": ["en", "qaa"]}})
    options = RunOptions(store=str(tmp_path / "store"), tracking="none", local=True)

    report = run(study, options)

    assert not report.failed
    store = open_store(str(tmp_path / "store"))
    record = load_study(store, "little")
    merges = [stage for stage, facts in record.stages.items() if "merged" in facts]
    assert 3 <= len(merges) <= 4, "three proposals and an average, which one of them may be"
    assert store.done() >= {key for one in record.replicates for by in one.outputs.values() for key in by.values()}
    assert report.executed == len(record.stages), "no recipe was trained twice"
    recipes = {one.intermediate_stage for one in record.replicates if one.row in ("mnli", "squad")}
    assert store.gone_keys() >= recipes, "they go once nothing may be merged any more"
    assert run(study, options).executed == 0
