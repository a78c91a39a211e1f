"""The right answer of an example as one text: an evaluation keeps it beside the prediction.

The text has the prediction's form: a label, a choice's number, tags with spaces between them, the place of the
translation among the candidates. A question has several right answers: they are a JSON list of texts.
"""

from __future__ import annotations

import json

from stilts.errors import InputError
from stilts.tasks.examples import (
    ChoiceExample,
    ClassificationExample,
    Example,
    PairExample,
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
    return str(place) if isinstance(example, PairExample) else None


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
