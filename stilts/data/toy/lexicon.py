"""Words of the toy languages: English stems by class, and the form of each stem in every language.

A form depends on the English stem and the language alone, and two stems never share a form of one language: so a
stem that is noun or verb by its place in English is so everywhere, and texts that differ in English differ everywhere.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from functools import cache

from stilts.errors import UnknownNameError
from stilts.seeds import derive_seed
from stilts.tasks.toy import ENGLISH, TOY_LANGUAGES, TOY_VERSION

BEINGS = tuple("dog cat horse bird king queen doctor farmer singer baker guard cook".split())
OBJECTS = tuple("apple letter lamp boat ring book drum hunt plan drink".split())
SPOTS = tuple("house garden river tower bridge market".split())

TRANSITIVE = tuple("see hold find sell carry guard cook plan drink hunt".split())
INTRANSITIVE = tuple("sleep sing wait swim".split())
VERBS_OF_PEOPLE = tuple("thank meet marry".split())
VERBS_OF_PLACES = tuple("visit reach leave".split())
VERBS_OF_FIRMS = tuple("join own lead".split())

ANTONYMS: Mapping[str, str] = {
    word: other
    for pair in ("big small", "old young", "fast slow", "warm cold")
    for word, other in (pair.split(), reversed(pair.split()))
}
COLOURS = tuple("red blue green white".split())
ADJECTIVES = (*ANTONYMS, *COLOURS)

ADVERBS = tuple("today soon often slowly".split())
AUXILIARIES = ("will", "can")
DETERMINERS = ("the", "a", "this")
NUMERALS = tuple("2 3 4 5".split())
PRONOUNS = ("she", "he", "they")
PREPOSITIONS = ("in", "near")
QUESTION_WORDS = ("who", "what", "where")
NEGATION, CONJUNCTION = "not", "and"
STOP, COMMA, QUESTION_MARK = ".", ",", "?"

# Names that are people, places or firms by what stands around them.
ANY_NAMES = tuple("Florence Lincoln Jordan Sydney Chester Austin".split())
FIRST_NAMES = tuple("Mira Jon Anna Peter Lena Omar".split())
LAST_NAMES = tuple("Kolo Peri Bode Marek Tamm Rossi".split())
PLACE_NAMES = tuple("Tuvel Norwick Dorado Kesten Ostra Balin".split())
FIRM_WORDS = tuple("Bank School Press".split())

_VERBS = (*TRANSITIVE, *INTRANSITIVE, *VERBS_OF_PEOPLE, *VERBS_OF_PLACES, *VERBS_OF_FIRMS)
CONTENT_STEMS = tuple(dict.fromkeys((*BEINGS, *OBJECTS, *SPOTS, *_VERBS, *ADJECTIVES, *ADVERBS)))
FUNCTION_STEMS = (
    *AUXILIARIES, *DETERMINERS, *PRONOUNS, *PREPOSITIONS, *QUESTION_WORDS, NEGATION, CONJUNCTION
)  # fmt: skip
NAMES = (*ANY_NAMES, *FIRST_NAMES, *LAST_NAMES, *PLACE_NAMES, *FIRM_WORDS)
SHARED = (*NUMERALS, STOP, COMMA, QUESTION_MARK)

# Endings that are not words of their own; qad has one for each case, mood and negation besides.
PLURALS: Mapping[str, str] = {ENGLISH: "s", "qaa": "s", "qab": "u", "qac": "ir", "qad": "ები"}
SUFFIXES: Mapping[str, str] = {
    "object": "ს", "in": "ში", "near": "თან", "will": "ვა", "can": "ური", "not": "არა"
}  # fmt: skip

_GEORGIAN = dict(zip("abcdefghijklmnopqrstuvwxyz", "აბცდეფგჰიჟკლმნოპქრსტუვწხყზ", strict=True))
_ONSETS, _VOWELS = "bdfgklmnprstvz", "aeiou"


def form(stem: str, language: str) -> str:
    """The language's word for an English stem, without endings."""
    return forms(language)[stem]


@cache
def forms(language: str) -> Mapping[str, str]:
    """Every stem with its form in the language; UnknownNameError for a language that is none of the toy's."""
    if language not in TOY_LANGUAGES:
        raise UnknownNameError("toy language", language, TOY_LANGUAGES)
    words = {stem: stem for stem in SHARED}
    words |= {name: _in_georgian(name) if language == "qad" else name for name in NAMES}
    taken = {*words.values(), *CONTENT_STEMS, *FUNCTION_STEMS}
    for stem in (*CONTENT_STEMS, *FUNCTION_STEMS):
        words[stem] = stem if _is_kept(stem, language) else _fresh(stem, language, taken)
        taken.add(words[stem])
    return words


def _is_kept(stem: str, language: str) -> bool:
    return language == ENGLISH or (language == "qaa" and derive_seed("kept", TOY_VERSION, stem) % 10 < 7)


def _fresh(stem: str, language: str, taken: set[str]) -> str:
    return next(word for word in _candidates(stem, language) if word not in taken)


def _candidates(stem: str, language: str) -> Iterator[str]:
    rng = random.Random(derive_seed("form", TOY_VERSION, language, stem))
    while True:
        syllables = (rng.choice(_ONSETS) + rng.choice(_VOWELS) for _ in range(rng.choice((2, 2, 3))))
        word = "".join(syllables) + rng.choice(_ONSETS)
        yield _in_georgian(word) if language == "qad" else word


def _in_georgian(word: str) -> str:
    return "".join(_GEORGIAN[letter] for letter in word.lower())
