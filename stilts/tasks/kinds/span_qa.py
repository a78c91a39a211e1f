"""Span QA below torch: a question, and its answers in a context."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

from stilts.fingerprint import text_digest
from stilts.metrics.answers import ANSWER_METRICS, answer_rows
from stilts.metrics.metric import metric
from stilts.tasks.example import Compared, Example, Field
from stilts.tasks.hub_row import HubRow
from stilts.tasks.kind import Format, PlainUse, Scoring, Settings, TaskKind
from stilts.tasks.language_codes import base_language
from stilts.tasks.option import LANGUAGE_COLUMN, Option
from stilts.tasks.passage import Passage, around, moved, whole
from stilts.tasks.truth import answers_in


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanExample(Example):
    """A question on a context; every answer is (text, start in characters of the context).

    ``answers`` empty means that the question has no answer in the context; None, that it is unlabelled.
    """

    question: str
    context: str
    answers: tuple[tuple[str, int], ...] | None = None

    label_field = "answers"

    def with_any_label(self, labels: Sequence[str]) -> Self:
        """See ``Example``."""
        return replace(self, answers=())

    def with_label_of(self, other: Self) -> Self:
        """The same with an answer of as many words as the other's, somewhere in its own context; none if that has none.

        Another question's own answer need not stand in the context, and would be found by its text where it does.
        """
        words = [found.span() for found in re.finditer(r"\S+", self.context)]
        if not other.answers or not words:
            return replace(self, answers=other.answers and ())
        length = min(len(words), max(1, len(other.answers[0][0].split())))
        first = int(text_digest(self.item, other.item), 16) % (len(words) - length + 1)
        start, end = words[first][0], words[first + length - 1][1]
        return replace(self, answers=((self.context[start:end], start),))

    def content(self) -> str:
        """A digest of what a model would read, labels left out."""
        return text_digest(self.question, self.context)

    def texts(self) -> tuple[str, ...]:
        """Question and context."""
        return (self.question, self.context)

    def paragraph(self) -> str | None:
        """The context, which many questions share."""
        return self.context

    def passages(self) -> tuple[Passage, ...]:
        """Question and context; the answers' characters stay."""
        kept = [(start, start + len(text)) for text, start in self.answers or ()]
        return (whole(self.question), around(self.context, kept))

    def with_passages(self, passages: Sequence[Passage]) -> Self:
        """See ``Example``: answers are where they have moved to."""
        question, context = passages
        before, answers = self.passages()[1], self.answers
        if answers is not None:
            answers = tuple((text, moved(before, context, start)) for text, start in answers)
        return replace(self, question=question.text, context=context.text, answers=answers)

    def compared(self) -> Iterator[Compared]:
        """Context and question, by themselves and together."""
        yield Field.TEXT, (self.context,)
        yield Field.QUESTION, (self.question,)
        yield Field.PAIR, (self.question, self.context)

    def truth(self, place: int) -> str | None:
        """The right answers, as a JSON list."""
        return None if self.answers is None else json.dumps(answer_texts(self), ensure_ascii=False)


def answer_texts(example: SpanExample) -> list[str]:
    """The right answers of a labelled question; empty where it has none."""
    return [text for text, _ in example.answers or ()]


def without_blanks(text: str, start: int) -> tuple[str, int]:
    """An answer and where it begins, without the blanks around it."""
    return text.strip(), start + len(text) - len(text.lstrip())


def _hub_row(row: HubRow) -> Example:
    context, answers = row.text("context"), row.get("answers")
    if not isinstance(answers, dict) or "text" not in answers or "answer_start" not in answers:
        raise row.error("answers without text and answer_start", "answers")
    texts, starts = answers["text"], answers["answer_start"]
    if not isinstance(texts, list) or not isinstance(starts, list) or len(texts) != len(starts):
        raise row.error("text and answer_start are not two lists of one length", "answers")
    if not all(isinstance(text, str) for text in texts) or not all(type(start) is int for start in starts):
        raise row.error("an answer without text and answer_start", "answers")
    pairs = list(zip(texts, starts, strict=True))
    for text, start in pairs:
        if text and (start < 0 or context[start : start + len(text)] != text):
            raise row.error(f'"{text[:40]}" does not stand at character {start} of its paragraph', "answers")
    # All answers empty: placeholders, as in ``read_squad_json``.
    placeholder = bool(pairs) and not any(text.strip() for text, _ in pairs)
    kept = tuple(without_blanks(*pair) for pair in pairs if pair[0].strip())
    return SpanExample(
        item=row.item, question=row.text("question"), context=context, answers=None if placeholder else kept
    )


def _unanswered(example: Example) -> str:
    """Why squad and mlqa cannot score a question: whatever is said to one without an answer counts as wrong."""
    if isinstance(example, SpanExample) and example.answers == ():
        return 'questions have no answer in their paragraph: only the metric "squad_v2" can score these'
    return ""


def _scoring(name: str) -> Scoring:
    return Scoring(
        measure=metric(name),
        again=lambda truths, said, language: answer_rows(
            name, list(map(answers_in, truths)), said, language=base_language(language)
        ),
        may_have_no_answer=name == "squad_v2",
        check_example=None if name == "squad_v2" else _unanswered,
    )


SPAN_QA = TaskKind(
    name="span_qa",
    module=__name__,
    learning="stilts.kinds.span_qa",
    about="question, context, answers in it",
    scored_by=tuple(map(_scoring, ANSWER_METRICS)),
    hub_row=_hub_row,
    formats={
        "squad_json": Format(
            reader="stilts.data.readers.squad:read_squad_json",
            holds="SQuAD's JSON: its document, or a flat record per question, in a list or per line",
            version=2,
            options=(
                Option(
                    name="ids",
                    choices=("per_language",),
                    about="ids mean something within one language only (TyDiQA)",
                ),
                LANGUAGE_COLUMN,
            ),
            global_items=True,
        ),
        "subjqa_csv": Format(
            reader="stilts.data.readers.subjqa:read_subjqa_csv",
            holds="SubjQA's CSV, a row per annotator's answer",
            global_items=True,
        ),
    },
    settings=Settings(training=("doc_stride",), scoring=("doc_stride", "max_answer_tokens")),
    plain=PlainUse(
        auto_class="AutoModelForQuestionAnswering",
        pipeline="question-answering",
        asking="""\
batch = tokenizer("A question?", "A paragraph that answers it.", return_tensors="pt", truncation="only_second")
out = model(**batch)  # the answer: the span of the paragraph whose two logits have the largest sum
print(out.start_logits, out.end_logits)""",
    ),
    has_linear_labels=True,
    hub_version=2,
    global_hub_items=True,
    submission=frozenset({"ANSWERS"}),
    alterable=True,
    has_paragraph=True,
)
