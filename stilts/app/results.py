"""A study's results, by its file or name and the address of its store."""

from __future__ import annotations

from stilts.analysis.results import StudyResults
from stilts.app.places import load_record, open_store_at


def results_at(study: str, store: str | None) -> StudyResults:
    """What the store at an address holds of a study; StoreError where it has none of that name."""
    opened = open_store_at(store)
    return StudyResults(record=load_record(study, opened), store=opened)
