"""Mended a store: what of it is damaged, with what Optuna's mirror of a search lacks, is set aside."""

from __future__ import annotations

from stilts.ledger.faults import Fault, FaultKind
from stilts.ledger.mending import Mended, mend
from stilts.search.mirror import mirror_flaws
from stilts.store.store import Store


def mend_study(store: Store, study: str, *, dry_run: bool) -> Mended:
    """What was found and set aside of a study, or (``dry_run``) would be."""
    flaws = mirror_flaws(store).items()
    also = [Fault(kind=FaultKind.DAMAGED, paths=(path,), found=found) for path, found in flaws]
    return mend(store, study, dry_run=dry_run, also=also)
