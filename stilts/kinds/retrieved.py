"""Retrieval scored: texts as vectors, and what is found among them, for translations, mined pairs, and pools.

``pooled_rows`` embeds, ``retrieved`` searches and scores. All searches are exact and go in blocks
(``metrics.neighbours``); nothing here depends on the model.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from stilts.data.collate import Batch
from stilts.data.encoded import Encoded
from stilts.errors import InputError
from stilts.kinds.scored import Scored
from stilts.metrics.bucc import above, best_threshold, mine_sentences, pair_row
from stilts.metrics.classification import accuracy_rows, guess_accuracy
from stilts.metrics.mining import margin_nearest
from stilts.metrics.neighbours import Index, neighbours
from stilts.metrics.ranking import DEPTH, RANKINGS, ranking_rows
from stilts.metrics.retrieval import nearest
from stilts.models.heads import pooled
from stilts.models.model import StiltsModel
from stilts.study.config import TaskConfig
from stilts.tasks.kinds.retrieval import CandidateExample, MiningExample, PairExample, QueryExample
from stilts.tasks.task import Task
from stilts.tasks.truth import pairs_text

Embedded = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pool:
    """Candidates with their vectors, (candidates, width)."""

    candidates: Sequence[CandidateExample]
    vectors: Embedded

    def right(self, keys: Iterable[str]) -> dict[str, list[str]]:
        """The names of the candidates that have each of some keys; a pool may hold a million others."""
        names: dict[str, list[str]] = {key: [] for key in keys}
        for candidate in self.candidates:
            for key in candidate.keys:
                if key in names:
                    names[key].append(candidate.item)
        return names


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrievalSearch:
    """What a retrieval looks in beside its own examples: a pool, and the margin that a mined pair has to reach.

    Without a threshold the one with the best F1 on the examples themselves is taken, as is done on ``select``.
    """

    pool: Pool | None = None
    threshold: float | None = None


# Examples that bring their own candidates.
ALONE = RetrievalSearch()


def pooled_rows(layer: int, pooling: str, model: StiltsModel, batch: Batch) -> torch.Tensor:
    """The unit vector of each row of a batch, (rows, width), from hidden state ``layer``."""
    return pooled(model.hidden_at(batch.ids, batch.seen, layer, batch.types).float(), batch.mask, pooling)


def row_vectors(width: int, encoded: Encoded, found: Iterable[tuple[Batch, torch.Tensor]]) -> Embedded:
    """The vectors of batches laid in the order of the rows, (rows, width)."""
    vectors = np.zeros((len(encoded.ids), width), np.float32)
    for batch, made in found:
        vectors[batch.rows] = made.cpu().numpy()
    return vectors


def retrieved(
    task: Task, config: TaskConfig, vectors: Embedded, examples: Sequence[Any], search: RetrievalSearch, index: Index
) -> Scored:
    """Every example scored by the task's metric; ``vectors`` are those of the rows that ``retrieval.py`` makes of them.

    InputError for queries without a pool.
    """
    if isinstance(examples[0], MiningExample):
        return _mined(config, vectors, examples, search.threshold, index)
    if isinstance(examples[0], QueryExample):
        if search.pool is None:
            raise InputError(
                f'task "{task.name}"',
                "its queries have no candidates",
                "They ask a pool",
                'Give the task a split as "pool"',
            )
        return _ranked(task.metric, vectors, examples, search.pool, index)
    if task.metric in RANKINGS:
        asked = [QueryExample(item=e.item, query=e.query, key=e.item) for e in examples]
        return _ranked(task.metric, vectors[0::2], asked, _own_pool(vectors[1::2], examples), index)
    return _translations(config, vectors[0::2], vectors[1::2], index)


def _translations(config: TaskConfig, english: Embedded, other: Embedded, index: Index) -> Scored:
    """The nearest of each sentence on the other side; the right one of sentence i is sentence i."""
    asked, offered = (english, other) if config.direction == "from_english" else (other, english)
    if config.margin is None:
        found = nearest(asked, offered, index=index).tolist()
    else:
        found = margin_nearest(asked, offered, margin=config.margin, index=index).tolist()
    rows = accuracy_rows(list(range(len(found))), found)
    return Scored(rows=rows, predictions=tuple(map(str, found)), chance=guess_accuracy(len(found)))


def _mined(
    config: TaskConfig, vectors: Embedded, examples: Sequence[MiningExample], threshold: float | None, index: Index
) -> Scored:
    """BUCC: the pairs whose margin reaches the threshold, each at the example of its source sentence."""
    source, target = _corpora(examples)
    margins = mine_sentences(
        vectors[np.asarray(source.rows, np.intp)],
        vectors[np.asarray(target.rows, np.intp)],
        (source.texts, target.texts),
        (source.ids, target.ids),
        margin=config.margin or "ratio",
        index=index,
    )
    if threshold is None:
        threshold = best_threshold(margins, [pair for example in examples for pair in example.pairs])
    partner = dict(above(margins, threshold))
    found = [[(name, partner[name]) for name, _ in e.sources if name in partner] for e in examples]
    return Scored(
        rows=np.concatenate([pair_row(e.pairs, mined) for e, mined in zip(examples, found, strict=True)]),
        predictions=tuple(pairs_text(mined) for mined in found),
        chance=None,
        threshold=threshold,
    )


@dataclass(frozen=True, slots=True)
class _Corpus:
    """One side's sentences: the rows of their vectors, their ids and texts."""

    rows: list[int]
    ids: list[str]
    texts: list[str]


def _corpora(examples: Sequence[MiningExample]) -> tuple[_Corpus, _Corpus]:
    """Sources and targets, by rows as ``kinds.retrieval`` lays them: an example's sources, then its targets."""
    sides = (_Corpus([], [], []), _Corpus([], [], []))
    row = 0
    for example in examples:
        for side, sentences in zip(sides, (example.sources, example.targets), strict=True):
            for name, text in sentences:
                side.rows.append(row)
                side.ids.append(name)
                side.texts.append(text)
                row += 1
    return sides


def _ranked(metric: str, vectors: Embedded, queries: Sequence[QueryExample], pool: Pool, index: Index) -> Scored:
    """The first twenty of the pool for each query, by name, best first."""
    places = neighbours(vectors, pool.vectors, DEPTH, index=index).places
    names = [[pool.candidates[place].item for place in found] for found in places.tolist()]
    right = pool.right(query.key for query in queries)
    gold = [right[query.key] for query in queries]
    return Scored(
        rows=ranking_rows(metric, gold, names),
        predictions=tuple(json.dumps(found, ensure_ascii=False) for found in names),
        chance=None,
        truths=tuple(json.dumps(each, ensure_ascii=False) for each in gold),
    )


def _own_pool(vectors: Embedded, examples: Sequence[PairExample]) -> Pool:
    """The candidates of some pairs, equal ones once, each right for every query that it is paired with."""
    first: dict[tuple[str, str | None], int] = {}
    keys: dict[int, list[str]] = {}
    for place, example in enumerate(examples):
        keys.setdefault(first.setdefault((example.candidate, example.context), place), []).append(example.item)
    candidates = [
        CandidateExample(item=examples[place].item, text=examples[place].candidate, keys=tuple(right))
        for place, right in keys.items()
    ]
    return Pool(candidates=candidates, vectors=vectors[np.fromiter(keys, np.intp, len(keys))])
