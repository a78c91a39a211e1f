"""Changes of an event: what follows from it, what contradicts it, what it leaves open, and what says the same."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from stilts.data.toy import lexicon
from stilts.data.toy.facts import Event, Name, Phrase, Thing, draw_name, draw_thing


def weaker(event: Event, rng: random.Random) -> Event:
    """The event with less said about it: what it says follows from ``event``."""
    keep_place = rng.random() < 0.3
    return replace(
        event,
        subject=_maybe_bare(event.subject, rng),
        object=None if event.object is None else _maybe_bare(event.object, rng),
        adverb=event.adverb if rng.random() < 0.3 else None,
        place=event.place if keep_place else None,
        preposition=event.preposition if keep_place else None,
        fronted=event.fronted and keep_place,
    )


def contrary(event: Event, rng: random.Random) -> Event:
    """An event that cannot be true beside ``event``: denied, or with the opposite adjective where it has one."""
    opposite = _opposite_adjective(event)
    return opposite if opposite is not None and rng.random() < 0.5 else replace(event, negated=not event.negated)


def other(event: Event, rng: random.Random) -> Event:
    """An event that ``event`` says nothing about: another subject, verb or object."""
    return rng.choice(_exchanges(event, rng))(event)


def far(event: Event, rng: random.Random) -> Event:
    """An event that differs from ``event`` in two of subject, verb and object."""
    for exchange in rng.sample(_exchanges(event, rng), 2):
        event = exchange(event)
    return event


def reworded(event: Event) -> Event:
    """The same event told in another order; the event must have a place or two subjects."""
    if event.both is not None:
        return replace(event, subject=event.both, both=event.subject)
    return replace(event, fronted=not event.fronted)


def swapped(event: Event) -> Event:
    """The event with subject and object in each other's place; the event must have an object."""
    if event.object is None:
        return event
    return replace(event, subject=event.object, object=event.subject)


def apart(event: Event, num: int, rng: random.Random) -> Event:
    """The event with ``num`` (0 to 5) of subject, verb, object, place and denial changed; it must have all of them."""
    assert event.object is not None and event.place is not None
    differing = {
        "subject": other_phrase(event.subject, rng, lexicon.BEINGS),
        "verb": _other_verb(event.verb, rng),
        "object": other_phrase(event.object, rng, lexicon.OBJECTS),
        "place": other_phrase(event.place, rng, lexicon.SPOTS),
        "negated": not event.negated,
    }
    return replace(event, **{name: differing[name] for name in rng.sample(sorted(differing), num)})  # type: ignore[arg-type]


def other_phrase(phrase: Phrase, rng: random.Random, nouns: tuple[str, ...]) -> Phrase:
    """Another name of the same kind, or the same phrase with another noun."""
    if isinstance(phrase, Thing):
        return replace(phrase, noun=rng.choice([noun for noun in nouns if noun != phrase.noun]))
    if isinstance(phrase, Name):
        names = (draw_name(rng, phrase.entity) for _ in iter(int, 1))
        return next(name for name in names if not set(name.parts) & set(phrase.parts))
    return draw_thing(rng, nouns)


def _exchanges(event: Event, rng: random.Random) -> list[Callable[[Event], Event]]:
    changes: list[Callable[[Event], Event]] = [
        lambda event: replace(event, subject=other_phrase(event.subject, rng, lexicon.BEINGS)),
        lambda event: replace(event, verb=_other_verb(event.verb, rng)),
    ]
    thing = event.object
    if thing is not None:
        changes.append(lambda event: replace(event, object=other_phrase(thing, rng, lexicon.OBJECTS)))
    return changes


def _maybe_bare(phrase: Phrase, rng: random.Random) -> Phrase:
    return replace(phrase, adjective=None) if isinstance(phrase, Thing) and rng.random() < 0.4 else phrase


def _opposite_adjective(event: Event) -> Event | None:
    if isinstance(event.subject, Thing) and event.subject.adjective in lexicon.ANTONYMS:
        return replace(event, subject=_opposite(event.subject))
    if isinstance(event.object, Thing) and event.object.adjective in lexicon.ANTONYMS:
        return replace(event, object=_opposite(event.object))
    return None


def _opposite(thing: Thing) -> Thing:
    return replace(thing, adjective=lexicon.ANTONYMS[thing.adjective or ""])


def _other_verb(verb: str, rng: random.Random) -> str:
    classes = (
        lexicon.VERBS_OF_PEOPLE,
        lexicon.VERBS_OF_PLACES,
        lexicon.VERBS_OF_FIRMS,
        lexicon.INTRANSITIVE,
        lexicon.TRANSITIVE,
    )
    return rng.choice([word for word in next(group for group in classes if verb in group) if word != verb])
