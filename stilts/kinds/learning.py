"""Learning: the half of a task kind that needs torch. Read ``stilts/tasks/kind.py`` first.

A kind's file holds one value of it, ``LEARNING``; ``learning_of`` finds it by the module that the kind names. Nothing
else lists kinds.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import nn

from stilts.data.collate import Batch, Vocabulary
from stilts.data.encode import TaskTokenizer
from stilts.data.encoded import Encoded
from stilts.kinds.scored import Scored
from stilts.kinds.scorer import Scorer
from stilts.kinds.vectors import Labelled
from stilts.models.attention import forward_only
from stilts.models.export import PlainForm
from stilts.models.head_maker import HeadMaker, MakeHead
from stilts.models.model import StiltsModel
from stilts.shown import shown
from stilts.study.config import TaskConfig
from stilts.tasks.kind import TaskKind
from stilts.tasks.task import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class InBatch:
    """A loss whose wrong answers are the other units of the global batch, in two parts, so that it can still be cut.

    ``vectors`` (rows, width) in fp32 come of a part of the batch; ``loss`` takes those of all its rows and sums over
    ``own`` units of them.
    """

    vectors: Callable[[StiltsModel, TaskConfig, Batch], torch.Tensor]
    loss: Callable[[torch.Tensor, TaskConfig, slice], torch.Tensor]


@dataclass(frozen=True, slots=True, kw_only=True)
class Learning:
    """How a kind's examples enter a model, what is learned from them, and what the model is then asked.

    ``encode`` gives examples as arrays; raise ``encode_version`` when it comes to give others. ``show`` gives lines of
    text from the units of one example, as the model gets them. ``head`` asks for a new head, which gives logits of
    hidden states and their mask; None where the kind has no parameters of its own.

    ``loss`` is summed over a batch, a scalar in fp32, and ``label_count`` what the sum over the *global* batch is
    divided by. ``alter`` makes of a batch what a step sees, from (seed, step) alone. ``in_batch``: ``loss`` in two
    parts, where it needs all of the global batch at once.

    ``predict`` scores every example, in the order given. ``features`` gives labelled vectors of a batch's last hidden
    states, where the kind has ``has_linear_labels``. ``export`` says where the head goes in a plain class.
    """

    encode: Callable[[Sequence[Any], TaskTokenizer], Encoded]
    show: Callable[[Task, Encoded, Tokenizer, Sequence[int]], Sequence[str]]
    loss: Callable[[StiltsModel, Task, TaskConfig, Batch], torch.Tensor]
    label_count: Callable[[Batch], int]
    predict: Callable[[Scorer, Task, TaskConfig, Encoded, Sequence[Any]], Scored]
    export: PlainForm
    head: Callable[[Task, HeadMaker], nn.Module] | None = None
    alter: Callable[[Batch, Vocabulary, TaskConfig, int, int], Batch] | None = None
    features: Callable[[Encoded, Batch, torch.Tensor], Iterator[Labelled]] | None = None
    in_batch: InBatch | None = None
    encode_version: int = 1

    @property
    def uses_lm_head(self) -> bool:
        """Whether it learns and predicts by the encoder's own masked-LM head."""
        return self.export.is_lm_head


@lru_cache
def learning_of(kind: TaskKind) -> Learning:
    """The kind's half that needs torch; ModuleNotFoundError where its package lacks the module that it names."""
    learning: Learning = importlib.import_module(kind.learning).LEARNING
    return learning


def encode(kind: TaskKind, examples: Sequence[Any], encoder: TaskTokenizer) -> Encoded:
    """The examples of one view as arrays; unlabelled examples are an InputError for kinds that have labels."""
    encoder.tokenizer.no_truncation()
    encoder.tokenizer.no_padding()
    return learning_of(kind).encode(examples, encoder)


def decoded(task: Task, encoded: Encoded, tokenizer: Tokenizer, example: int) -> str:
    """The example of that number as text, with its label, answer, tags or value; one line, or one per choice.

    It is made from the arrays that a model gets, not from the example: a wrong offset, a label on the wrong subword
    or a cut that hides the answer is seen.
    """
    units = np.flatnonzero(encoded.unit_example == example).tolist()
    return "\n".join(map(shown, learning_of(task.kind).show(task, encoded, tokenizer, units)))


def heads_of(tasks: Sequence[Task]) -> dict[str, MakeHead]:
    """What makes a new head, by learner, for those of the tasks whose kind has one."""
    made = ((task, learning_of(task.kind).head) for task in tasks)
    return {task.learner: partial(make, task) for task, make in made if make is not None}


def add_heads(model: StiltsModel, tasks: Sequence[Task], seed: int) -> tuple[str, ...]:
    """Gives each of the tasks whose kind has one a new head, from ``seed``; the learners that got one."""
    heads = heads_of(tasks)
    for learner, make in heads.items():
        model.add_head(learner, make, seed)
    return tuple(heads)


def score_examples(scorer: Scorer, task: Task, config: TaskConfig, encoded: Encoded, examples: Sequence[Any]) -> Scored:
    """Every example scored, in the order given; dropout off, no gradients."""
    scorer.model.eval()
    with forward_only():
        return learning_of(task.kind).predict(scorer, task, config, encoded, examples)
