"""The texts of prediction and label files in XTREME's format, from an evaluation's examples."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from stilts.analysis.scoring.benchmarks import FileFormat
from stilts.fingerprint import Json
from stilts.tasks.truth import answers_in

_Writer: TypeAlias = Callable[[Sequence[str], Sequence[str]], str]


def predictions_text(form: FileFormat, ids: Sequence[str], predictions: Sequence[str]) -> str:
    """A prediction file: what ``stilts score`` and the official scorer read, in the order of the examples."""
    return _PREDICTIONS[form](ids, predictions)


def labels_text(form: FileFormat, ids: Sequence[str], truths: Sequence[str]) -> str:
    """A label file, from the texts that ``stilts.tasks.truth`` makes of right answers."""
    return _LABELS[form](ids, truths)


def question_id(item: str, language: str) -> str:
    """A question's id in its release: a source item without the language that sets TyDiQA's files apart."""
    return item.removeprefix(f"{language}/")


def _lines(ids: Sequence[str], texts: Sequence[str]) -> str:
    return "".join(f"{text}\n" for text in texts)


def _tags(ids: Sequence[str], texts: Sequence[str]) -> str:
    """One tag per line, a blank line after each sentence."""
    return "".join("".join(f"{tag}\n" for tag in text.split()) + "\n" for text in texts)


def _choices(ids: Sequence[str], texts: Sequence[str]) -> str:
    return "".join(json.dumps({"label": int(text)}) + "\n" for text in texts)


def _answers(ids: Sequence[str], texts: Sequence[str]) -> str:
    return json.dumps(dict(zip(ids, texts, strict=True)), ensure_ascii=False) + "\n"


def _questions(ids: Sequence[str], truths: Sequence[str]) -> str:
    """SQuAD's JSON with what a scorer reads: ids and answers. Contexts and positions stay with the release."""
    asked: list[Json] = [
        {"id": name, "question": "", "answers": [{"text": text, "answer_start": 0} for text in answers_in(truth)]}
        for name, truth in zip(ids, truths, strict=True)
    ]
    articles: Json = [{"title": "", "paragraphs": [{"context": "", "qas": asked}]}]
    return json.dumps({"version": "x", "data": articles}, ensure_ascii=False) + "\n"


def _pairs(ids: Sequence[str], texts: Sequence[str]) -> str:
    """The pairs of all examples, source TAB target."""
    return "".join(f"{text}\n" for text in texts if text)


def _ranked(ids: Sequence[str], texts: Sequence[str]) -> str:
    """{query: [answer, ...]}, from JSON lists."""
    found: Json = {name: list(answers_in(text)) for name, text in zip(ids, texts, strict=True)}
    return json.dumps(found, ensure_ascii=False) + "\n"


_PREDICTIONS: Mapping[FileFormat, _Writer] = {
    FileFormat.LABELS: _lines,
    FileFormat.TAGS: _tags,
    FileFormat.CHOICES: _choices,
    FileFormat.ANSWERS: _answers,
    FileFormat.PAIRS: _pairs,
    FileFormat.ENTITIES: _ranked,
    FileFormat.RANKINGS: _ranked,
}
_LABELS: Mapping[FileFormat, _Writer] = {**_PREDICTIONS, FileFormat.ANSWERS: _questions}
