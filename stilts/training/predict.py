"""Predictions of a model, and the row of sufficient statistics that each example earns, per task kind.

``score_examples`` is the entry. Evaluation batches are cut by a token budget, longest first; that is execution
and changes rounding only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from stilts.data.batches import token_batches
from stilts.data.collate import Batch, Vocabulary, collate, mask_tokens
from stilts.data.encoded import IGNORED, Encoded
from stilts.metrics.answers import answer_rows
from stilts.metrics.chunks import chunk_rows
from stilts.metrics.classification import accuracy_rows, guess_accuracy, majority_accuracy
from stilts.metrics.correlation import correlation_rows
from stilts.metrics.label_sets import label_set_rows, most_frequent_first, ranking_text
from stilts.metrics.metric import FloatArray
from stilts.metrics.no_answer import predictions_at
from stilts.metrics.spans import entity_rows
from stilts.metrics.tagging import tag_rows
from stilts.models.model import StiltsModel
from stilts.study.config import TaskConfig
from stilts.tasks.task import Kind, Task
from stilts.training.device import to_device
from stilts.training.nearest_index import device_index
from stilts.training.retrieval import ALONE, Embedded, Search, retrieved, row_vectors

# Masks of an evaluation are always the same, so that two models are asked the same.
_MASK_SEED = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BestSpans:
    """Each question's best span, and by how much (in logits) "no answer" beats it: +inf where no span fits."""

    texts: tuple[str, ...]
    differences: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """(examples, columns) sufficient statistics, the predictions as text, and what guessing would score (0 to 100).

    ``spans`` are what a threshold made the predictions of, where questions may have no answer. ``truths`` are the right
    answers as text where an example alone does not tell them, ``threshold`` the margin that mined pairs had to reach.
    """

    rows: FloatArray
    predictions: tuple[str, ...]
    chance: float | None
    spans: BestSpans | None = None
    truths: tuple[str, ...] | None = None
    threshold: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorer:
    """A model in evaluation mode with what its forward passes need.

    ``language`` is that of the examples: MLQA's metric compares answers by it. ``search`` is what a retrieval looks in.
    """

    model: StiltsModel
    vocabulary: Vocabulary
    device: torch.device
    eval_tokens: int
    autocast: Callable[[], AbstractContextManager[Any]]
    language: str = "en"
    search: Search = ALONE

    def batches(self, encoded: Encoded) -> Iterator[Batch]:
        """Batches over all units, longest first, on the model's device."""
        lengths = encoded.unit_lengths * encoded.rows_per_unit
        for units in token_batches(lengths, self.eval_tokens):
            yield to_device(collate(encoded, units, self.vocabulary), self.device)


def score_examples(scorer: Scorer, task: Task, config: TaskConfig, encoded: Encoded, examples: Sequence[Any]) -> Scored:
    """Every example scored, in the order given; dropout off, no gradients."""
    scorer.model.eval()
    with torch.inference_mode(), scorer.autocast():
        return _SCORERS[task.kind](scorer, task, config, encoded, examples)


def embedded(scorer: Scorer, config: TaskConfig, encoded: Encoded) -> Embedded:
    """The unit vector of each row, (rows, width): what a pool's candidates are."""
    scorer.model.eval()
    with torch.inference_mode(), scorer.autocast():
        return row_vectors(scorer.model, config, encoded, scorer.batches(encoded))


def _classification(s: Scorer, task: Task, config: TaskConfig, encoded: Encoded, examples: Sequence[Any]) -> Scored:
    chosen = np.zeros(len(encoded), np.int64)
    for batch in s.batches(encoded):
        logits = s.model.heads[task.learner](s.model.hidden(batch.ids, batch.mask))
        chosen[batch.units] = logits.float().argmax(-1).cpu().numpy()
    gold, predicted = [e.label for e in examples], [task.labels[i] for i in chosen]
    return Scored(rows=accuracy_rows(gold, predicted), predictions=tuple(predicted), chance=majority_accuracy(gold))


