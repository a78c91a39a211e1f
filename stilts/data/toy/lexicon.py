"""Words of the toy languages: the English stems of ``words.yaml``, and the form of each in every language.

A form depends on the English stem and the language alone, and two stems never share a form of one language: so a
stem that is noun or verb by its place in English is so everywhere, and texts that differ in English differ everywhere.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from stilts.errors import UnknownNameError
from stilts.seeds import derive_seed
from stilts.tasks.bounded_yaml import parsed_yaml, yaml_text
from stilts.tasks.toy import ENGLISH, TOY_LANGUAGES, TOY_VERSION

_PATH = Path(__file__).with_name("words.yaml")
_WORDS = parsed_yaml(yaml_text(_PATH), _PATH, begins="nouns:")


def _words(kind: str, name: str) -> tuple[str, ...]:
    return tuple(_WORDS[kind][name])


BEINGS, OBJECTS, SPOTS = (_words("nouns", name) for name in ("beings", "objects", "spots"))
TRANSITIVE, INTRANSITIVE = _words("verbs", "transitive"), _words("verbs", "intransitive")
VERBS_OF_PEOPLE, VERBS_OF_PLACES, VERBS_OF_FIRMS = (
    _words("verbs", name) for name in ("of_people", "of_places", "of_firms")
)
_PAIRED = _words("adjectives", "antonyms")
ANTONYMS: Mapping[str, str] = {word: _PAIRED[index ^ 1] for index, word in enumerate(_PAIRED)}
COLOURS = _words("adjectives", "colours")
ADJECTIVES = (*ANTONYMS, *COLOURS)
ADVERBS, AUXILIARIES, DETERMINERS, NUMERALS, PRONOUNS, PREPOSITIONS, QUESTION_WORDS = (
    _words("function_words", name)
    for name in ("adverbs", "auxiliaries", "determiners", "numerals", "pronouns", "prepositions", "question_words")
)
NEGATION, CONJUNCTION = "not", "and"
STOP, COMMA, QUESTION_MARK = ".", ",", "?"
ANY_NAMES, FIRST_NAMES, LAST_NAMES, PLACE_NAMES, FIRM_WORDS = (
    _words("names", name) for name in ("any", "first", "last", "places", "firm_words")
)

_VERBS = (*TRANSITIVE, *INTRANSITIVE, *VERBS_OF_PEOPLE, *VERBS_OF_PLACES, *VERBS_OF_FIRMS)
CONTENT_STEMS = tuple(dict.fromkeys((*BEINGS, *OBJECTS, *SPOTS, *_VERBS, *ADJECTIVES, *ADVERBS)))
FUNCTION_STEMS = (
    *AUXILIARIES, *DETERMINERS, *PRONOUNS, *PREPOSITIONS, *QUESTION_WORDS, NEGATION, CONJUNCTION
)  # fmt: skip
NAMES = (*ANY_NAMES, *FIRST_NAMES, *LAST_NAMES, *PLACE_NAMES, *FIRM_WORDS)
SHARED = (*NUMERALS, STOP, COMMA, QUESTION_MARK)

PLURALS: Mapping[str, str] = _WORDS["endings"]["plurals"]
SUFFIXES: Mapping[str, str] = _WORDS["endings"]["suffixes"]

_GEORGIAN = dict(zip(_WORDS["letters"]["latin"], _WORDS["letters"]["georgian"], strict=True))
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
