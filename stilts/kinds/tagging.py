"""Tagging: a tag for each word by its first subword; a sentence over the length is split, none of it lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from tokenizers import Encoding, Tokenizer
from torch.nn.functional import cross_entropy

from stilts.data.collate import Batch, present
from stilts.data.counter_hash import keys
from stilts.data.decoded import shortened
from stilts.data.encode import TaskTokenizer, labelled, special_id
from stilts.data.encoded import IGNORED, Encoded, Ragged
from stilts.data.tokenizing import encodings
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
    unknown, room = special_id(encoder.tokenizer, "<unk>"), encoder.max_length - 2
    ids, labels, words, owners = [], [], [], []
    truncated = 0
    sentences = [list(e.words) for e in examples]
    batch = encodings(encoder.tokenizer, sentences, is_pretokenized=True, add_special_tokens=False)
    for number, (example, encoding) in enumerate(zip(examples, batch, strict=True)):
        tags = labelled(example.tags, example.item)
        pieces = _pieces_by_word(encoding, len(example.words), unknown)
        truncated += sum(len(piece) > room for piece in pieces)
        for run in _runs([piece[:room] for piece in pieces], room):
            starts = [w if i == 0 else -1 for w, piece in run for i in range(len(piece))]
            ids.append([encoder.bos, *(t for _, piece in run for t in piece), encoder.eos])
            words.append([-1, *starts, -1])
            labels.append([IGNORED, *(index[tags[w]] if w >= 0 else IGNORED for w in starts), IGNORED])
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


def _pieces_by_word(encoding: Encoding, num_words: int, unknown: int) -> list[list[int]]:
    """Token ids of each word; a word that normalises to nothing becomes ``<unk>``, so that none is lost."""
    pieces: list[list[int]] = [[] for _ in range(num_words)]
    for token, word in zip(encoding.ids, encoding.word_ids, strict=True):
        if word is not None:
            pieces[word].append(token)
    return [piece or [unknown] for piece in pieces]


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
    """The first token of each word, with its tag."""
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
