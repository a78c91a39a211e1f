"""From ``policy`` in a study file to what says which replicates are run: policy and priors by name."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from stilts.analysis.replay.tables import read_world
from stilts.analysis.results import StudyResults
from stilts.errors import StudyError
from stilts.ledger.study_record import load_study, read_study
from stilts.search.filling import Filling, Prior, WholeGrid
from stilts.search.selected_cells import SelectedCells
from stilts.search.selecting.select import Select
from stilts.store.store import Store
from stilts.study.policy_schema import GRID
from stilts.study.study import Study


def make_filling(study: Study, store: Store) -> Filling:
    """The whole grid, or the study's selecting policy over what the store has; StudyError for a prior that is none."""
    wanted = study.file.policy
    if wanted.name == GRID:
        return WholeGrid()
    return SelectedCells(
        study=study.name,
        policy_name=wanted.name,
        policy=Select(),
        store=store,
        seed=study.file.seed,
        priors=load_priors(study, store),
    )


def load_priors(study: Study, store: Store) -> Mapping[str, Prior]:
    """The foreign matrices that the study names: mean scores by (row, column).

    Of a study in the same store its selection scores, of a CSV file (``source,target,score``) its own.
    """
    return {name: _prior(study, name, store) for name in study.file.policy.priors}


def _prior(study: Study, name: str, store: Store) -> Prior:
    path = Path(os.path.normpath(study.folder / name))
    if name.endswith(".csv") and path.is_file():
        return _of_table(study, path)
    if name.endswith(".csv") or read_study(store, name) is None:
        raise StudyError(
            study.at("policy.priors"),
            f"there is no file {path}" if name.endswith(".csv") else f'the store {store.url} has no study "{name}"',
            "A prior is a finished study of the same store, or a CSV file",
            "Correct the name, or give a path, relative to the study file, that ends in .csv",
        )
    table = StudyResults(record=load_study(store, name), store=store).select_cells
    known = table[table["score"].notna()]
    return {
        (str(row), str(column)): float(score)
        for row, column, score in zip(known["row"], known["column"], known["score"], strict=True)
    }


def _of_table(study: Study, path: Path) -> Prior:
    with study.blamed("policy.priors"):
        world = read_world(path)
    means = world.means
    return {
        (source, target): float(means[s, t])
        for s, source in enumerate(world.sources)
        for t, target in enumerate(world.targets)
        if np.isfinite(means[s, t])
    }
