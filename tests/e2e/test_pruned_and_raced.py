"""A pruned row and a raced row of one study, run to the end, and killed and run again: the same decisions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from stilts import run
from stilts.app.running import RunOptions
from stilts.fingerprint import Json
from stilts.ledger.decisions import decisions
from stilts.scheduling.events import Event, Happening, RunReport, StageEvent
from stilts.store.store import Store
from tests.e2e.studies import opened, scores, study_fields, tiny_study

pytestmark = pytest.mark.slow

# The lowest rates learn next to nothing, and the highest ruin a model, so that there is something to prune and to drop.
RATE = {"low": 1e-4, "high": 0.1, "log": True}
ROWS = {
    "none": None,
    "pruned": {"task": "mnli", "search": {"target_learning_rate": RATE, "proposals": 4, "sampler": "random"}},
    "raced": {
        "task": "mnli",
        "search": {
            "target_learning_rate": RATE,
            "proposals": 3,
            "sampler": "random",
            "seeds": 2,
            "racing": {"policy": "wilcoxon", "alpha": 0.2},
        },
    },
}
PRUNING = {"policy": "wilcoxon", "at_fracs": [0.5], "alpha": 0.2, "min_items": 20}


def study(folder: Path) -> Path:
    fields = study_fields()
    defaults = {
        **fields["defaults"],
        "intermediate": {"steps": 5, "learning_rate": 1e-3, "limit": 64},
        "target": {"steps": 20, "limit": 64, "evaluate_every": 10},
        "limits": {"select": 60, "report": 24},
    }
    targets = {"udpos": {"languages": ["en"]}}
    return tiny_study(folder, name="judged", defaults=defaults, intermediates=ROWS, targets=targets, pruning=PRUNING)


class Killed(BaseException):
    """As sudden as a signal: no handler of ours catches it."""


def finish(path: Path, store: Path, killed_after: int | None = None) -> RunReport:
    """Runs the study in this process; it dies when so many stages have ended."""
    ended = 0

    def on_event(event: Event) -> None:
        nonlocal ended
        if isinstance(event, StageEvent) and event.happening in (Happening.DONE, Happening.PRUNED):
            ended += 1
            if ended == killed_after:
                raise Killed

    options = RunOptions(store=str(store), local=True, tracking="none", threads=1, checkpoint_every_s=0.0)
    return run(str(path), options, on_event=on_event)


def decided(store: Store) -> list[tuple[str, str, str, str]]:
    """Every decision without its time."""
    return sorted((one.kind, one.about, one.decided, one.reason) for one in decisions(store, "judged"))


def rungs(store: Store) -> dict[str, Mapping[str, Json]]:
    values = {name: store.read_record(name) for name in store.records("studies/judged/rungs")}
    return {name: {**value, "time": 0} for name, value in values.items() if isinstance(value, dict)}


def test_a_pruned_and_a_raced_row_finish_and_a_killed_run_decides_the_same(tmp_path: Path) -> None:
    path = study(tmp_path / "study")
    report = finish(path, tmp_path / "whole")
    whole = opened(tmp_path / "whole")
    assert not report.failed and report.pruned
    kinds = [kind for kind, *_ in decided(whole)]
    assert kinds.count("proposal") == 7 and kinds.count("pruned") == len(report.pruned) and kinds.count("race") >= 2
    assert all(reason.endswith(".") for kind, _, _, reason in decided(whole) if kind in ("pruned", "race"))
    race = [whole.read_record(name) for name in whole.records("studies/judged/races/raced")]
    granted = [int(str(one["seeds"])) for one in race if isinstance(one, dict)]
    assert max(granted) == 2 and sum(granted) + 3 - len(granted) < 6, "the leader has both seeds, and not everyone has"
    assert whole.records("studies/judged/races/pruned") == []
    assert all(int(name.rsplit("/", 1)[1]) in (10, 20) for name in rungs(whole))

    store = tmp_path / "killed"
    for after in (5, 6, 7):
        with pytest.raises(Killed):
            finish(path, store, killed_after=after)
    assert not finish(path, store).failed
    assert decided(opened(store)) == decided(whole) and rungs(opened(store)) == rungs(whole)
    assert _without_execution(scores(opened(store))) == _without_execution(scores(whole))
    assert finish(path, store).executed == 0


def _without_execution(found: dict[str, Any]) -> dict[str, Any]:
    return {key: {k: v for k, v in value.items() if k != "execution"} for key, value in found.items()}
