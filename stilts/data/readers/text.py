"""Readers of unlabelled text and of translations: Tatoeba, plain lines, parallel lines."""

from __future__ import annotations

from collections.abc import Iterator

from stilts.data.readers.reading import Reading
from stilts.data.readers.rows import numbered_lines, tab_rows
from stilts.data.readers.texts import bounded, not_blank
from stilts.errors import DataError
from stilts.fingerprint import text_digest
from stilts.tasks.kinds.masked_lm import TextExample
from stilts.tasks.kinds.retrieval import PairExample


def read_tatoeba(reading: Reading) -> Iterator[PairExample]:
    """Tatoeba's pairs from two line-aligned files, the language's first and English second.

    The item is a digest of the English sentence, so that languages that translate the same sentence share it.
    """
    if len(reading.paths) != 2:
        raise DataError("tatoeba", f"{len(reading.paths)} files", why="A pair of line-aligned files is needed")
    foreign_path, english_path = reading.paths
    foreign, english = list(numbered_lines(foreign_path)), list(numbered_lines(english_path))
    if len(foreign) != len(english):
        raise DataError(
            foreign_path,
            f"{len(foreign)} lines, but {english_path.name} has {len(english)}",
            line=min(len(foreign), len(english)) + 1,
            why="Line n of the one translates line n of the other",
            next_step="Copy both files again",
        )
    for (line, candidate), (_, query) in zip(foreign, english, strict=True):
        not_blank(query, english_path, line, "English sentence")
        not_blank(candidate, foreign_path, line, "sentence")
        yield PairExample(item=text_digest(query)[:16], query=query, candidate=candidate)


def read_lines(reading: Reading) -> Iterator[TextExample]:
    """A sentence per line; blank lines part documents and hold none. The item is ``<language>/<line from 0>``."""
    for path in reading.paths:
        for line, text in numbered_lines(path):
            if text.strip():
                yield TextExample(item=f"{reading.language}/{line - 1}", text=bounded(text, path, line, "text"))


def read_parallel_tsv(reading: Reading) -> Iterator[TextExample]:
    """English TAB translation; the item is the line number from 0, shared where the release aligns its languages."""
    for path in reading.paths:
        for line, (english, translation) in tab_rows(path, 2):
            yield TextExample(
                item=str(line - 1),
                text=not_blank(english, path, line, "English"),
                text_pair=not_blank(translation, path, line, "translation"),
            )
