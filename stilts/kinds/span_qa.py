"""Span QA: the first and the last token of an answer, in windows over the context; a special one says there is none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer
from torch.nn.functional import cross_entropy

from stilts.data.collate import Batch, present
from stilts.data.counter_hash import keys
from stilts.data.decoded import LINE, shortened, text_of
from stilts.data.encode import TaskTokenizer, labelled
from stilts.data.encoded import Encoded, Ragged
from stilts.data.tokenizing import encodings
from stilts.kinds.learning import Learning
from stilts.kinds.scored import BestSpans, Scored, by_threshold, truths_of
from stilts.kinds.scorer import Scorer, head_outputs
from stilts.kinds.vectors import Labelled
from stilts.metrics.answers import answer_rows
from stilts.models.export import PlainForm
from stilts.models.model import StiltsModel
from stilts.study.config import TaskConfig
from stilts.tasks.kinds.span_qa import answer_texts
from stilts.tasks.language_codes import base_language
from stilts.tasks.task import Task

# Longest question in tokens, as in the official SQuAD scripts (max_query_length).
MAX_QUESTION_TOKENS = 64
# Characters that are shown around an answer.
_AROUND = 60
_OUTSIDE = 2  # tokens beside the answer that a window gives as features


def _encode(examples: Sequence[Any], encoder: TaskTokenizer) -> Encoded:
    tokenizer, special = encoder.tokenizer, encoder.special
    longest = min(MAX_QUESTION_TOKENS, encoder.max_length // 2)
    questions = [_cut(tokenizer, e.question, longest) for e in examples]
    room = encoder.max_length - longest - tokenizer.num_special_tokens_to_add(True)
    tokenizer.enable_truncation(
        encoder.max_length, stride=max(0, min(encoder.doc_stride, room - 1)), strategy="only_second"
    )
    batch = encodings(tokenizer, [(q, e.context) for q, e in zip(questions, examples, strict=True)])
    ids, spans, chars, owners = [], [], [], []
    for number, (example, encoding) in enumerate(zip(examples, batch, strict=True)):
        labelled(example.answers, example.item)
        for window in (encoding, *encoding.overflowing):
            places = _context_places(window)
            ids.append(window.ids)
            chars.append(places.reshape(-1).tolist())
            none = no_answer_place(len(places), special.reads_from_end)
            spans.append(_answer_tokens(places, example.answers) or (none, none))
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


def no_answer_place(num_tokens: int, reads_from_end: bool) -> int:
    """The token of a window that says that no answer is in it: the first, or the last of texts read from the end."""
    return num_tokens - 1 if reads_from_end else 0


def _answer_tokens(places: np.ndarray[Any, Any], answers: Sequence[tuple[str, int]]) -> tuple[int, int] | None:
    """First and last token of the first answer that lies wholly in the window; None where none does.

    What of an answer no token has, a tokenizer leaves out (XLM-R's zero-width spaces): only at the window's ends may it
    be cut off.
    """
    context = np.flatnonzero(places[:, 0] >= 0)
    for text, start in answers:
        end = start + len(text)
        covering = context[(places[context, 1] > start) & (places[context, 0] < end)]
        if not text or not len(covering):
            continue
        first, last = int(covering[0]), int(covering[-1])
        if (places[first, 0] <= start or first > context[0]) and (places[last, 1] >= end or last < context[-1]):
            return first, last
    return None


def _holds_answer(encoded: Encoded, unit: int) -> bool:
    """Whether a window's span lies in the context."""
    assert encoded.spans is not None and encoded.chars is not None
    return bool(encoded.chars[unit].reshape(-1, 2)[encoded.spans[unit][0], 0] >= 0)


def _show(task: Task, encoded: Encoded, tokenizer: Tokenizer, units: Sequence[int]) -> list[str]:
    """The question and what stands around the answer, which is in double brackets, in the window that holds it."""
    assert encoded.spans is not None and encoded.chars is not None
    holding = [unit for unit in units if _holds_answer(encoded, unit)]
    unit = (holding or list(units))[0]
    ids, (first, last) = encoded.ids[unit], encoded.spans[unit]
    inside = np.flatnonzero(encoded.chars[unit].reshape(-1, 2)[:, 0] >= 0)
    begin = int(inside[0]) if len(inside) else len(ids)
    question = shortened(text_of(tokenizer, ids[:begin]), LINE // 2)
    windows = f" ({len(units)} windows)" if len(units) > 1 else ""
    if not holding:
        context = shortened(text_of(tokenizer, ids[begin:]), LINE // 2)
        return [f"{question} {context} -> no answer in any window{windows}"]
    before, after = text_of(tokenizer, ids[begin:first]), text_of(tokenizer, ids[last + 1 :])
    cut = f"... {before[-_AROUND:]}" if len(before) > _AROUND else before
    rest = f"{after[:_AROUND]} ..." if len(after) > _AROUND else after
    return [f"{question} {cut} [[{text_of(tokenizer, ids[first : last + 1])}]] {rest}{windows}"]


def _loss(model: StiltsModel, task: Task, config: TaskConfig, batch: Batch) -> torch.Tensor:
    logits = head_outputs(model, task.learner, batch).float()
    logits = logits.masked_fill(~batch.mask.unsqueeze(-1), float("-inf"))
    spans = present(batch.spans)
    first = cross_entropy(logits[..., 0], spans[:, 0], reduction="sum")
    return first + cross_entropy(logits[..., 1], spans[:, 1], reduction="sum")


def _predict(s: Scorer, task: Task, config: TaskConfig, encoded: Encoded, examples: Sequence[Any]) -> Scored:
    """Answers of the best span over all windows; where questions may have none, by a threshold of 0.

    "No answer" has the logits of ``no_answer_place``, start and end together, least over the windows (Devlin et al.
    2019, 4.3).
    """
    best, null = np.full(len(examples), -np.inf), np.full(len(examples), np.inf)
    texts = [""] * len(examples)
    assert encoded.chars is not None
    for batch, found in s.outputs(task.learner, encoded):
        logits = found.cpu().numpy()
        windows = [encoded.chars[int(unit)].reshape(-1, 2) for unit in batch.units]
        inside = np.zeros(logits.shape[:2], np.bool_)
        for place, chars in enumerate(windows):
            inside[place, : len(chars)] = chars[:, 0] >= 0
        scores, firsts, lasts = best_spans(logits, inside, config.max_answer_tokens)
        for place, (unit, chars) in enumerate(zip(batch.units, windows, strict=True)):
            example = int(encoded.unit_example[unit])
            none = no_answer_place(len(chars), s.vocabulary.reads_from_end)
            null[example] = min(null[example], float(logits[place, none].sum()))
            if scores[place] > best[example]:
                best[example] = scores[place]
                first, last = chars[firsts[place], 0], chars[lasts[place], 1]
                texts[example] = examples[example].context[first:last].strip()
    if task.may_have_no_answer:
        return by_threshold(BestSpans(texts=tuple(texts), differences=null - best), task, truths_of(examples), 0.0)
    rows = answer_rows(task.metric, [answer_texts(e) for e in examples], texts, language=base_language(s.language))
    return Scored(rows=rows, predictions=tuple(texts), chance=None)


def best_spans(
    logits: NDArray[np.float32], inside: NDArray[np.bool_], longest: int
) -> tuple[NDArray[np.float32], NDArray[np.intp], NDArray[np.intp]]:
    """Each window's span of at most ``longest`` tokens, wholly in the context, whose two logits have the largest sum.

    ``logits`` (windows, tokens, 2), ``inside`` (windows, tokens): what is of the context. Sums (windows,), -inf where
    there is no context, then first and last tokens; of equal sums the earliest start, then the earliest end.
    All pairs are looked at. The official scripts pair their 20 best starts with their 20 best ends (``n_best_size``),
    and may so miss the best allowed pair: this one's sum is theirs or a larger one.
    """
    longest = min(longest, inside.shape[1])
    start, end = np.where(inside[..., None], logits, -np.inf).transpose(2, 0, 1)
    beyond = np.full((len(end), longest - 1), -np.inf, end.dtype)
    ends = np.lib.stride_tricks.sliding_window_view(
        np.concatenate([end, beyond], axis=1), longest, axis=1
    )  # (windows, tokens, longest)
    total = (start[..., None] + ends).reshape(len(start), -1)
    found = total.argmax(axis=1)
    first, more = np.divmod(found, longest)
    return total[np.arange(len(found)), found], first, first + more


def _features(encoded: Encoded, batch: Batch, hidden: torch.Tensor) -> Iterator[Labelled]:
    """Tokens of the windows that hold the answer, less the mean of the window's context.

    They are the answer's first token (1), its last (2, where that is another), and two tokens outside the answer
    (0). An answer is found by a softmax: what a window's tokens have in common cannot matter to a head.
    """
    assert encoded.spans is not None and encoded.chars is not None
    for place, unit in enumerate(batch.units.tolist()):
        first, last = encoded.spans[unit].tolist()
        context = np.flatnonzero(encoded.chars[unit].reshape(-1, 2)[:, 0] >= 0)
        if not _holds_answer(encoded, unit) or not len(context):
            continue
        outside = context[(context < first) | (context > last)]
        drawn = outside[np.argsort(keys(0, unit, outside), kind="stable")[:_OUTSIDE]]
        places = [first, *([last] if last != first else []), *drawn.tolist()]
        labels = [1, *([2] if last != first else []), *[0] * len(drawn)]
        tokens = hidden[place].double().cpu().numpy()
        order = np.repeat(keys(0, unit), len(places))  # a window's tokens are drawn together
        yield tokens[places] - tokens[context].mean(axis=0), np.asarray(labels), order


LEARNING = Learning(
    encode=_encode,
    encode_version=2,
    show=_show,
    # Two outputs: an answer's first and last token. A bias common to all tokens cannot change their softmax: its
    # gradient is rounding noise, which Adam would blow up to whole steps.
    head=lambda task, make: make.token(2, bias=False),
    loss=_loss,
    label_count=lambda batch: 2 * len(batch.units),
    predict=_predict,
    features=_features,
    export=PlainForm(),
)
