"""Readers of questions and the sentences that answer them: SQuAD as pairs, XQuAD-R (LAReQA) as questions and a pool.

As in LAReQA (Roy et al. 2020, arXiv 2004.05484) and XTREME-R's scripts: a candidate is a sentence read with its
paragraph, and answers a question whose first answer begins in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from stilts.data.readers.document import Document
from stilts.data.readers.reading import Reading
from stilts.data.readers.sentences import sentence_breaks
from stilts.tasks.kinds.retrieval import CandidateExample, PairExample, QueryExample

# LAReQA's script passes over such a question too.
_OUTSIDE = "the answer begins in no sentence"


@dataclass(frozen=True, slots=True)
class _Question:
    item: str
    text: str
    sentence: int | None


@dataclass(frozen=True, slots=True)
class _Paragraph:
    """Where a paragraph stands (from 1, over the whole file), its sentences and its questions."""

    number: int
    context: str
    sentences: tuple[str, ...]
    questions: tuple[_Question, ...]


def read_squad_sentences(reading: Reading) -> Iterator[PairExample]:
    """SQuAD's questions, each with the sentence that answers it and its paragraph; the item is the question's id.

    Sentences are ``sentence_breaks`` where the file gives them, else found by their marks.
    """
    for paragraph in _paragraphs(reading):
        for question in paragraph.questions:
            if question.sentence is None:
                reading.skipped[_OUTSIDE] += 1
                continue
            sentence = paragraph.sentences[question.sentence]
            yield PairExample(item=question.item, query=question.text, candidate=sentence, context=paragraph.context)


def read_lareqa_questions(reading: Reading) -> Iterator[QueryExample]:
    """LAReQA's questions; item and key are the id, which translations share."""
    for paragraph in _paragraphs(reading):
        for question in paragraph.questions:
            if question.sentence is None:
                reading.skipped[_OUTSIDE] += 1
                continue
            yield QueryExample(item=question.item, query=question.text, key=question.item)


def read_lareqa_sentences(reading: Reading) -> Iterator[CandidateExample]:
    """LAReQA's candidates in one language: every sentence of every paragraph that is asked about.

    One is named ``<language>_<paragraph from 1>_<sentence from 0>``, as XTREME-R's script does.
    """
    for paragraph in _paragraphs(reading):
        asked = [question for question in paragraph.questions if question.sentence is not None]
        for place, sentence in enumerate(paragraph.sentences if asked else ()):
            yield CandidateExample(
                item=f"{reading.language}_{paragraph.number}_{place}",
                text=sentence,
                context=paragraph.context,
                keys=tuple(question.item for question in asked if question.sentence == place),
            )


def _paragraphs(reading: Reading) -> Iterator[_Paragraph]:
    number = 0
    for path in reading.paths:
        place = Document(path, "SQuAD's JSON")
        for i, article in enumerate(place.list_in(place.root, "data", "")):
            for j, paragraph in enumerate(place.list_in(article, "paragraphs", f"data[{i}]")):
                number += 1
                yield _paragraph(place, paragraph, number, f"data[{i}].paragraphs[{j}]")


def _paragraph(place: Document, paragraph: object, number: int, at: str) -> _Paragraph:
    context = place.text_in(paragraph, "context", at)
    breaks = _breaks(place, paragraph, context, at)
    questions = [
        _question(place, question, context, breaks, f"{at}.qas[{k}]")
        for k, question in enumerate(place.list_in(paragraph, "qas", at))
    ]
    sentences = tuple(context[start:stop] for start, stop in breaks)
    return _Paragraph(number, context, sentences, tuple(questions))


def _breaks(place: Document, paragraph: object, context: str, at: str) -> list[tuple[int, int]]:
    if not isinstance(paragraph, dict) or "sentence_breaks" not in paragraph:
        return sentence_breaks(context)
    breaks = []
    for n, pair in enumerate(place.list_in(paragraph, "sentence_breaks", at)):
        where = f"{at}.sentence_breaks[{n}]"
        if not isinstance(pair, list) or len(pair) != 2 or not all(type(end) is int for end in pair):
            raise place.error("not a first and a last place of a sentence", where)
        start, stop = pair
        if not 0 <= start < stop <= len(context):
            raise place.error(f"{start} to {stop} of a paragraph of {len(context)} characters", where)
        place.text(context[start:stop], where)
        breaks.append((start, stop))
    return breaks


def _question(place: Document, question: object, context: str, breaks: list[tuple[int, int]], at: str) -> _Question:
    answers = place.list_in(question, "answers", at)
    text = answers[0].get("text") if answers and isinstance(answers[0], dict) else None
    start = answers[0].get("answer_start") if answers and isinstance(answers[0], dict) else None
    if not isinstance(text, str) or not text.strip() or type(start) is not int:
        raise place.error("no answer with text and answer_start", f"{at}.answers", "It tells which sentence is right")
    if start < 0 or context[start : start + len(text)] != text:
        found = f'"{text[:40]}" does not stand at character {start} of its paragraph'
        raise place.error(found, f"{at}.answers[0].answer_start", "It tells which sentence is right")
    sentence = next((n for n, (first, stop) in enumerate(breaks) if first <= start < stop), None)
    return _Question(place.text_in(question, "id", at), place.text_in(question, "question", at), sentence)
