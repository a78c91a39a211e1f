"""The right answer of an example as one text: an evaluation keeps it beside the prediction.

The text has the prediction's form: a label, a choice's number, tags or labels with spaces between them, a number, the
place of the translation among the candidates, mined pairs. A question has several right answers: they are a JSON list
of texts. What is right in a pool only the evaluation knows; it keeps the names as such a list.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from stilts.errors import InputError
from stilts.tasks.examples import (
    ChoiceExample,
    ClassificationExample,
    Example,
    MiningExample,
    MultiLabelExample,
    PairExample,
    RegressionExample,
    SpanExample,
    TaggingExample,
)


def truth_text(example: Example, place: int) -> str | None:
    """The right answer of the example at ``place`` (from 0) in its view; None where it has none or none is known."""
    if isinstance(example, ClassificationExample):
        return example.label
    if isinstance(example, ChoiceExample):
        return None if example.label is None else str(example.label)
    if isinstance(example, TaggingExample):
        return None if example.tags is None else " ".join(example.tags)
    if isinstance(example, SpanExample):
        texts = None if example.answers is None else [text for text, _ in example.answers]
        return None if texts is None else json.dumps(texts, ensure_ascii=False)
    if isinstance(example, MiningExample):
        return pairs_text(example.pairs)
    if isinstance(example, RegressionExample):
        return None if example.value is None else repr(example.value)
    if isinstance(example, MultiLabelExample):
        return None if example.labels is None else " ".join(example.labels)
    return str(place) if isinstance(example, PairExample) else None


def pairs_text(pairs: Sequence[tuple[str, str]]) -> str:
    """Pairs of ids as text: source TAB target, a line for each."""
    return "\n".join("\t".join(pair) for pair in pairs)


def pairs_in(text: str) -> list[tuple[str, str]]:
    """The pairs that ``pairs_text`` wrote; InputError for another text."""
    pairs = [tuple(line.split("\t")) for line in text.split("\n") if line]
    if any(len(pair) != 2 for pair in pairs):
        raise InputError(
            "the stored pairs of a mining",
            f'"{text[:40]}" is no list of source TAB target',
            "Nothing can be scored against them",
            "Delete the artifact and run the study again",
        )
    return [(pair[0], pair[1]) for pair in pairs]


def answers_in(truth: str) -> tuple[str, ...]:
    """The right answers of a question from its ``truth_text``; InputError for another text."""
    try:
        texts = json.loads(truth)
    except ValueError:
        texts = None
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise InputError(
            "the stored right answers of a question",
            f'"{truth[:40]}" is no JSON list of texts',
            "Nothing can be scored against them",
            "Delete the artifact and run the study again",
        )
    return tuple(texts)
