"""What of a study is damaged: told beside an answer that goes on without it, and in the way of a run that must not."""

from __future__ import annotations

from collections.abc import Mapping

from stilts.errors import StoreError, UnreadableError
from stilts.ledger.view import StudyView
from stilts.shown import remark

_SHOWN = 3


def check_sound(view: StudyView) -> None:
    """Raises StoreError where results that a run builds on are damaged: it would say that nothing is left to do."""
    study, faults = view.record.name, view.faults
    if faults:
        raise StoreError(
            f"study {study} in the store {view.store.url}",
            f"{_counted(faults)} damaged: {_listed(faults)}",
            "What rests on them would be wrong, or would be missing without a word",
            f'Type "stilts mend {study}", which sets them aside, then run the study again: that alone is made anew',
        )


def tell_damage(study: str, faults: Mapping[str, UnreadableError]) -> None:
    """Says on standard error which results are damaged, where any are: they count as not done."""
    if faults:
        remark(
            f"{_counted(faults)} damaged and left out: {_listed(faults)}. "
            f'"stilts mend {study}" sets them aside, and the next run makes them anew.'
        )


def _counted(faults: Mapping[str, object]) -> str:
    return "1 result is" if len(faults) == 1 else f"{len(faults)} results are"


def _listed(faults: Mapping[str, UnreadableError]) -> str:
    shown = "; ".join(f"{fault.file}, {fault.found}" for fault in list(faults.values())[:_SHOWN])
    return shown + (f"; and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else "")
