"""A threshold that some items of an evaluate stage choose and others are decided by, as the store has it."""

from __future__ import annotations

from collections.abc import Callable, Set
from typing import TypeAlias

from stilts.errors import DamagedError
from stilts.ledger.results import EvaluateResult, evaluation_of
from stilts.store.artifact_store import ArtifactStore
from stilts.store.layout import done_path
from stilts.study.stage import EvaluateStage

# What a published evaluation says of the threshold that it was decided by.
Said: TypeAlias = Callable[[EvaluateResult], float | None]


def published_threshold(stage: EvaluateStage, store: ArtifactStore, on: Set[str], said: Said) -> float | None:
    """The threshold that the stage has published with one of the views (digests) that choose it; None where none is.

    So a language that is added later is decided by what the others were decided by. DamagedError for an evaluation
    of such a view that does not say it.
    """
    for key, item in zip(stage.outputs, stage.items, strict=True):
        if item.view.digest in on and store.is_done(key):
            found = said(evaluation_of(store, key))
            if found is None:
                raise DamagedError(done_path(key), "it does not say the threshold that it was decided by")
            return found
    return None
