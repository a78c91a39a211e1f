"""Reader of SQuAD's JSON: SQuAD 1.1 and 2.0, XQuAD, MLQA, TyDiQA-GoldP, PolicyQA."""

from __future__ import annotations

from collections.abc import Iterator

from stilts.data.readers.document import Document
from stilts.data.readers.reading import Reading
from stilts.tasks.kinds.span_qa import SpanExample


def read_squad_json(reading: Reading) -> Iterator[SpanExample]:
    """Questions on paragraphs. The item is the question's id, which XQuAD's and MLQA's translations share.

    Option ``ids: per_language`` makes it ``<language>/<id>``, for releases whose ids mean something within one file
    only (TyDiQA). An empty list of answers says that there is none in the paragraph, and must agree with
    ``is_impossible`` where a question has that (SQuAD 2.0, whose ``plausible_answers`` are wrong ones). Answers that
    are all the empty text are placeholders where a release keeps its labels back (TyDiQA's dev files, as XTREME
    hands them out): the example is then unlabelled, ``answers`` None, and no metric can score it.
    """
    prefix = f"{reading.language}/" if reading.options.get("ids") == "per_language" else ""
    for path in reading.paths:
        place = Document(path, "SQuAD's JSON")
        for i, article in enumerate(place.list_in(place.root, "data", "")):
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


def _answers(place: Document, question: object, context: str, at: str) -> tuple[tuple[str, int], ...] | None:
    if not isinstance(question, dict) or "answers" not in question:
        return None
    _check_impossible(place, question, at)
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
        answers.append((place.text(text, f"{where}.text") if text.strip() else text, start))
    if answers and not any(text.strip() for text, _ in answers):
        return None
    return tuple((text, start) for text, start in answers if text.strip())


def _check_impossible(place: Document, question: dict[str, object], at: str) -> None:
    """Raises DataError where ``is_impossible`` is given and says other than the list of answers."""
    if "is_impossible" not in question:
        return
    impossible, num = question["is_impossible"], len(place.list_in(question, "answers", at))
    if not isinstance(impossible, bool):
        raise place.error("neither true nor false", f"{at}.is_impossible")
    if impossible != (num == 0):
        said = "has answers" if impossible else "has none"
        why = "A question has no answer where is_impossible is true, and only there"
        raise place.error(
            f"is_impossible is {str(impossible).lower()}, but the question {said}", f"{at}.is_impossible", why
        )
