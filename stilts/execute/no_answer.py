"""The threshold above which "no answer" is said: chosen on ``select``, kept in its result, applied to ``report``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from stilts.execute.threshold import published_threshold
from stilts.kinds.scored import Scored, truths_of
from stilts.metrics.no_answer import best_threshold
from stilts.store.artifact_store import ArtifactStore
from stilts.study.stage import EvaluateStage
from stilts.tasks.truth import answers_in


def no_answer_threshold(
    stage: EvaluateStage, store: ArtifactStore, score: Callable[[int], tuple[list[Any], Scored, float]]
) -> float | None:
    """The stage's threshold in logits; None where its questions always have an answer.

    It has the best F1 on the items of ``stage.threshold_items`` together; 0 where there are none. A published item
    of them says what it was, so that a language that is added later is answered by the same; else ``score``
    gives the examples and spans of the item of that number, and when it began.
    """
    if not stage.task.may_have_no_answer:
        return None
    chosen_on = [number for number, item in enumerate(stage.items) if item in stage.threshold_items]
    views = {stage.items[number].view.digest for number in chosen_on}
    published = published_threshold(stage, store, views, lambda result: result.no_answer_threshold)
    if published is not None:
        return published
    scored = [score(number) for number in chosen_on]
    spans = [each.spans for _, each, _ in scored if each.spans is not None]
    if not spans:
        return 0.0
    return best_threshold(
        [answers_in(truth) for examples, _, _ in scored for truth in truths_of(examples)],
        [text for each in spans for text in each.texts],
        np.concatenate([each.differences for each in spans]),
    )
