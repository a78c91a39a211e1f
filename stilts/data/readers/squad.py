"""Reader of SQuAD's JSON: SQuAD, XQuAD, MLQA, TyDiQA-GoldP, PolicyQA."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from stilts.data.readers.reading import Reading, whole_text
from stilts.errors import DataError
from stilts.tasks.examples import SpanExample


def read_squad_json(reading: Reading) -> Iterator[SpanExample]:
    """Questions on paragraphs. The item is the question's id, which XQuAD's and MLQA's translations share.

    Option ``ids: per_language`` makes it ``<language>/<id>``, for releases whose ids mean something within one file
    only (TyDiQA). An empty list of answers says that there is none in the paragraph (SQuAD 2.0). Answers that are all
    the empty text are placeholders where a release keeps its labels back (TyDiQA's dev files, as XTREME
    hands them out): the example is then unlabelled, ``answers`` None, and no metric can score it.
    """
    prefix = f"{reading.language}/" if reading.options.get("ids") == "per_language" else ""
    for path in reading.paths:
        place = _Place(path)
        document = _parsed(path)
        for i, article in enumerate(place.list_in(document, "data", "")):
            for j, paragraph in enumerate(place.list_in(article, "paragraphs", f"data[{i}]")):
                at = f"data[{i}].paragraphs[{j}]"
                context = place.text_in(paragraph, "context", at)
                for k, question in enumerate(place.list_in(paragraph, "qas", at)):
                    where = f"{at}.qas[{k}]"
                    yield SpanExample(
                        item=prefix + place.text_in(question, "id", where),
                        question=place.text_in(question, "question", where),
                        context=context,
                        answers=_answers(place, question, context, where),
                    )


class _Place:
    """Access to one file's JSON that raises DataError with the path of the field."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def error(self, found: str, at: str, why: str = "") -> DataError:
        """The error of one field."""
        return DataError(self.path, found, field=at, why=why, next_step="Mend the file or take the question out")

    def list_in(self, value: object, key: str, at: str) -> list[object]:
        """The list under ``key``."""
        found = self._get(value, key, at)
        if not isinstance(found, list):
            raise self.error(f"a {type(found).__name__} where a list belongs", _join(at, key))
        return found

    def text_in(self, value: object, key: str, at: str) -> str:
        """The text under ``key``, which must not be blank."""
        found = self._get(value, key, at)
        if not isinstance(found, str):
            raise self.error(f"a {type(found).__name__} where text belongs", _join(at, key))
        if not found.strip():
            raise self.error("the text is empty", _join(at, key))
        return found

    def _get(self, value: object, key: str, at: str) -> object:
        if not isinstance(value, dict) or key not in value:
            raise self.error("the field is missing", _join(at, key), "SQuAD's JSON has it")
        return value[key]


def _answers(place: _Place, question: object, context: str, at: str) -> tuple[tuple[str, int], ...] | None:
    if not isinstance(question, dict) or "answers" not in question:
        return None
    answers = []
    for n, answer in enumerate(place.list_in(question, "answers", at)):
        where = f"{at}.answers[{n}]"
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
        answers.append((text, start))
    if answers and not any(text.strip() for text, _ in answers):
        return None
    return tuple((text, start) for text, start in answers if text.strip())


def _parsed(path: Path) -> object:
    try:
        return json.loads(whole_text(path))
    except json.JSONDecodeError as error:
        raise DataError(
            path,
            f"not JSON: {error.msg}",
            line=error.lineno,
            why="The whole file is one JSON document",
            next_step="Copy the file again; it may be cut short",
        ) from error


def _join(at: str, key: str) -> str:
    return f"{at}.{key}" if at else key
