"""What is known of two datasets that share examples or source text: the entries of ``overlaps.yaml``.

``overlaps.Ledger`` applies them to tasks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from stilts.tasks.bounded_yaml import parsed_yaml, yaml_text
from stilts.tasks.task import Source

_REAL = (Source.FILES, Source.HUB)


class Sharing(StrEnum):
    """What two splits share."""

    TRAINING = "English training set"
    EXAMPLES = "examples"
    TRANSLATIONS = "translations"
    SENTENCES = "sentences"
    PARAGRAPHS = "paragraphs"
    QUESTIONS = "questions"


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlapEntry:
    """What is known of two splits; each is ``<dataset>/<split>``.

    ``TRAINING`` says that ``other`` has no training data of its own and ``one`` serves: it explains, and shares no
    text. ``source`` is where it stands written; ``sources`` are those of ``one`` for which it holds. Generated data
    share nothing with anything by such an entry.
    """

    one: str
    other: str
    what: Sharing
    why: str
    source: str
    sources: tuple[Source, ...] = _REAL


class _Known(BaseModel):
    """An entry of the file, which may hold of several others."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    one: str
    other: list[str]
    what: Annotated[Sharing, Field(strict=False)]
    why: str
    source: str
    sources: list[Annotated[Source, Field(strict=False)]] = list(_REAL)

    def entries(self) -> Iterator[OverlapEntry]:
        """One for each other."""
        for other in self.other:
            yield OverlapEntry(
                one=self.one,
                other=other,
                what=self.what,
                why=self.why,
                source=self.source,
                sources=tuple(self.sources),
            )


@cache
def known_overlaps() -> tuple[OverlapEntry, ...]:
    """Every entry of ``overlaps.yaml``, in its order."""
    path = Path(__file__).with_name("overlaps.yaml")
    document = parsed_yaml(yaml_text(path), path, begins="known:")
    rows = TypeAdapter(list[_Known]).validate_python(document["known"])
    return tuple(entry for row in rows for entry in row.entries())
