"""Readers of Mewsli-X: mentions of entities in news and in Wikipedia, and the entities' descriptions.

Texts are made as by XTREME-R's baseline (Ruder et al. 2021): of a mention its words, then the sentence around it with
the mention in braces; of an entity the sentences of its description. Offsets count characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from stilts.data.readers.reading import Reading
from stilts.data.readers.rows import json_rows
from stilts.data.readers.texts import filled, not_blank
from stilts.errors import DataError
from stilts.tasks.kinds.retrieval import CandidateExample, PairExample, QueryExample

_BRACED = re.compile(r"\{(.*?)\}")


def read_mewslix_pairs(reading: Reading) -> Iterator[PairExample]:
    """English Wikipedia's mentions with their entity's description (``wikipedia_pairs-*.jsonl``)."""
    for path in reading.paths:
        for line, row in json_rows(path):
            outer = _object(row, "contextual_mention", path, line)
            mention, entity = _object(outer, "mention", path, line), _object(row, "entity", path, line)
            yield PairExample(
                item=filled(mention, "example_id", path, line),
                query=_mention_text(_object(outer, "context", path, line), mention, path, line),
                candidate=_description(entity, path, line),
            )


def read_mewslix_mentions(reading: Reading) -> Iterator[QueryExample]:
    """The mentions in one language's WikiNews articles (``wikinews_mentions-*.jsonl``); the key is the entity's id."""
    for path in reading.paths:
        for line, row in json_rows(path):
            context = _object(row, "context", path, line)
            if filled(context, "language", path, line) != reading.language:
                continue
            for mention in _objects(row, "mentions", path, line):
                yield QueryExample(
                    item=filled(mention, "example_id", path, line),
                    query=_mention_text(context, mention, path, line),
                    key=filled(mention, "entity_id", path, line),
                )


def read_mewslix_entities(reading: Reading) -> Iterator[CandidateExample]:
    """The candidates, each described in one of fifty languages (``candidate_set_entities.jsonl``)."""
    for path in reading.paths:
        for line, row in json_rows(path):
            name = filled(row, "entity_id", path, line)
            yield CandidateExample(item=name, text=_description(row, path, line), keys=(name,))


def _mention_text(context: Mapping[str, object], mention: Mapping[str, object], path: Path, line: int) -> str:
    """``<mention>: <left> { <mention> } <right>``, of the one sentence that it stands in."""
    text = context.get("text")
    if text == "":
        raise DataError(
            path,
            "the article's text is empty",
            line=line,
            field="text",
            why="The release leaves it out; its script puts it in from WikiNews",
            next_step="Run get-mewsli-x.sh of the release, and take the files that it writes",
        )
    text = filled(context, "text", path, line)
    span = _object(mention, "mention_span", path, line)
    start, stop = _ends(span, text, path, line)
    said = filled(span, "text", path, line)
    if text[start:stop] != said:
        raise DataError(path, f'"{said[:40]}" does not stand at character {start}', line=line, field="mention_span")
    around = [ends for ends in _spans(context, text, path, line) if ends[0] <= start and stop <= ends[1]]
    if not around:
        raise DataError(
            path,
            f'"{said[:40]}" stands in no one sentence',
            line=line,
            field="sentence_spans",
            next_step="Mend the line",
        )
    left, right = (_BRACED.sub(r"(\1)", part) for part in (text[around[0][0] : start], text[stop : around[0][1]]))
    return _one_line(f"{said}: {left} {{ {said} }} {right}")


def _description(entity: Mapping[str, object], path: Path, line: int) -> str:
    text = filled(entity, "description", path, line)
    sentences = [text[start:stop] for start, stop in _spans(entity, text, path, line)]
    return not_blank(_one_line(" ".join(sentences or [text])), path, line, "description")


def _one_line(text: str) -> str:
    return " ".join(text.splitlines()).replace("  ", " ").strip()


def _spans(holder: Mapping[str, object], text: str, path: Path, line: int) -> list[tuple[int, int]]:
    return [_ends(span, text, path, line) for span in _objects(holder, "sentence_spans", path, line)]


def _ends(span: Mapping[str, object], text: str, path: Path, line: int) -> tuple[int, int]:
    start, stop = span.get("start"), span.get("end")
    if not isinstance(start, int) or not isinstance(stop, int) or not 0 <= start < stop <= len(text):
        raise DataError(
            path,
            f"no span of a text of {len(text)} characters",
            line=line,
            field="start, end",
            why="It counts characters, the end one past the last",
        )
    return start, stop


def _object(row: Mapping[str, object], key: str, path: Path, line: int) -> Mapping[str, object]:
    value = row.get(key)
    if not isinstance(value, dict):
        raise DataError(path, f"a {type(value).__name__} where an object belongs", line=line, field=key)
    return value


def _objects(row: Mapping[str, object], key: str, path: Path, line: int) -> list[Mapping[str, object]]:
    value = row.get(key)
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise DataError(path, "no list of objects", line=line, field=key)
    return value