def _multiple_choice(s: Scorer, task: Task, config: TaskConfig, encoded: Encoded, examples: Sequence[Any]) -> Scored:
    chosen = np.zeros(len(encoded), np.int64)
    for batch in s.batches(encoded):
        logits = s.model.heads[task.learner](s.model.hidden(batch.ids, batch.mask))
        chosen[batch.units] = logits.float().view(-1, batch.rows_per_unit).argmax(-1).cpu().numpy()
    rows = accuracy_rows([e.label for e in examples], chosen.tolist())
    return Scored(rows=rows, predictions=tuple(map(str, chosen)), chance=guess_accuracy(encoded.rows_per_unit))


def _tagging(s: Scorer, task: Task, config: TaskConfig, encoded: Encoded, examples: Sequence[Any]) -> Scored:
    predicted: list[list[str]] = [["O"] * len(e.words) for e in examples]
    assert encoded.words is not None
    for batch in s.batches(encoded):
        best = s.model.heads[task.learner](s.model.hidden(batch.ids, batch.mask)).float().argmax(-1).cpu().numpy()
        for place, unit in enumerate(batch.units):
            words = encoded.words[int(unit)]
            tags = predicted[int(encoded.unit_example[unit])]
            for token in np.flatnonzero(words >= 0):
                tags[words[token]] = task.labels[best[place, token]]
    gold = [e.tags for e in examples]
    rows = _TAG_ROWS[task.metric](gold, predicted)
    is_by_word = task.metric == "accuracy"
    chance = majority_accuracy([tag for tags in gold for tag in tags]) if is_by_word else None
    return Scored(rows=rows, predictions=tuple(" ".join(tags) for tags in predicted), chance=chance)


_TAG_ROWS = {"accuracy": tag_rows, "span_f1": entity_rows, "chunk_f1": chunk_rows}


def _regression(s: Scorer, task: Task, config: TaskConfig, encoded: Encoded, examples: Sequence[Any]) -> Scored:
    values = np.zeros(len(encoded), np.float64)
    for batch in s.batches(encoded):
        predicted = s.model.heads[task.learner](s.model.hidden(batch.ids, batch.mask))
        values[batch.units] = predicted.float()[:, 0].cpu().numpy()
    # Scored as kept, so that the score can be made from the texts again.
    texts = [f"{value:.6g}" for value in np.clip(values, *task.value_range)]
    rows = correlation_rows([e.value for e in examples], [float(text) for text in texts])
    return Scored(rows=rows, predictions=tuple(texts), chance=0.0)


def _multi_label(s: Scorer, task: Task, config: TaskConfig, encoded: Encoded, examples: Sequence[Any]) -> Scored:
    logits = np.zeros((len(encoded), len(task.labels)), np.float32)
    for batch in s.batches(encoded):
        logits[batch.units] = s.model.heads[task.learner](s.model.hidden(batch.ids, batch.mask)).float().cpu().numpy()
    gold = [e.labels for e in examples]
    chosen = [int(number) for number in (logits > 0.0).sum(axis=1)]  # a probability above a half
    ranked = [
        [task.labels[i] for i in order[: max(number, len(labels))]]
        for order, number, labels in zip(np.argsort(-logits, axis=1, kind="stable"), chosen, gold, strict=True)
    ]
    return Scored(
        rows=label_set_rows(gold, ranked, chosen),
        predictions=tuple(map(ranking_text, ranked, chosen)),
        chance=most_frequent_first(gold),
    )


def _span_qa(s: Scorer, task: Task, config: TaskConfig, encoded: Encoded, examples: Sequence[Any]) -> Scored:
    """Answers of the best span over all windows; where questions may have none, by a threshold of 0.

    "No answer" has the logits of ``<s>``, start and end together, least over the windows (Devlin et al. 2019, 4.3).
    """
    best, null = np.full(len(examples), -np.inf), np.full(len(examples), np.inf)
    texts = [""] * len(examples)
    assert encoded.chars is not None
    for batch in s.batches(encoded):
        logits = s.model.heads[task.learner](s.model.hidden(batch.ids, batch.mask)).float().cpu().numpy()
        for place, unit in enumerate(batch.units):
            chars = encoded.chars[int(unit)].reshape(-1, 2)
            score, first, last = _best_span(logits[place, : len(chars)], chars[:, 0] >= 0, config.max_answer_tokens)
            example = int(encoded.unit_example[unit])
            null[example] = min(null[example], float(logits[place, 0].sum()))
            if score > best[example]:
                best[example] = score
                texts[example] = examples[example].context[chars[first, 0] : chars[last, 1]].strip()
    if task.may_have_no_answer:
        return by_threshold(BestSpans(texts=tuple(texts), differences=null - best), task, examples, 0.0)
    rows = answer_rows(task.metric, [answer_texts(e) for e in examples], texts, language=s.language)
    return Scored(rows=rows, predictions=tuple(texts), chance=None)


