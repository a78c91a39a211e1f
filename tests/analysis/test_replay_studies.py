"""A finished study as a recorded world: who chooses, who judges, what is paid."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stilts.analysis.replay.regret import curve
from stilts.analysis.replay.studies import world_of_study
from stilts.analysis.replay.world import PER_CELL, PER_STAGE
from stilts.errors import InputError
from tests.analysis.fake_store import column
from tests.analysis.studies import finished

SCORES = {"none": 40.0, "mnli": 50.0, "squad": 60.0}


def test_rows_and_columns_become_sources_and_targets_with_their_seeds(tmp_path: Path) -> None:
    world = world_of_study(finished(tmp_path, {column("xnli"): SCORES, column("udpos"): SCORES}))
    assert world.sources == ("none", "mnli", "squad")
    assert world.targets == ("xnli", "udpos")
    assert world.scores.shape == (3, 2, 3)
    assert world.report is not None
    assert np.isfinite(world.report).all()


def test_a_source_pays_for_its_training_once_and_every_target_for_its_own(tmp_path: Path) -> None:
    world = world_of_study(finished(tmp_path, {column("xnli"): SCORES, column("udpos"): SCORES}))
    assert world.stage_cost is not None
    assert world.stage_cost.tolist() == [0.0, 3600.0, 3600.0]
    assert (world.cell_cost >= 1800.0).all()
    for price in (PER_CELL, PER_STAGE):
        [point] = curve(world, ["full_grid_1"], [], price, repeats=2)
        assert point.cost_frac == pytest.approx(1.0)
        assert point.regret_pct == pytest.approx(0.0)


def test_cells_with_fewer_replicates_than_others_are_never_paid_beyond_them(tmp_path: Path) -> None:
    results = finished(tmp_path, {column("xnli"): SCORES})
    world = world_of_study(results)
    world.scores[1, 0, 1:] = np.nan
    for name in ("full_grid_3", "select", "random"):
        [point] = curve(world, [name], [3.0], PER_STAGE, repeats=2)
        assert point.cost_frac <= 3.0
        assert point.regret_pct == pytest.approx(0.0)


def test_a_study_without_selection_scores_cannot_be_replayed(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="selection"):
        world_of_study(finished(tmp_path, {column("tatoeba", select=False): SCORES}))
