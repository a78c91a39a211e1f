"""Before a study trains: its splits are proved disjoint, once per data, and the proof is noted in the store."""

from __future__ import annotations

from stilts.cli.compose import Workspace
from stilts.errors import DamagedError, NewerError
from stilts.fingerprint import digest
from stilts.ledger.records import DISJOINT, Disjoint
from stilts.store.store import Store
from stilts.study.resolved_target import ResolvedTarget


def check_splits(workspace: Workspace, store: Store) -> int:
    """Raises SplitOverlapError where a target's train, select and report share an item (DESIGN rule 6).

    Reads only what no earlier run on this store has read and found disjoint; returns how many targets were read.
    """
    from stilts.data.disjoint import check_disjoint

    checked = 0
    for column in workspace.study.columns:
        target = workspace.planner.target(column)
        data = _digest(target)
        if not _is_proved(store, data):
            views = target.views
            chosen_by = views.select or views.calibration
            check_disjoint(views.train, chosen_by, views.report, workspace.roots, labels=target.task.labels or None)
            DISJOINT.write(store, Disjoint(target=target.task.name, languages=target.languages), data)
            checked += 1
    return checked


def _is_proved(store: Store, data: str) -> bool:
    """Whether the store has the proof; one that cannot be read is none."""
    try:
        return DISJOINT.read(store, data) is not None
    except (DamagedError, NewerError):
        return False


def _digest(target: ResolvedTarget) -> str:
    views = target.views
    groups = (views.train, views.select or views.calibration, views.report)
    return digest([[view.digest for view in group] for group in groups])
