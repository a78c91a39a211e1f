"""Facts: what a toy sentence says, before any language says it; and how facts are drawn.

Stems are English words of ``lexicon.py``. ``grammar.py`` turns a fact into words of a language.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TypeAlias

from stilts.data.toy import lexicon


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """A noun with what stands before it; a numeral as determiner makes it plural."""

    noun: str
    determiner: str = "the"
    adjective: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """A person, a place or a firm: ``entity`` is PER, LOC or ORG, ``parts`` its words."""

    entity: str
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pronoun:
    """She, he or they."""

    word: str


Phrase: TypeAlias = Thing | Name | Pronoun


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Who does what to whom, where and how; ``both`` are subjects joined by "and".

    ``fronted`` puts the place first and says the same.
    """

    subject: Phrase
    verb: str
    object: Phrase | None = None
    both: Phrase | None = None
    auxiliary: str = "will"
    negated: bool = False
    preposition: str | None = None
    place: Phrase | None = None
    adverb: str | None = None
    fronted: bool = False


def draw_thing(rng: random.Random, nouns: tuple[str, ...], adjective_frac: float = 0.4) -> Thing:
    """A noun of the class, with a determiner or numeral and perhaps an adjective."""
    determiners = lexicon.DETERMINERS if rng.random() < 0.8 else lexicon.NUMERALS
    adjective = rng.choice(lexicon.ADJECTIVES) if rng.random() < adjective_frac else None
    return Thing(noun=rng.choice(nouns), determiner=rng.choice(determiners), adjective=adjective)


def draw_name(rng: random.Random, entity: str) -> Name:
    """A name of the kind, one or two words; one in two or three could be of another kind elsewhere."""
    anything = rng.choice(lexicon.ANY_NAMES)
    if entity == "LOC":
        return Name(entity=entity, parts=(anything if rng.random() < 0.5 else rng.choice(lexicon.PLACE_NAMES),))
    if entity == "ORG":
        of = rng.choice((anything, rng.choice(lexicon.LAST_NAMES), rng.choice(lexicon.PLACE_NAMES)))
        return Name(entity=entity, parts=(of,) if rng.random() < 0.3 else (of, rng.choice(lexicon.FIRM_WORDS)))
    first = anything if rng.random() < 0.4 else rng.choice(lexicon.FIRST_NAMES)
    return Name(entity=entity, parts=(first,) if rng.random() < 0.4 else (first, rng.choice(lexicon.LAST_NAMES)))


def draw_event(rng: random.Random, *, name_frac: float = 0.4, plain_subject: bool = False) -> Event:
    """An event of 5 to 14 words, ``name_frac`` of its phrases names; ``plain_subject``: no pronoun, no two subjects."""
    subject = _draw_subject(rng, name_frac, plain_subject)
    both = _draw_being(rng, name_frac, 0.0) if not plain_subject and rng.random() < 0.15 else None
    verb, thing = _draw_predicate(rng, name_frac)
    preposition, place = _draw_place(rng, name_frac) if both is None and rng.random() < 0.5 else (None, None)
    needs_adverb = place is None and (thing is None or rng.random() < 0.5)
    adverb = rng.choice(lexicon.ADVERBS) if needs_adverb else None
    return Event(
        subject=subject,
        both=both,
        verb=verb,
        object=thing,
        auxiliary=rng.choice(lexicon.AUXILIARIES),
        negated=rng.random() < 0.25,
        preposition=preposition,
        place=place,
        adverb=adverb,
        fronted=place is not None and rng.random() < 0.2,
    )


def _draw_subject(rng: random.Random, name_frac: float, plain_subject: bool) -> Phrase:
    if not plain_subject and rng.random() < 0.15:
        return Pronoun(word=rng.choice(lexicon.PRONOUNS))
    return _draw_being(rng, name_frac, 0.5)


def _draw_being(rng: random.Random, name_frac: float, adjective_frac: float) -> Phrase:
    if rng.random() < name_frac:
        return draw_name(rng, "PER" if rng.random() < 0.75 else "ORG")
    return draw_thing(rng, lexicon.BEINGS, adjective_frac)


def _draw_predicate(rng: random.Random, name_frac: float) -> tuple[str, Phrase | None]:
    if rng.random() < name_frac:
        entity, verbs = rng.choice(
            (("PER", lexicon.VERBS_OF_PEOPLE), ("LOC", lexicon.VERBS_OF_PLACES), ("ORG", lexicon.VERBS_OF_FIRMS))
        )
        return rng.choice(verbs), draw_name(rng, entity)
    if rng.random() < 0.15:
        return rng.choice(lexicon.INTRANSITIVE), None
    return rng.choice(lexicon.TRANSITIVE), draw_thing(rng, (*lexicon.BEINGS, *lexicon.OBJECTS))


def _draw_place(rng: random.Random, name_frac: float) -> tuple[str, Phrase]:
    if rng.random() < name_frac:
        return rng.choice(lexicon.PREPOSITIONS), draw_name(rng, "LOC")
    return rng.choice(lexicon.PREPOSITIONS), Thing(noun=rng.choice(lexicon.SPOTS))
