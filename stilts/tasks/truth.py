"""Right answers that are more than one text, as one text and back: an evaluation keeps it beside the prediction."""

from __future__ import annotations

import json
from collections.abc import Sequence

from stilts.errors import InputError


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
