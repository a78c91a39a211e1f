"""Overlap as measured: how many texts of one use of data also stand in another, by hash.

``texts_of`` reduces the examples of some views to 64-bit digests of their texts; ``shared_texts`` intersects two of
them. Only digests are kept, 8 bytes a text. Two different texts get one digest with a probability of 2**-64: among a
million texts against a million, about 5e-8 false matches are expected.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from stilts.data.load import load_examples
from stilts.tasks.example import Example, Field
from stilts.tasks.view import DataView

Roots: TypeAlias = Mapping[str, str | Path]
U64 = NDArray[np.uint64]


Texts: TypeAlias = Mapping[Field, U64]


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedTexts:
    """How many of the distinct texts of one use of data stand in another use too, and their digests."""

    field: Field
    num_texts: int
    digests: U64

    @property
    def num_shared(self) -> int:
        """How many of the texts are shared."""
        return len(self.digests)


_ENDS = re.compile(r"[.!?\n\u2026\u3002\uff01\uff1f\u0964\u061f\u06d4\u1362\u104b]+")  # ...and of zh ja hi ar ur am my
_ASKING = ("?", "\uff1f", "\u061f")
# Shorter pieces are headings and greetings. In UTF-8, which a letter of Chinese fills as three of English do.
_LEAST_BYTES = 24


class _Dropped(dict[int, int | None]):
    """A table for ``str.translate`` that drops separators, punctuation, symbols and controls, filled as it is asked."""

    def __missing__(self, code: int) -> int | None:
        # Combining marks stay: they are the vowels of Hindi, Thai and many others.
        kept = None if unicodedata.category(chr(code))[0] in "ZPSC" else code
        self[code] = kept
        return kept


_TABLE = _Dropped()


@lru_cache(maxsize=64)  # The questions on one paragraph follow one another.
def normalised(text: str) -> str:
    """A text as it is compared: NFKC, casefolded, without punctuation, symbols and white space.

    White space goes altogether, so that a sentence in words (a treebank's) equals the same sentence in running text.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return folded.translate(_TABLE)


def texts_of(views: Sequence[DataView], roots: Roots) -> Texts:
    """The sorted, distinct digests of the texts of some views, by field; fields that they do not have are left out."""
    digests: dict[Field, list[U64]] = {}
    for view in views:
        found: dict[Field, set[int]] = {}
        for field, texts in _fields(load_examples(view, roots)):
            digest = _digest(texts)
            if digest is not None:
                found.setdefault(field, set()).add(digest)
        for field, numbers in found.items():
            digests.setdefault(field, []).append(np.fromiter(numbers, np.uint64, len(numbers)))
    return {field: np.unique(np.concatenate(parts)) for field, parts in digests.items()}


def shared_texts(seen: Texts, texts: Texts) -> tuple[SharedTexts, ...]:
    """Which of ``texts`` stand in ``seen``, for every field that both have."""
    return tuple(
        SharedTexts(
            field=field,
            num_texts=len(texts[field]),
            digests=np.intersect1d(texts[field], seen[field], assume_unique=True),
        )
        for field in Field
        if field in texts and field in seen
    )


def longest_shared(view: DataView, roots: Roots, wanted: Sequence[SharedTexts]) -> list[str]:
    """For each of ``wanted``, the longest text of the view that is among them, as written; empty where none is."""
    known = [frozenset(shared.digests.tolist()) for shared in wanted]
    longest = [""] * len(wanted)
    for field, texts in _fields(load_examples(view, roots)):
        written = " / ".join(text.strip() for text in texts)
        open_ = [i for i, shared in enumerate(wanted) if shared.field is field and len(written) > len(longest[i])]
        digest = _digest(texts) if open_ else None
        for i in open_:
            if digest in known[i]:
                longest[i] = written
    return longest


def _fields(examples: Iterable[Example]) -> Iterator[tuple[Field, tuple[str, ...]]]:
    for example in examples:
        for field, texts in example.compared():
            yield field, texts
            if field is Field.TEXT:
                if (
                    texts[0].rstrip().endswith(_ASKING)
                ):  # QNLI's questions are one text of a pair, SQuAD's its question.
                    yield Field.QUESTION, texts
                yield from ((Field.SENTENCE, (piece,)) for piece in _ENDS.split(texts[0]) if _is_long(piece))


def _is_long(text: str) -> bool:
    return len(text.encode("utf-8", "surrogatepass")) >= _LEAST_BYTES


def _digest(texts: tuple[str, ...]) -> int | None:
    """64 bits of a text, or of two in either order; None where one has no letter or figure to compare by."""
    parts = sorted(normalised(text) for text in texts)
    if not all(parts):
        return None
    return int.from_bytes(blake2b("\n".join(parts).encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
