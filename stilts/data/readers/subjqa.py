"""Reader of SubjQA's CSV: questions on reviews, answered by several annotators with a span or with "there is none"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from stilts.data.readers.reading import Reading
from stilts.data.readers.rows import csv_rows
from stilts.data.readers.texts import filled
from stilts.errors import DataError
from stilts.tasks.kinds.span_qa import SpanExample

# What an annotator marks who finds no answer; it stands behind every review to be marked, and is no part of it.
_NONE = "ANSWERNOTFOUND"
_PLACES = re.compile(r"\((\d{1,9}), ?(\d{1,9})\)")


@dataclass(slots=True)
class _ReviewQuestion:
    """A question as its first row gives it, with the answers of all its rows."""

    line: int
    question: str
    context: str
    answers: list[tuple[str, int]] = field(default_factory=list)


def read_subjqa_csv(reading: Reading) -> Iterator[SpanExample]:
    """One example per question on a review, in the order of first rows; the item is ``q_review_id``.

    Rows of one question are its annotators'. Its answers are the spans that any of them marked, as the review writes
    them (``human_ans_indices``): ``human_ans_spans`` is tokenized, and leaves out words where a span has gaps. A
    question has no answer where no annotator found one. A row whose span reaches into the mark for "none" says
    both: it is left out and counted.
    """
    for path in reading.paths:
        questions: dict[str, _ReviewQuestion] = {}
        for line, row in csv_rows(path):
            marked = filled(row, "human_ans_spans", path, line)
            if marked.endswith(_NONE) and marked.strip() != _NONE:
                reading.skipped["a span and no answer are marked together"] += 1
                continue
            item, question = filled(row, "q_review_id", path, line), filled(row, "question", path, line)
            context = _review(filled(row, "review", path, line), path, line)
            first = questions.setdefault(item, _ReviewQuestion(line, question, context))
            if (question, context) != (first.question, first.context):
                why = f"Line {first.line} has that q_review_id too, with another question or review"
                raise DataError(path, f'two questions "{item}"', line=line, field="q_review_id", why=why)
            answer = _answer(row, marked, context, path, line)
            if answer is not None and answer not in first.answers:
                first.answers.append(answer)
        for item, asked in questions.items():
            yield SpanExample(item=item, question=asked.question, context=asked.context, answers=tuple(asked.answers))


def _review(text: str, path: Path, line: int) -> str:
    """The review without the mark behind it."""
    review = text.removesuffix(_NONE).rstrip()
    if not review:
        raise DataError(path, "the review is empty", line=line, field="review", why="A model has nothing to read there")
    return review


def _answer(row: dict[str, str], marked: str, review: str, path: Path, line: int) -> tuple[str, int] | None:
    """The marked span of the review and where it begins; None where the annotator found none."""
    places = _PLACES.fullmatch(filled(row, "human_ans_indices", path, line))
    if places is None:
        why = 'Two places in the review, as in "(21, 39)"'
        raise DataError(path, "no places of an answer", line=line, field="human_ans_indices", why=why)
    if marked.strip() == _NONE:
        return None
    start, end = int(places[1]), int(places[2])
    text = review[start:end]
    if not text.strip() or not _is_in(marked, text):
        why = "A span is learned by its position"
        found = f'"{marked[:40]}" does not stand at characters {start} to {end} of its review'
        raise DataError(path, found, line=line, field="human_ans_indices", why=why, next_step="Mend the row")
    begin = start + len(text) - len(text.lstrip())
    return text.strip(), begin


def _is_in(marked: str, text: str) -> bool:
    """Whether the marked characters stand in the text in their order, spaces aside, from its first on."""
    rest = iter("".join(text.split()))
    wanted = "".join(marked.split())
    return text.lstrip()[:1] == wanted[:1] and all(character in rest for character in wanted)
