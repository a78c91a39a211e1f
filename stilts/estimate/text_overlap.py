"""Text overlap: how much of one text's wording stands in another, by word n-grams. No model."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from stilts.tasks.example import Example

# Single words say whether the domain is shared, triples whether the phrasing is; each length counts the same.
LENGTHS = (1, 2, 3)
_WORD = re.compile(r"\w+")


def text_overlap(source: Iterable[Example], target: Iterable[Example]) -> float:
    """The share, 0 to 1, of the target's word n-grams that the source has too, mean over lengths 1 to 3.

    Every occurrence in the target counts. Words are runs of letters and digits, in lower case; an n-gram never crosses
    from one text to the next. A length that the target has no n-gram of is left out; 0 where it has none at all.
    """
    theirs = [set[tuple[str, ...]]() for _ in LENGTHS]
    for words in _texts(source):
        for known, length in zip(theirs, LENGTHS, strict=True):
            known.update(_ngrams(words, length))
    ours = [Counter[tuple[str, ...]]() for _ in LENGTHS]
    for words in _texts(target):
        for counts, length in zip(ours, LENGTHS, strict=True):
            counts.update(_ngrams(words, length))
    shares = [_share(counts, known) for counts, known in zip(ours, theirs, strict=True) if counts]
    return sum(shares) / len(shares) if shares else 0.0


def _share(counts: Counter[tuple[str, ...]], known: set[tuple[str, ...]]) -> float:
    return sum(count for ngram, count in counts.items() if ngram in known) / counts.total()


def _ngrams(words: list[str], length: int) -> Iterator[tuple[str, ...]]:
    return zip(*(words[start:] for start in range(length)), strict=False)


def _texts(examples: Iterable[Example]) -> Iterator[list[str]]:
    """The words of every text of the examples; a context that many questions share counts once."""
    seen: set[str] = set()
    for example in examples:
        for text in example.texts():
            if text not in seen:
                seen.add(text)
                yield _WORD.findall(text.lower())
