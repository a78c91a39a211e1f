"""Reader of SQuAD's JSON: SQuAD 1.1 and 2.0, XQuAD, MLQA, TyDiQA-GoldP, PolicyQA; nested, or a record per question."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from stilts.data.readers.document import Document, DocumentLine, joined
from stilts.data.readers.opened import open_data
from stilts.data.readers.reading import Reading
from stilts.data.readers.rows import MOST_BYTES_OF_A_DOCUMENT, json_rows
from stilts.tasks.kinds.span_qa import SpanExample, without_blanks

_HOLDS = "SQuAD's JSON"
# How a document begins that is no record: with the keys of SQuAD's releases, or as a list.
_DOCUMENT = re.compile(rb'\s*(?:\xef\xbb\xbf)?\s*(?:\[|\{\s*"(?:data|version)")')
_LONGEST_RECORD = 2**22


def read_squad_json(reading: Reading) -> Iterator[SpanExample]:
    """Questions on paragraphs. The item is the question's id, which XQuAD's and MLQA's translations share.

    The file is SQuAD's document, or flat records, each with its context: a list of them, ``data`` with them, or one per
    line, as the hub's tools write them (answers as a list, or as lists of texts and places).

    Option ``ids: per_language`` makes the item ``<language>/<id>``, for releases whose ids mean something within one
    file only (TyDiQA). An empty list of answers says that there is none in the paragraph, and must agree with
    ``is_impossible`` where a question has that (SQuAD 2.0, whose ``plausible_answers`` are wrong ones). Answers that
    are all the empty text are placeholders where a release keeps its labels back (TyDiQA's dev files, as XTREME
    hands them out): the example is then unlabelled, ``answers`` None, and no metric can score it. Blanks around an
    answer are no part of its span.
    """
    prefix = f"{reading.language}/" if reading.options.get("ids") == "per_language" else ""
    for path in reading.paths:
        for place, context, question, at in _questions(reading, path):
            yield SpanExample(
                item=prefix + _identifier(place, question, at),
                question=place.text_in(question, "question", at),
                context=context,
                answers=None if reading.unlabelled else _answers(place, question, context, at),
            )


def _questions(reading: Reading, path: Path) -> Iterator[tuple[Document, str, object, str]]:
    """Each question's file, context, record and place in the file."""
    if _has_records_in_lines(path):
        for line, row in reading.spoken(json_rows(path), path):
            place: Document = DocumentLine(path, _HOLDS, line, row)
            yield place, place.text_in(row, "context", ""), row, ""
        return
    place = Document(path, _HOLDS)
    articles, at = (place.root, "") if isinstance(place.root, list) else (place.list_in(place.root, "data", ""), "data")
    for i, article in enumerate(articles):
        where = f"{at}[{i}]"
        if isinstance(article, dict) and "context" in article and "paragraphs" not in article:
            yield place, place.text_in(article, "context", where), article, where
            continue
        for j, paragraph in enumerate(place.list_in(article, "paragraphs", where)):
            inner = f"{where}.paragraphs[{j}]"
            context = place.text_in(paragraph, "context", inner)
            for k, question in enumerate(place.list_in(paragraph, "qas", inner)):
                yield place, context, question, f"{inner}.qas[{k}]"


def _has_records_in_lines(path: Path) -> bool:
    """Whether the first line is a whole record by itself."""
    with open_data(path, MOST_BYTES_OF_A_DOCUMENT) as stream:
        first = stream.readline(_LONGEST_RECORD)
    if _DOCUMENT.match(first):
        return False
    try:
        return isinstance(json.loads(first), dict)
    except (ValueError, RecursionError):
        return False


def _identifier(place: Document, question: object, at: str) -> str:
    value = question.get("id") if isinstance(question, dict) else None
    return str(value) if type(value) is int else place.text_in(question, "id", at)


def _answers(place: Document, question: object, context: str, at: str) -> tuple[tuple[str, int], ...] | None:
    if not isinstance(question, dict) or "answers" not in question:
        return None
    given = _listed(place, question, at)
    _check_impossible(place, question, len(given), at)
    answers = []
    for n, answer in enumerate(given):
        where = f"{joined(at, 'answers')}[{n}]"
        text = answer.get("text") if isinstance(answer, dict) else None
        start = answer.get("answer_start") if isinstance(answer, dict) else None
        if not isinstance(text, str) or not isinstance(start, int) or isinstance(start, bool):
            raise place.error("an answer without text and answer_start", where)
        if text and (start < 0 or context[start : start + len(text)] != text):
            raise place.error(
                f'"{text[:40]}" does not stand at character {start} of its paragraph',
                f"{where}.answer_start",
                "A span is learned by its position",
            )
        answers.append((place.text(text, f"{where}.text") if text.strip() else text, start))
    if answers and not any(text.strip() for text, _ in answers):
        return None
    return tuple(without_blanks(text, start) for text, start in answers if text.strip())


def _listed(place: Document, question: dict[str, object], at: str) -> list[object]:
    """The answers one by one; a table has lists of texts and places instead."""
    answers = question["answers"]
    if not isinstance(answers, dict):
        return place.list_in(question, "answers", at)
    where = joined(at, "answers")
    texts, starts = place.list_in(answers, "text", where), place.list_in(answers, "answer_start", where)
    if len(texts) != len(starts):
        raise place.error(f"{len(texts)} texts for {len(starts)} places", where)
    return [{"text": text, "answer_start": start} for text, start in zip(texts, starts, strict=True)]


def _check_impossible(place: Document, question: dict[str, object], num: int, at: str) -> None:
    """Raises DataError where ``is_impossible`` is given and says other than the list of answers."""
    if "is_impossible" not in question:
        return
    impossible, where = question["is_impossible"], joined(at, "is_impossible")
    if not isinstance(impossible, bool):
        raise place.error("neither true nor false", where)
    if impossible != (num == 0):
        said = "has answers" if impossible else "has none"
        why = "A question has no answer where is_impossible is true, and only there"
        raise place.error(f"is_impossible is {str(impossible).lower()}, but the question {said}", where, why)
