"""Decoded: an encoded example as text again, with what is to be learned from it, for people to look at.

What is shown comes from the arrays that a model gets, not from the example: a wrong offset, a label on the wrong
subword or a cut that hides the answer is seen. ``decoded`` is the entry; one function per kind below it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from tokenizers import Tokenizer

from stilts.data.encoded import IGNORED, Encoded, IntArray
from stilts.shown import shown
from stilts.tasks.task import Kind, Task

# Characters of a line, and of what stands around an answer.
_LINE, _AROUND = 240, 60


def decoded(task: Task, encoded: Encoded, tokenizer: Tokenizer, example: int) -> str:
    """The example of that number with its label, answer, tags or value; one line, or one per choice."""
    units = np.flatnonzero(encoded.unit_example == example).tolist()
    return _SHOWN[task.kind](task, encoded, tokenizer, units)


def _text(encoded: Encoded, tokenizer: Tokenizer, row: int) -> str:
    return _shortened(_of(tokenizer, encoded.ids[row]))


def _of(tokenizer: Tokenizer, ids: IntArray) -> str:
    return str(tokenizer.decode(ids.tolist(), skip_special_tokens=False))


def _shortened(text: str, most: int = _LINE) -> str:
    """The text, its middle left out where it is long: both texts of a pair stay in sight."""
    half = (most - 5) // 2
    return text if len(text) <= most else f"{text[:half]} ... {text[-half:]}"


def _classification(task: Task, encoded: Encoded, tokenizer: Tokenizer, units: Sequence[int]) -> str:
    assert encoded.labels is not None
    return f"{_text(encoded, tokenizer, units[0])} -> {task.labels[encoded.labels[units[0]]]}"


def _regression(task: Task, encoded: Encoded, tokenizer: Tokenizer, units: Sequence[int]) -> str:
    assert encoded.targets is not None
    low, high = task.labels
    return f"{_text(encoded, tokenizer, units[0])} -> {encoded.targets[units[0], 0]:g} of {low} to {high}"


def _multi_label(task: Task, encoded: Encoded, tokenizer: Tokenizer, units: Sequence[int]) -> str:
    assert encoded.targets is not None
    names = [label for label, on in zip(task.labels, encoded.targets[units[0]], strict=True) if on]
    return f"{_text(encoded, tokenizer, units[0])} -> {', '.join(names) or 'no label'}"


def _multiple_choice(task: Task, encoded: Encoded, tokenizer: Tokenizer, units: Sequence[int]) -> str:
    assert encoded.labels is not None
    # Each choice is one line, whatever its text holds.
    rows = [shown(_text(encoded, tokenizer, int(row))) for row in encoded.rows_of(np.asarray(units[:1]))]
    right = int(encoded.labels[units[0]])
    return "\n".join(f"({'x' if number == right else ' '}) {row}" for number, row in enumerate(rows))


def _tagging(task: Task, encoded: Encoded, tokenizer: Tokenizer, units: Sequence[int]) -> str:
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
    return _shortened(" | ".join(runs))


def _span_qa(task: Task, encoded: Encoded, tokenizer: Tokenizer, units: Sequence[int]) -> str:
    """The question and what stands around the answer, which is in double brackets, in the window that holds it."""
    assert encoded.spans is not None and encoded.chars is not None
    holding = [unit for unit in units if encoded.spans[unit].any()]
    unit = (holding or list(units))[0]
    ids, (first, last) = encoded.ids[unit], encoded.spans[unit]
    inside = np.flatnonzero(encoded.chars[unit].reshape(-1, 2)[:, 0] >= 0)
    begin = int(inside[0]) if len(inside) else len(ids)
    question = _shortened(_of(tokenizer, ids[:begin]), _LINE // 2)
    windows = f" ({len(units)} windows)" if len(units) > 1 else ""
    if not holding:
        return f"{question} {_shortened(_of(tokenizer, ids[begin:]), _LINE // 2)} -> no answer in any window{windows}"
    before, after = _of(tokenizer, ids[begin:first]), _of(tokenizer, ids[last + 1 :])
    cut = f"... {before[-_AROUND:]}" if len(before) > _AROUND else before
    rest = f"{after[:_AROUND]} ..." if len(after) > _AROUND else after
    return f"{question} {cut} [[{_of(tokenizer, ids[first : last + 1])}]] {rest}{windows}"


def _retrieval(task: Task, encoded: Encoded, tokenizer: Tokenizer, units: Sequence[int]) -> str:
    """What stands for one another; a text by itself where a pool holds its answer, or where it is a pool's."""
    return " = ".join(_text(encoded, tokenizer, int(row)) for row in encoded.rows_of(np.asarray(units)))


def _masked_lm(task: Task, encoded: Encoded, tokenizer: Tokenizer, units: Sequence[int]) -> str:
    return f"{_text(encoded, tokenizer, units[0])} (tokens are masked in every step anew)"


_SHOWN: Mapping[Kind, Callable[[Task, Encoded, Tokenizer, Sequence[int]], str]] = {
    Kind.CLASSIFICATION: _classification,
    Kind.REGRESSION: _regression,
    Kind.MULTI_LABEL: _multi_label,
    Kind.MULTIPLE_CHOICE: _multiple_choice,
    Kind.TAGGING: _tagging,
    Kind.SPAN_QA: _span_qa,
    Kind.RETRIEVAL: _retrieval,
    Kind.MASKED_LM: _masked_lm,
}
