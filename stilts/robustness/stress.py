"""A view scored under a stress: its examples perturbed, or the model attacked on them."""

from __future__ import annotations

from typing import Any

from stilts.data.load import load_examples
from stilts.kinds.prepare import Preparation
from stilts.kinds.scored import Scored
from stilts.kinds.scorer import Scorer
from stilts.robustness.attack import attacked
from stilts.robustness.model_asked import ModelAsked
from stilts.robustness.perturb import perturbed
from stilts.study.config import TaskConfig
from stilts.study.robust import Stress
from stilts.study.stage import EvaluateItem
from stilts.tasks.task import Task


def score_stressed(
    scorer: Scorer, task: Task, config: TaskConfig, item: EvaluateItem, prepared: Preparation
) -> tuple[list[Any], Scored]:
    """The item's examples as the model got them, and their scores.

    Of an attack ``Scored.beside`` has ``attack_success``, in percent of the examples that it was tried on, and
    ``queries``, their mean number of queries.
    """
    stress = item.stress
    assert stress is not None
    language = item.view.language
    asked = ModelAsked(scorer=scorer, task=task, config=config, prepared=prepared, language=language)
    examples = prepared.examples(task, item.view)
    if stress.is_attack:
        return attacked(asked, examples, stress, language)
    altered = perturbed(examples, stress, language, _aligned(stress, prepared))
    return altered, asked.scored(altered)


def _aligned(stress: Stress, prepared: Preparation) -> list[tuple[str, str]]:
    """English sentences with their translations, for code-switching."""
    if stress.dictionary is None:
        return []
    pairs = (example.texts() for example in load_examples(stress.dictionary, prepared.roots))
    return [(texts[0], texts[1]) for texts in pairs if len(texts) == 2]
