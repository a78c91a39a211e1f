"""Tagging: a tag for each word by its first subword, or by its last where texts are read from the end.

A sentence over the length is split, none of it lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch.nn.functional import cross_entropy

from stilts.data.collate import Batch, present
from stilts.data.counter_hash import keys
from stilts.data.decoded import shortened
from stilts.data.encode import TaskTokenizer, labelled
from stilts.data.encoded import IGNORED, Encoded, Ragged
from stilts.data.tokenizing import word_encodings
from stilts.kinds.learning import Learning
from stilts.kinds.scored import Scored
from stilts.kinds.scorer import Scorer, head_outputs
from stilts.kinds.vectors import Labelled
from stilts.metrics.classification import majority_accuracy
from stilts.models.export import PlainForm
from stilts.models.model import StiltsModel
from stilts.study.config import TaskConfig
from stilts.tasks.kinds.tagging import TAG_ROWS
from stilts.tasks.task import Task


def _encode(examples: Sequence[Any], encoder: TaskTokenizer) -> Encoded:
    index = {label: i for i, label in enumerate(encoder.labels)}
    special, room = encoder.special, encoder.max_length - encoder.special.around
    # A word that normalises to nothing gets a token all the same, so that none is lost.
    lost = [special.behind[-1] if special.unknown is None else special.unknown]
    before, behind = list(special.before), list(special.behind)
    ids, labels, words, owners = [], [], [], []
    truncated = 0
    batch = word_encodings(encoder.tokenizer, [list(e.words) for e in examples])
    for number, (example, found) in enumerate(zip(examples, batch, strict=True)):
        tags = labelled(example.tags, example.item)
        pieces = [piece or lost for piece in found]
        truncated += sum(len(piece) > room for piece in pieces)
        for run in _runs([piece[:room] for piece in pieces], room):
            marks = [mark for word, piece in run for mark in _marks(word, len(piece), special.reads_from_end)]
            ids.append([*before, *(t for _, piece in run for t in piece), *behind])
            words.append([*(-1 for _ in before), *marks, *(-1 for _ in behind)])
            labels.append([index[tags[w]] if w >= 0 else IGNORED for w in words[-1]])
            owners.append(number)
    return Encoded(
        ids=Ragged.of(ids),
        rows_per_unit=1,
        unit_example=np.asarray(owners, np.int32),
        num_examples=len(examples),
        num_truncated=truncated,
        row_labels=Ragged.of(labels),
        words=Ragged.of(words),
    )


def _marks(word: int, num_pieces: int, reads_from_end: bool) -> list[int]:
    """The word's number at its first subword and -1 at the others, or at its last.

    Where a token sees those before it only, the last subword alone has seen the word.
    """
    others = [-1] * (num_pieces - 1)
    return [*others, word] if reads_from_end else [word, *others]


def _runs(pieces: list[list[int]], room: int) -> list[list[tuple[int, list[int]]]]:
    """The words, cut into runs of at most ``room`` tokens: a sentence over the length is split, none of it lost."""
    runs: list[list[tuple[int, list[int]]]] = [[]]
    used = 0
    for word, piece in enumerate(pieces):
        if used + len(piece) > room and runs[-1]:
            runs.append([])
            used = 0
        runs[-1].append((word, piece))
        used += len(piece)
    return runs


def _show(task: Task, encoded: Encoded, tokenizer: Tokenizer, units: Sequence[int]) -> list[str]:
    """Subwords as the vocabulary writes them, a tag behind each that has one; a sentence that was split has bars."""
    assert encoded.row_labels is not None
    runs = []
    for unit in units:
        labels = encoded.row_labels[unit]
        pieces = (str(tokenizer.id_to_token(int(token))) for token in encoded.ids[unit])
        runs.append(
            " ".join(
                piece if label == IGNORED else f"{piece}/{task.labels[label]}"
                for piece, label in zip(pieces, labels, strict=True)
            )
        )
    return [shortened(" | ".join(runs))]


def _loss(model: StiltsModel, task: Task, config: TaskConfig, batch: Batch) -> torch.Tensor:
    logits = head_outputs(model, task.learner, batch).float()
    return cross_entropy(logits.flatten(0, 1), present(batch.row_labels).flatten(), reduction="sum")


def _predict(s: Scorer, task: Task, config: TaskConfig, encoded: Encoded, examples: Sequence[Any]) -> Scored:
    predicted: list[list[str]] = [["O"] * len(e.words) for e in examples]
    assert encoded.words is not None
    for batch, logits in s.outputs(task.learner, encoded):
        best = logits.argmax(-1).cpu().numpy()
        for place, unit in enumerate(batch.units):
            words = encoded.words[int(unit)]
            tags = predicted[int(encoded.unit_example[unit])]
            for token in np.flatnonzero(words >= 0):
                tags[words[token]] = task.labels[best[place, token]]
    gold = [e.tags for e in examples]
    rows = TAG_ROWS[task.metric](gold, predicted)
    is_by_word = task.metric == "accuracy"
    chance = majority_accuracy([tag for tags in gold for tag in tags]) if is_by_word else None
    return Scored(rows=rows, predictions=tuple(" ".join(tags) for tags in predicted), chance=chance)


def _features(encoded: Encoded, batch: Batch, hidden: torch.Tensor) -> Iterator[Labelled]:
    """The token of each word that has its tag."""
    labels = present(batch.row_labels).cpu().numpy()
    rows, places = np.nonzero(labels != IGNORED)
    vectors = hidden[torch.from_numpy(rows), torch.from_numpy(places)].double().cpu().numpy()
    yield vectors, labels[rows, places], keys(0, batch.rows[rows], places)


LEARNING = Learning(
    encode=_encode,
    show=_show,
    head=lambda task, make: make.token(len(task.labels)),
    loss=_loss,
    label_count=lambda batch: int((present(batch.row_labels) != IGNORED).sum()),
    predict=_predict,
    features=_features,
    export=PlainForm(names=lambda labels: labels),
)
