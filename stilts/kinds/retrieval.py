"""Retrieval: a dual encoder, one for both sides, that learns from a batch's other pairs; ``retrieved.py`` searches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch.nn.functional import cross_entropy

from stilts.data.collate import Batch
from stilts.data.decoded import row_text
from stilts.data.encode import TaskTokenizer, many_row_units, one_row_units, sequences
from stilts.data.encoded import Encoded
from stilts.kinds.learning import InBatch, Learning
from stilts.kinds.nearest_index import device_index
from stilts.kinds.retrieved import pooled_rows, retrieved, row_vectors
from stilts.kinds.scored import Scored
from stilts.kinds.scorer import Scorer
from stilts.models.export import PlainForm
from stilts.models.full_precision import full_precision
from stilts.models.model import StiltsModel
from stilts.study.config import TaskConfig
from stilts.tasks.kinds.retrieval import CandidateExample, MiningExample, PairExample, QueryExample
from stilts.tasks.task import Task


def _encode(examples: Sequence[Any], encoder: TaskTokenizer) -> Encoded:
    """Pairs are units of two rows, query and candidate; all else is a row by itself, an example's own in its order."""
    asked, offered = encoder.query_length or encoder.max_length, encoder.candidate_length or encoder.max_length
    if all(isinstance(e, PairExample) for e in examples):
        queries, cut = sequences([e.query for e in examples], encoder, asked)
        inputs = [e.candidate if e.context is None else (e.candidate, e.context) for e in examples]
        candidates, also_cut = sequences(inputs, encoder, offered)
        rows = [row for pair in zip(queries, candidates, strict=True) for row in pair]
        return many_row_units(rows, cut + also_cut, 2, None)
    if isinstance(examples[0], QueryExample):
        return one_row_units(*sequences([e.query for e in examples], encoder, asked))
    if isinstance(examples[0], CandidateExample):
        inputs = [e.text if e.context is None else (e.text, e.context) for e in examples]
        return one_row_units(*sequences(inputs, encoder, offered))
    return _mining(examples, encoder)


def _mining(examples: Sequence[MiningExample], encoder: TaskTokenizer) -> Encoded:
    """A row for each sentence, an example's sources before its targets."""
    sentences = [(owner, text) for owner, e in enumerate(examples) for _, text in (*e.sources, *e.targets)]
    rows, truncated = sequences([text for _, text in sentences], encoder)
    owners = np.asarray([owner for owner, _ in sentences], np.int32)
    return replace(one_row_units(rows, truncated), unit_example=owners, num_examples=len(examples))


def _show(task: Task, encoded: Encoded, tokenizer: Tokenizer, units: Sequence[int]) -> list[str]:
    """What stands for one another; a text by itself where a pool holds its answer, or where it is a pool's."""
    rows = encoded.rows_of(np.asarray(units))
    return [" = ".join(row_text(encoded, tokenizer, int(row)) for row in rows)]


def _loss(model: StiltsModel, task: Task, config: TaskConfig, batch: Batch) -> torch.Tensor:
    return _in_batch_loss(_vectors(model, config, batch), config, slice(None))


def _vectors(model: StiltsModel, config: TaskConfig, batch: Batch) -> torch.Tensor:
    """Unit vectors (rows, width) in fp32, queries and candidates by turns."""
    return pooled_rows(config.layer, config.pooling, model, batch)


def _in_batch_loss(vectors: torch.Tensor, config: TaskConfig, own: slice) -> torch.Tensor:
    """In-batch softmax in both directions over cosines divided by ``temperature``, summed over the ``own`` pairs.

    Needs the vectors of the whole global batch: the other pairs of the batch are the wrong answers.
    """
    queries, candidates = vectors[0::2], vectors[1::2]
    right = torch.arange(len(queries), device=vectors.device)[own]
    with full_precision(vectors.device):
        similarity = queries[own] @ candidates.T / config.temperature
        whole = len(right) == len(queries)
        back = similarity.T if whole else (queries @ candidates[own].T / config.temperature).T
        there = cross_entropy(similarity, right, reduction="sum")
        return there + cross_entropy(back, right, reduction="sum")


def _predict(s: Scorer, task: Task, config: TaskConfig, encoded: Encoded, examples: Sequence[Any]) -> Scored:
    vectors = row_vectors(s.model.config.hidden_size, encoded, s.pooled(config, encoded))
    return retrieved(task, config, vectors, examples, s.search, device_index(s.device))


LEARNING = Learning(
    encode=_encode,
    show=_show,
    loss=_loss,
    label_count=lambda batch: 2 * len(batch.units),
    predict=_predict,
    in_batch=InBatch(vectors=_vectors, loss=_in_batch_loss),
    export=PlainForm(vector={"pooling": "mean over all tokens", "normalised": True}),
)