def by_threshold(spans: BestSpans, task: Task, examples: Sequence[Any], threshold: float) -> Scored:
    """The questions answered where "no answer" leads by at most ``threshold`` (logits), and scored."""
    said = predictions_at(spans.texts, spans.differences, threshold)
    rows = answer_rows(task.metric, [answer_texts(e) for e in examples], said, language="en")
    return Scored(rows=rows, predictions=said, chance=None, spans=spans)


def answer_texts(example: Any) -> list[str]:
    """The right answers of a labelled question; empty where it has none."""
    return [text for text, _ in example.answers]


def _best_span(logits: NDArray[np.float32], inside: NDArray[np.bool_], longest: int) -> tuple[float, int, int]:
    """The span of at most ``longest`` tokens, wholly in the context, whose two logits have the largest sum.

    All pairs are looked at. The official scripts pair their 20 best starts with their 20 best ends (``n_best_size``),
    and may so miss the best allowed pair: this one's sum is theirs or a larger one.
    """
    start = np.where(inside, logits[:, 0], -np.inf)
    end = np.where(inside, logits[:, 1], -np.inf)
    total = np.triu(start[:, None] + end[None, :])
    allowed = np.triu(np.ones_like(total, dtype=bool)) & ~np.triu(np.ones_like(total, dtype=bool), longest)
    total = np.where(allowed, total, -np.inf)
    first, last = divmod(int(total.argmax()), len(start))
    return float(total[first, last]), first, last


def _retrieval(s: Scorer, task: Task, config: TaskConfig, encoded: Encoded, examples: Sequence[Any]) -> Scored:
    vectors = row_vectors(s.model, config, encoded, s.batches(encoded))
    found = retrieved(task, config, vectors, examples, s.search, device_index(s.device))
    return Scored(
        rows=found.rows,
        predictions=found.predictions,
        chance=found.chance,
        truths=found.truths,
        threshold=found.threshold,
    )


def _masked_lm(s: Scorer, task: Task, config: TaskConfig, encoded: Encoded, examples: Sequence[Any]) -> Scored:
    rows = np.zeros((len(encoded), 3))
    for units in token_batches(encoded.unit_lengths, s.eval_tokens):
        masked = mask_tokens(collate(encoded, units, s.vocabulary), s.vocabulary, _MASK_SEED, 0, config.mask_frac)
        batch = to_device(masked, s.device)
        assert batch.row_labels is not None
        wanted = batch.row_labels != IGNORED
        logits = s.model.masked_logits(s.model.hidden(batch.ids, batch.mask)[wanted]).float()
        gold = batch.row_labels[wanted]
        owner = units[torch.nonzero(wanted)[:, 0].cpu().numpy()]
        losses = torch.nn.functional.cross_entropy(logits, gold, reduction="none").cpu().numpy()
        right = (logits.argmax(-1) == gold).cpu().numpy()
        np.add.at(rows, owner, np.stack([right, np.ones_like(losses), losses], axis=1))
    return Scored(rows=rows, predictions=("",) * len(examples), chance=None)


_SCORERS: Mapping[Kind, Callable[[Scorer, Task, TaskConfig, Encoded, Sequence[Any]], Scored]] = {
    Kind.CLASSIFICATION: _classification,
    Kind.MULTIPLE_CHOICE: _multiple_choice,
    Kind.TAGGING: _tagging,
    Kind.SPAN_QA: _span_qa,
    Kind.RETRIEVAL: _retrieval,
    Kind.MASKED_LM: _masked_lm,
    Kind.REGRESSION: _regression,
    Kind.MULTI_LABEL: _multi_label,
}
