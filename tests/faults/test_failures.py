"""What no second try can mend is not tried again: it fails its own cells, with a table that says what, where and why.

Memory that is full is another matter: the batch is halved, and the scores are the same.
"""

from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import Any

import pytest

from stilts.ledger.records import FAILURES
from tests.e2e.studies import scores, stilts
from tests.faults.table import LOCAL, RAY
from tests.faults.world import STEPS, TRAININGS, scene, study_in

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return study_in(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def undisturbed(study: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    with scene(study, tmp_path_factory.mktemp("undisturbed")) as made:
        assert made.type(*LOCAL).ended() == 0, made.typed[-1].said
        return scores(made.store)


@pytest.mark.parametrize(
    ("planted", "kind", "told"),
    [
        ("bug", "ZeroDivisionError", "division by zero (planted)"),
        ("nan", "DivergedError", "the loss of mnli is nan at step 12; before it was"),
    ],
)
def test_a_stage_that_fails_for_good_fails_its_cells_only(
    planted: str, kind: str, told: str, study: Path, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    with scene(study, tmp_path / "it", planted=planted) as made:
        run = made.type(*RAY, COLUMNS="200")
        assert run.ended() == 1, run.said
        said = " ".join(run.said.split())
        assert "retried" not in said and "Traceback" not in said
        assert "1 failed in" in said and "failed on node why" in said and platform.node() in said
        assert told in said and "type the same command again" in said and f"stilts run {study}" in said
        (failed,) = FAILURES.own_names(made.store)
        record = FAILURES.read(made.store, failed)
        assert record is not None and failed.startswith("train-mnli")
        assert (record.kind, record.attempts, record.node) == (kind, 1, platform.node())
        assert STEPS < made.steps() < STEPS * (TRAININGS - 1), "it failed before its first step, or was run again"
        ours = scores(made.store)
        assert ours and ours.items() < undisturbed.items(), "the other row's cell is as it would have been"
        shown = json.loads(stilts("status", study, "--store", made.store.url, "--json", cwd=tmp_path).stdout)
        assert {cell["row"]: cell["state"] for cell in shown["cells"]} == {"none": "done", "mnli": "failed"}

        made.planted = ""  # the cause is mended
        again = made.type(*RAY)
        assert again.ended() == 0, again.said
        assert scores(made.store) == undisturbed and not FAILURES.own_names(made.store)


@pytest.mark.parametrize("planted", ["full device", "full host"])
def test_full_memory_halves_the_batch_and_the_scores_are_the_same(
    planted: str, study: Path, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    with scene(study, tmp_path / "it", planted=planted) as made:
        assert made.type(*LOCAL).ended() == 0, made.typed[-1].said
        halved = {key: made.store.result(key)["execution"] for key in made.store.done() if "/" not in key}
        assert {"mnli": 4} in [one.get("halved_to") for one in halved.values()], halved  # type: ignore[union-attr]
        assert made.steps() == STEPS * TRAININGS, "a step that did not fit is no step"
        assert cells(scores(made.store)) == cells(undisturbed)
    with scene(study, tmp_path / "without", planted=planted, without="halving") as made:
        run = made.type(*LOCAL)
        assert run.ended() == 1 and "(planted)" in run.said, run.said


def cells(found: dict[str, Any]) -> dict[str, Any]:
    """The scores alone: how a stage was executed stands beside them, and differs."""
    return {key: result["score"] for key, result in found.items()}
