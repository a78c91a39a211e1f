"""ModelAsked: what an attack may ask of a finished model: losses of single examples, and scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch

from stilts.data.collate import Batch
from stilts.kinds.learning import learning_of, score_examples
from stilts.kinds.prepare import Preparation
from stilts.kinds.scored import Scored
from stilts.kinds.scorer import Scorer
from stilts.metrics.metric import FloatArray
from stilts.models.attention import forward_only
from stilts.models.model import StiltsModel
from stilts.study.config import TaskConfig
from stilts.tasks.task import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelAsked:
    """A model with a task, as whoever attacks it sees it: texts go in, losses and scores come out."""

    scorer: Scorer
    task: Task
    config: TaskConfig
    prepared: Preparation
    language: str

    def scored(self, examples: Sequence[Any]) -> Scored:
        """The examples' predictions and scores."""
        scorer = replace(self.scorer, language=self.language)
        encoded = self.prepared.encoded_now(self.task, examples, **self.config.lengths)
        return score_examples(scorer, self.task, self.config, encoded, examples)

    def goodness(self, examples: Sequence[Any]) -> FloatArray:
        """How right the model is on each example, 0 to 1 of what a right answer earns."""
        return np.asarray(self.task.measure.example_scores(self.scored(examples).rows), np.float64)

    def losses(self, examples: Sequence[Any]) -> FloatArray:
        """The loss of each example by itself, all its windows together, shape (examples,)."""
        if not examples:
            return np.zeros(0)
        encoded = self.prepared.encoded_now(self.task, examples, **self.config.lengths)
        # A batch of one unit each: a kind's loss is summed over its batch.
        alone = replace(self.scorer, language=self.language, eval_tokens=1)
        self.scorer.model.eval()
        found = np.zeros(len(examples))
        with forward_only():
            for batch, loss in alone.each(partial(_loss, self.task, self.config), encoded):
                found[encoded.unit_example[batch.units]] += float(loss)
        return found


def _loss(task: Task, config: TaskConfig, model: StiltsModel, batch: Batch) -> torch.Tensor:
    loss = learning_of(task.kind).loss(model, task, config, batch)
    return loss.float()
