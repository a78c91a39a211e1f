"""Encoding: examples of each task kind as token ids and labels.

``encode`` is the entry; one function per kind below it. Sequences follow the encoder's own template
(``<s> A </s>``, and ``<s> A </s></s> B </s>`` for pairs).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from tokenizers import Encoding, Tokenizer

from stilts.data.encoded import IGNORED, Encoded, Ragged
from stilts.data.tokenizing import encodings
from stilts.errors import InputError
from stilts.tasks.examples import CandidateExample, MiningExample, PairExample, QueryExample
from stilts.tasks.task import Kind

# Raise it when the same examples come to be encoded otherwise; it is part of the token cache's key.
ENCODE_VERSION = 1
# Longest question in tokens, as in the official SQuAD scripts (max_query_length).
MAX_QUESTION_TOKENS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoder:
    """A tokenizer with the lengths and labels that one task wants.

    ``query_length`` and ``candidate_length`` are retrieval's own; None: ``max_length``.
    """

    tokenizer: Tokenizer
    labels: tuple[str, ...]
    max_length: int
    doc_stride: int
    query_length: int | None = None
    candidate_length: int | None = None

    @property
    def bos(self) -> int:
        """The id of ``<s>``, which also stands for "no answer in this window"."""
        return special_id(self.tokenizer, "<s>")

    @property
    def eos(self) -> int:
        """The id of ``</s>``."""
        return special_id(self.tokenizer, "</s>")


def special_id(tokenizer: Tokenizer, token: str) -> int:
    """The id of a special token; InputError when the tokenizer lacks it."""
    found = tokenizer.token_to_id(token)
    if found is None:
        raise InputError(
            f'special token "{token}"',
            "the tokenizer does not have it",
            "stilts encodes as XLM-R does",
            "Use an encoder of the XLM-R family",
        )
    return int(found)


def encode(kind: Kind, examples: Sequence[Any], encoder: Encoder) -> Encoded:
    """The examples of one view as arrays; unlabelled examples are an InputError for kinds that have labels."""
    encoder.tokenizer.no_truncation()
    encoder.tokenizer.no_padding()
    return _ENCODERS[kind](examples, encoder)


def _classification(examples: Sequence[Any], encoder: Encoder) -> Encoded:
    inputs = [e.text if e.text_pair is None else (e.text, e.text_pair) for e in examples]
    rows, truncated = _sequences(inputs, encoder)
    index = {label: i for i, label in enumerate(encoder.labels)}
    labels = [index[_labelled(e.label, e.item)] for e in examples]
    return _one_row_units(rows, truncated, labels=np.asarray(labels, np.int32))


def _masked_lm(examples: Sequence[Any], encoder: Encoder) -> Encoded:
    inputs = [e.text if e.text_pair is None else (e.text, e.text_pair) for e in examples]
    rows, truncated = _sequences(inputs, encoder)
    return _one_row_units(rows, truncated)


def _regression(examples: Sequence[Any], encoder: Encoder) -> Encoded:
    inputs = [e.text if e.text_pair is None else (e.text, e.text_pair) for e in examples]
    rows, truncated = _sequences(inputs, encoder)
    values = [[_labelled(e.value, e.item)] for e in examples]
    return replace(_one_row_units(rows, truncated), targets=np.asarray(values, np.float32).reshape(-1, 1))


def _multi_label(examples: Sequence[Any], encoder: Encoder) -> Encoded:
    rows, truncated = _sequences([e.text for e in examples], encoder)
    index = {label: i for i, label in enumerate(encoder.labels)}
    targets = np.zeros((len(examples), len(index)), np.float32)
    for row, example in enumerate(examples):
        targets[row, [index[label] for label in _labelled(example.labels, example.item)]] = 1.0
    return replace(_one_row_units(rows, truncated), targets=targets)


def _multiple_choice(examples: Sequence[Any], encoder: Encoder) -> Encoded:
    counts = {len(e.choices) for e in examples}
    if len(counts) > 1:
        raise InputError(
            "multiple choice",
            f"examples have {sorted(counts)} choices",
            "One task has one number of choices",
            "Split the dataset by it",
        )
    inputs = [(f"{e.context} {e.question}".strip(), choice) for e in examples for choice in e.choices]
    rows, truncated = _sequences(inputs, encoder)
    labels = [int(_labelled(e.label, e.item)) for e in examples]
    return _many_row_units(rows, truncated, counts.pop() if counts else 1, np.asarray(labels, np.int32))


def _retrieval(examples: Sequence[Any], encoder: Encoder) -> Encoded:
    """Pairs are units of two rows, query and candidate; all else is a row by itself, an example's own in its order."""
    asked, offered = encoder.query_length or encoder.max_length, encoder.candidate_length or encoder.max_length
    if all(isinstance(e, PairExample) for e in examples):
        queries, cut = _sequences([e.query for e in examples], encoder, asked)
        inputs = [e.candidate if e.context is None else (e.candidate, e.context) for e in examples]
        candidates, also_cut = _sequences(inputs, encoder, offered)
        rows = [row for pair in zip(queries, candidates, strict=True) for row in pair]
        return _many_row_units(rows, cut + also_cut, 2, None)
    if isinstance(examples[0], QueryExample):
        rows, cut = _sequences([e.query for e in examples], encoder, asked)
        return _one_row_units(rows, cut)
    if isinstance(examples[0], CandidateExample):
        rows, cut = _sequences(
            [e.text if e.context is None else (e.text, e.context) for e in examples], encoder, offered
        )
        return _one_row_units(rows, cut)
    return _mining(examples, encoder)


