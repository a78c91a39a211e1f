"""Readers of labels and predictions in XTREME's formats: what the official scorer reads, or an error with its place.

Lines end as Python's text files let them (``\\n``, ``\\r\\n`` or ``\\r``) and are stripped, as there. A blank line
counts where it counts there: as a label, or as the end of a sentence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stilts.bounded_file import read_bounded
from stilts.bounded_json import parsed_json
from stilts.errors import DataError
from stilts.metrics.bucc import Pair

# The largest file of a submission to XTREME, MLQA's English labels, has 10 MB.
_MOST_BYTES = 2**30
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggedSentence:
    """The tags of one sentence and the line of its first, counted from 1 (where it would be, if it has none)."""

    line: int
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldQuestion:
    """A question's id and its gold answers, at least one."""

    id: str
    answers: tuple[str, ...]


def read_lines(path: Path) -> list[str]:
    """The stripped lines of a text file, blank ones included."""
    text = _text(path).replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return [line.strip() for line in lines]


def read_sentences(path: Path) -> list[TaggedSentence]:
    """Tagged sentences; two blank lines in a row are an empty sentence, as in the official scorer."""
    sentences, tags, first = [], list[str](), 1
    for number, line in enumerate(read_lines(path), start=1):
        if not line:
            sentences.append(TaggedSentence(line=first, tags=tuple(tags)))
            tags, first = [], number + 1
        elif len(line.split()) > 1:
            raise DataError(path, f'"{line[:40]}" is no tag', line=number, why="A line is one tag, without its word")
        else:
            tags.append(line)
    if tags:
        sentences.append(TaggedSentence(line=first, tags=tuple(tags)))
    return sentences


def read_pairs(path: Path) -> list[Pair]:
    """Mined or gold sentence pairs, as they stand there, duplicates included."""
    pairs = []
    for number, line in enumerate(read_lines(path), start=1):
        cells = line.split("\t")
        if len(cells) != 2:
            raise DataError(path, f"{len(cells)} columns", line=number, why="A line is a source id, a tab, a target id")
        pairs.append((cells[0], cells[1]))
    return pairs


def read_choices(path: Path) -> list[int]:
    """The number of each line's label, of JSON objects such as {"label": 0}."""
    labels = []
    for number, line in enumerate(read_lines(path), start=1):
        row = parsed_json(line, path, first_line=number)
        label = row.get("label") if isinstance(row, dict) else None
        if not isinstance(label, int) or isinstance(label, bool):
            raise DataError(path, "no number there", line=number, field="label", why='A line is such as {"label": 0}')
        labels.append(label)
    return labels


def read_questions(path: Path) -> list[GoldQuestion]:
    """Questions in SQuAD's JSON, in order; one that stands there twice counts twice, as in the official scorer."""
    questions = []
    for i, article in enumerate(_listed(_document(path), path, "data")):
        for j, paragraph in enumerate(_listed(_within(article, "paragraphs", path, f"data[{i}]"), path, "paragraphs")):
            at = f"data[{i}].paragraphs[{j}]"
            for k, question in enumerate(_listed(_within(paragraph, "qas", path, at), path, f"{at}.qas")):
                questions.append(_question(question, path, f"{at}.qas[{k}]"))
    return questions


def read_answers(path: Path) -> dict[str, str]:
    """The predicted answer of each question."""
    answers = {}
    for question, answer in _object(path).items():
        if not isinstance(answer, str):
            raise DataError(path, f"{_kind(answer)} where a text belongs", field=question, why="An answer is a text")
        answers[question] = answer
    return answers


def read_ranked(path: Path) -> dict[str, list[str]]:
    """The right answers, or the ranked ones, of each query."""
    ranked = {}
    for query, names in _object(path).items():
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise DataError(path, f"{_kind(names)} where a list of texts belongs", field=query, why="It names answers")
        ranked[query] = names
    return ranked


def _question(value: object, path: Path, at: str) -> GoldQuestion:
    identifier = _within(value, "id", path, at)
    texts = [
        _within(answer, "text", path, f"{at}.answers")
        for answer in _listed(_within(value, "answers", path, at), path, f"{at}.answers")
    ]
    if not isinstance(identifier, str) or not all(isinstance(text, str) for text in texts):
        raise DataError(path, "an id or an answer that is no text", field=at)
    if not texts:
        raise DataError(path, "no answers", field=at, why="Every question of XQuAD, MLQA and TyDiQA has one")
    return GoldQuestion(id=identifier, answers=tuple(str(text) for text in texts))


def _document(path: Path) -> object:
    """A JSON file's value, or what stands under its ``data``."""
    value = parsed_json(_text(path), path)
    return value["data"] if isinstance(value, dict) and "data" in value else value


def _object(path: Path) -> Mapping[str, object]:
    value = _document(path)
    if not isinstance(value, dict):
        raise DataError(path, f"{_kind(value)} where a JSON object belongs", why="It maps ids to predictions or labels")
    return value


def _listed(value: object, path: Path, at: str) -> Sequence[object]:
    if not isinstance(value, list):
        raise DataError(path, f"{_kind(value)} where a list belongs", field=at, why="Labels are SQuAD's JSON")
    return value


def _within(value: object, key: str, path: Path, at: str) -> object:
    if not isinstance(value, dict) or key not in value:
        raise DataError(path, "the field is missing", field=f"{at}.{key}", why="Labels are SQuAD's JSON")
    return value[key]


def _text(path: Path) -> str:
    raw = read_bounded(path, _MOST_BYTES)
    if raw.startswith(_BOM):
        raise DataError(path, "begins with a byte-order mark", line=1, next_step="Save it as UTF-8 without one")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        found = f"byte 0x{raw[error.start]:02x} is not UTF-8"
        raise DataError(path, found, line=line, next_step="Convert the file to UTF-8") from error


def _kind(value: object) -> str:
    return "null" if value is None else f"a {type(value).__name__}"
