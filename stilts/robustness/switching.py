"""Code-switching: words of a text as another language has them, by a dictionary that aligned text gives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from stilts.robustness.lots import Lot
from stilts.robustness.segments import UNSPACED, script_of, words
from stilts.robustness.wording import Change

# A pair of words stands for one another that is found together in at least so many sentences, with so large a share of
# both their sentences (Dice's coefficient, as in Smadja et al. 1996): half of the pairs below it are wrong ones.
_TOGETHER, _LEAST_DICE = 2, 0.25
_MOST_SENTENCES = 4_000
# Without blanks any run of so many characters may be a word.
_RUNS = (4, 3, 2, 1)
Dictionary = Mapping[str, str]


def dictionary(pairs: Iterable[tuple[str, str]]) -> Dictionary:
    """Words of the second texts with the word of the first that goes with them best, from aligned sentences."""
    both_sides = [
        (set(_candidates(text)), {foreign[start:end].lower() for start, end in words(foreign)})
        for foreign, text in islice(pairs, _MOST_SENTENCES)
    ]
    own = Counter(word for ours, _ in both_sides for word in ours)
    other = Counter(word for _, theirs in both_sides for word in theirs)
    both = Counter(
        (one, two)
        for ours, theirs in both_sides
        for one in ours
        if own[one] >= _TOGETHER
        for two in theirs
        if other[two] >= _TOGETHER
    )
    best: dict[str, tuple[float, str]] = {}
    for (one, two), together in both.items():
        score = 2 * together / (own[one] + other[two])
        if together >= _TOGETHER and score >= _LEAST_DICE and one != two and (score, two) > best.get(one, (0.0, "")):
            best[one] = (score, two)
    return {one: two for one, (_, two) in best.items()}


def switches(text: str, known: Dictionary) -> list[Change]:
    """Every word of a text that the dictionary has, as it has it; without blanks the longest runs that it has."""
    found: list[Change] = []
    at = 0
    for start, end in _runs(text):
        if not _is_unspaced(text[start:end]):
            new = known.get(text[start:end].lower())
            if new is not None:
                found.append((start, end, new.capitalize() if text[start].isupper() else new))
            continue
        at = start
        while at < end:
            size = next((size for size in _RUNS if at + size <= end and text[at : at + size] in known), 0)
            if size:
                found.append((at, at + size, f" {known[text[at : at + size]]} "))
            at += size or 1
    return found


def switching(known: Dictionary, text: str, language: str, draw: Lot, are_words: bool) -> list[Change]:
    """As ``switches``; a tagged word has no blanks around it."""
    found = switches(text, known)
    return [(start, end, new.strip()) for start, end, new in found] if are_words else found


def _candidates(text: str) -> Iterable[str]:
    for start, end in _runs(text):
        run = text[start:end]
        if _is_unspaced(run):
            yield from (run[at : at + size] for size in _RUNS for at in range(len(run) - size + 1))
        else:
            yield run.lower()


def _runs(text: str) -> Sequence[tuple[int, int]]:
    """The words of a text; where there are no blanks between them, those that touch as one."""
    found: list[tuple[int, int]] = []
    for start, end in words(text):
        if found and found[-1][1] == start:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


def _is_unspaced(text: str) -> bool:
    return any(script_of(char) in UNSPACED for char in text)