def _mining(examples: Sequence[MiningExample], encoder: Encoder) -> Encoded:
    """A row for each sentence, an example's sources before its targets."""
    sentences = [(owner, text) for owner, e in enumerate(examples) for _, text in (*e.sources, *e.targets)]
    rows, truncated = _sequences([text for _, text in sentences], encoder)
    owners = np.asarray([owner for owner, _ in sentences], np.int32)
    return replace(_one_row_units(rows, truncated), unit_example=owners, num_examples=len(examples))


def _tagging(examples: Sequence[Any], encoder: Encoder) -> Encoded:
    index = {label: i for i, label in enumerate(encoder.labels)}
    unknown, room = special_id(encoder.tokenizer, "<unk>"), encoder.max_length - 2
    ids, labels, words, owners = [], [], [], []
    truncated = 0
    sentences = [list(e.words) for e in examples]
    batch = encodings(encoder.tokenizer, sentences, is_pretokenized=True, add_special_tokens=False)
    for number, (example, encoding) in enumerate(zip(examples, batch, strict=True)):
        tags = _labelled(example.tags, example.item)
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


def _span_qa(examples: Sequence[Any], encoder: Encoder) -> Encoded:
    tokenizer = encoder.tokenizer
    longest = min(MAX_QUESTION_TOKENS, encoder.max_length // 2)
    questions = [_cut(tokenizer, e.question, longest) for e in examples]
    room = encoder.max_length - longest - 4
    tokenizer.enable_truncation(
        encoder.max_length, stride=max(0, min(encoder.doc_stride, room - 1)), strategy="only_second"
    )
    batch = encodings(tokenizer, [(q, e.context) for q, e in zip(questions, examples, strict=True)])
    ids, spans, chars, owners = [], [], [], []
    for number, (example, encoding) in enumerate(zip(examples, batch, strict=True)):
        _labelled(example.answers, example.item)
        for window in (encoding, *encoding.overflowing):
            places = _context_places(window)
            ids.append(window.ids)
            chars.append(places.reshape(-1).tolist())
            spans.append(_answer_tokens(places, example.answers))
            owners.append(number)
    tokenizer.no_truncation()
    return Encoded(
        ids=Ragged.of(ids),
        rows_per_unit=1,
        unit_example=np.asarray(owners, np.int32),
        num_examples=len(examples),
        num_truncated=0,
        spans=np.asarray(spans, np.int32).reshape(-1, 2),
        chars=Ragged.of(chars),
    )


def _cut(tokenizer: Tokenizer, text: str, tokens: int) -> str:
    """The text's first ``tokens`` tokens, as text."""
    (encoding,) = encodings(tokenizer, [text], add_special_tokens=False)
    return text if len(encoding.ids) <= tokens else text[: encoding.offsets[tokens - 1][1]]


def _context_places(window: Encoding) -> np.ndarray[Any, np.dtype[np.int32]]:
    """(tokens, 2) character span of each token of the context, -1 for the question's and special tokens."""
    places = np.asarray(window.offsets, np.int32).reshape(-1, 2)
    inside = np.asarray([sequence == 1 for sequence in window.sequence_ids])
    return np.where(inside[:, None], places, -1).astype(np.int32)


def _answer_tokens(places: np.ndarray[Any, Any], answers: Sequence[tuple[str, int]]) -> tuple[int, int]:
    """First and last token of the first answer that lies wholly in the window; (0, 0) where none does."""
    for text, start in answers:
        end = start + len(text)
        covering = np.flatnonzero((places[:, 1] > start) & (places[:, 0] < end) & (places[:, 0] >= 0))
        if text and len(covering) and places[covering[-1], 1] >= end and places[covering[0], 0] <= start:
            return int(covering[0]), int(covering[-1])
    return 0, 0


def _sequences(inputs: Sequence[Any], encoder: Encoder, longest: int | None = None) -> tuple[list[list[int]], int]:
    encoder.tokenizer.enable_truncation(longest or encoder.max_length, strategy="longest_first")
    rows, truncated = [], 0
    for encoding in encodings(encoder.tokenizer, inputs):
        rows.append(encoding.ids)
        truncated += bool(encoding.overflowing)
    encoder.tokenizer.no_truncation()
    return rows, truncated


def _one_row_units(rows: list[list[int]], truncated: int, labels: Any = None) -> Encoded:
    return _many_row_units(rows, truncated, 1, labels)


def _many_row_units(rows: list[list[int]], truncated: int, per_unit: int, labels: Any) -> Encoded:
    units = len(rows) // per_unit
    return Encoded(
        ids=Ragged.of(rows),
        rows_per_unit=per_unit,
        unit_example=np.arange(units, dtype=np.int32),
        num_examples=units,
        num_truncated=truncated,
        labels=labels,
    )


def _labelled(label: Any, item: str) -> Any:
    if label is None:
        raise InputError(
            f'label of example "{item}"',
            "the release has none",
            "A placeholder would be learned or scored as if it were real",
            "Use a split with labels",
        )
    return label


_ENCODERS: Mapping[Kind, Callable[[Sequence[Any], Encoder], Encoded]] = {
    Kind.CLASSIFICATION: _classification,
    Kind.TAGGING: _tagging,
    Kind.SPAN_QA: _span_qa,
    Kind.MULTIPLE_CHOICE: _multiple_choice,
    Kind.RETRIEVAL: _retrieval,
    Kind.MASKED_LM: _masked_lm,
    Kind.REGRESSION: _regression,
    Kind.MULTI_LABEL: _multi_label,
}
