"""One generator per kind of task: an item is drawn once from a seed, then told in whichever language is asked for.

A generator is a function of (random numbers, options) that gives a ``Draft``: ``key`` decides the split that the item
belongs to, ``tell`` makes the example in a language. All text is words with one space between them.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TypeAlias

from stilts.data.toy import changes, grammar, lexicon
from stilts.data.toy.facts import Event, Thing, draw_event
from stilts.errors import InputError, UnknownNameError
from stilts.fingerprint import Json
from stilts.seeds import derive_seed
from stilts.tasks.example import Example
from stilts.tasks.kinds.classification import ClassificationExample
from stilts.tasks.kinds.masked_lm import TextExample
from stilts.tasks.kinds.multi_label import MultiLabelExample
from stilts.tasks.kinds.multiple_choice import ChoiceExample
from stilts.tasks.kinds.regression import RegressionExample
from stilts.tasks.kinds.retrieval import CandidateExample, MiningExample, PairExample, QueryExample
from stilts.tasks.kinds.span_qa import SpanExample
from stilts.tasks.kinds.tagging import TaggingExample
from stilts.tasks.toy import ENGLISH, MIXED, TOY_LANGUAGES


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An item before it is told: what its main text says (``grammar.gist``), and the example by (item id, language)."""

    key: str
    tell: Callable[[str, str], Example]


Generator: TypeAlias = Callable[[random.Random, Mapping[str, Json]], Draft]

_NOUNS = (*lexicon.BEINGS, *lexicon.OBJECTS, *lexicon.SPOTS)
_NLI_LABELS = ("entailment", "neutral", "contradiction")


def nli(rng: random.Random, options: Mapping[str, Json]) -> Draft:
    """Premise and hypothesis: what follows, what does not, what cannot be; the labels equally often."""
    premise = draw_event(rng, plain_subject=True)
    label = rng.choice(_NLI_LABELS)
    if label == "contradiction":
        hypothesis = changes.weaker(changes.contrary(premise, rng), rng)
        hypothesis = hypothesis if _differs(hypothesis, premise) else replace(hypothesis, negated=not premise.negated)
    else:
        hypothesis = changes.weaker(premise, rng)
        hypothesis = hypothesis if label == "entailment" else changes.far(hypothesis, rng)
    return _pair(premise, hypothesis, label)


def paraphrase(rng: random.Random, options: Mapping[str, Json]) -> Draft:
    """Two sentences of nearly the same words; "1" where they say the same, half of them."""
    event = _full_event(rng)
    if rng.random() < 0.5:
        return _pair(event, changes.reworded(event), "1")
    changed = changes.swapped(event) if rng.random() < 0.1 else changes.far(event, rng)
    return _pair(event, changes.reworded(changed), "0")


def similarity(rng: random.Random, options: Mapping[str, Json]) -> Draft:
    """Two sentences and how much they have in common, 0 to 5: subject, verb, object, place and whether it is denied."""
    event = _full_event(rng)
    value = rng.randint(0, 5)
    second = changes.reworded(changes.apart(event, 5 - value, rng))

    def tell(item: str, language: str) -> Example:
        return RegressionExample(
            item=item, text=_say(event, language), text_pair=_say(second, language), value=float(value)
        )

    return Draft(key=_gist((event,)), tell=tell)


def topics(rng: random.Random, options: Mapping[str, Json]) -> Draft:
    """Three sentences with the topics of their nouns; option ``labels``: a list of topics, shared out among nouns."""
    labels = _labels(options)
    events, found = tuple[Event, ...](), frozenset[str]()
    while not found:
        events = tuple(draw_event(rng, name_frac=0.2) for _ in range(3))
        phrases = (phrase for event in events for phrase in (event.subject, event.both, event.object, event.place))
        found = frozenset(labels[_NOUNS.index(p.noun) % len(labels)] for p in phrases if isinstance(p, Thing))

    def tell(item: str, language: str) -> Example:
        text = " ".join(_say(event, language) for event in events)
        return MultiLabelExample(item=item, text=text, labels=tuple(label for label in labels if label in found))

    return Draft(key=_gist(events), tell=tell)


def pos(rng: random.Random, options: Mapping[str, Json]) -> Draft:
    """A sentence with the part of speech of every word; some words are noun or verb by their place."""
    event = draw_event(rng, name_frac=0.3)

    def tell(item: str, language: str) -> Example:
        words = grammar.sentence(event, language)
        return TaggingExample(item=item, words=tuple(w.text for w in words), tags=tuple(w.pos for w in words))

    return Draft(key=_gist((event,)), tell=tell)


def ner(rng: random.Random, options: Mapping[str, Json]) -> Draft:
    """A sentence with people, places and firms as BIO tags; many names are one or the other by their place."""
    event = draw_event(rng, name_frac=0.65)

    def tell(item: str, language: str) -> Example:
        words = grammar.sentence(event, language)
        return TaggingExample(item=item, words=tuple(w.text for w in words), tags=tuple(w.entity for w in words))

    return Draft(key=_gist((event,)), tell=tell)


def qa(rng: random.Random, options: Mapping[str, Json]) -> Draft:
    """Sentences and a question on one of them, whose answer is a phrase of it; option ``num_facts``, 3 by default.

    Option ``unanswerable_frac`` (0 to 1, 0 by default) is the share of questions on a sentence that is left out.
    """
    num, frac = _number(options, "num_facts", 3, lowest=1), _share(options, "unanswerable_frac")
    hidden = frac > 0 and rng.random() < frac
    events = _distinct_events(rng, num + hidden)
    at = num if hidden else rng.randrange(num)
    asked = rng.choice(_roles(events[at]))

    def tell(item: str, language: str) -> Example:
        sentences = [grammar.sentence(event, language) for event in events]
        offset = sum(len(grammar.text(words)) + 1 for words in sentences[:at])
        return SpanExample(
            item=item,
            question=grammar.text(grammar.question(events[at], asked, language)),
            context=" ".join(grammar.text(words) for words in sentences[:num]),
            answers=() if hidden else (grammar.answer(sentences[at], asked, offset),),
        )

    return Draft(key=_gist(events[:num]), tell=tell)


def choice(rng: random.Random, options: Mapping[str, Json]) -> Draft:
    """Two sentences, a question, and sentences of which one is true; option ``num_choices``, 4 by default."""
    events = _distinct_events(rng, 2)
    asked = rng.choice(_roles(events[0]))
    right = changes.weaker(replace(events[0], fronted=False), rng)
    answers = [right]
    while len(answers) < _number(options, "num_choices", 4, lowest=2):
        wrong = changes.far(right, rng)
        answers += [wrong] if wrong not in answers else []
    order = rng.sample(range(len(answers)), len(answers))

    def tell(item: str, language: str) -> Example:
        return ChoiceExample(
            item=item,
            context=" ".join(_say(event, language) for event in events),
            question=grammar.text(grammar.question(events[0], asked, language)),
            choices=tuple(_say(answers[i], language) for i in order),
            label=order.index(0),
        )

    return Draft(key=_gist(events), tell=tell)


def retrieval(rng: random.Random, options: Mapping[str, Json]) -> Draft:
    """A sentence in English and in the language."""
    event = draw_event(rng)

    def tell(item: str, language: str) -> Example:
        return PairExample(item=item, query=_say(event, ENGLISH), candidate=_say(event, language))

    return Draft(key=_gist((event,)), tell=tell)


def mining(rng: random.Random, options: Mapping[str, Json]) -> Draft:
    """A sentence in both languages, or in one of them alone: a quarter each."""
    event, sides = draw_event(rng), rng.choice(("both", "both", "source", "target"))

    def tell(item: str, language: str) -> Example:
        source, target = (f"{language}-{item}", _say(event, language)), (f"en-{item}", _say(event, ENGLISH))
        return MiningExample(
            item=item,
            sources=() if sides == "target" else (source,),
            targets=() if sides == "source" else (target,),
            pairs=((source[0], target[0]),) if sides == "both" else (),
        )

    return Draft(key=_gist((event,)), tell=tell)


def answers(rng: random.Random, options: Mapping[str, Json]) -> Draft:
    """A question and the sentence that answers it, read with two others; option ``role``: see ``_in_role``."""
    events = _distinct_events(rng, 3)
    at = rng.randrange(len(events))
    asked = rng.choice(_roles(events[at]))

    def tell(item: str, language: str) -> Example:
        question = grammar.text(grammar.question(events[at], asked, language))
        sentences = [_say(event, language) for event in events]
        name = f"{language}_{item}"
        return _in_role(
            options, item, question, CandidateExample(item=name, text=sentences[at], context=" ".join(sentences))
        )

    return Draft(key=_gist(events), tell=tell)


def mentions(rng: random.Random, options: Mapping[str, Json]) -> Draft:
    """A sentence whose subject is marked, and another sentence on the same subject; option ``role``: see ``_in_role``.

    In the pool's language (``MIXED``) an entity is described in any one of the languages.
    """
    said, known = draw_event(rng, plain_subject=True), draw_event(rng, plain_subject=True)
    known = replace(known, subject=said.subject)

    def tell(item: str, language: str) -> Example:
        if language == MIXED:
            language = TOY_LANGUAGES[derive_seed("described", item) % len(TOY_LANGUAGES)]
        words = grammar.sentence(said, language)
        (name, start), text = grammar.answer(words, "subject"), grammar.text(words)
        query = f"{name}: {text[:start]}{{ {name} }}{text[start + len(name) :]}"
        return _in_role(options, item, query, CandidateExample(item=item, text=_say(known, language)))

    return Draft(key=_gist((said, known)), tell=tell)


def plain(rng: random.Random, options: Mapping[str, Json]) -> Draft:
    """One to three sentences, now and then with a question on the first; option ``switch_frac``: see ``_told``."""
    events, asked = _text(rng, 3)
    switch_frac = _share(options, "switch_frac")

    def tell(item: str, language: str) -> Example:
        return TextExample(item=item, text=_told(events, asked, language, switch_frac, item))

    return Draft(key=_gist(events, asked), tell=tell)


def translation(rng: random.Random, options: Mapping[str, Json]) -> Draft:
    """The same sentence in English and in the language, to be read together; ``switch_frac`` is of the latter."""
    events, asked = _text(rng, 1)
    switch_frac = _share(options, "switch_frac")

    def tell(item: str, language: str) -> Example:
        second = _told(events, asked, language, switch_frac, item)
        return TextExample(item=item, text=_told(events, asked, ENGLISH, 0.0, item), text_pair=second)

    return Draft(key=_gist(events, asked), tell=tell)


GENERATORS: Mapping[str, Generator] = MappingProxyType(
    {
        "nli": nli,
        "paraphrase": paraphrase,
        "pos": pos,
        "ner": ner,
        "qa": qa,
        "choice": choice,
        "retrieval": retrieval,
        "mining": mining,
        "answers": answers,
        "mentions": mentions,
        "plain": plain,
        "translation": translation,
        "similarity": similarity,
        "topics": topics,
    }
)


def _pair(event: Event, second: Event, label: str) -> Draft:
    def tell(item: str, language: str) -> Example:
        return ClassificationExample(
            item=item, text=_say(event, language), text_pair=_say(second, language), label=label
        )

    return Draft(key=_gist((event,)), tell=tell)


def _full_event(rng: random.Random) -> Event:
    """An event with a place and an object."""
    event = draw_event(rng, plain_subject=True)
    while event.place is None or event.object is None:
        event = draw_event(rng, plain_subject=True)
    return event


def _say(event: Event, language: str) -> str:
    return grammar.text(grammar.sentence(event, language))


def _differs(hypothesis: Event, premise: Event) -> bool:
    """Whether the hypothesis still denies the premise after it was weakened."""
    return hypothesis.negated != premise.negated or any(
        getattr(new, "adjective", None) not in (None, getattr(old, "adjective", None))
        for new, old in ((hypothesis.subject, premise.subject), (hypothesis.object, premise.object))
    )


def _roles(event: Event) -> tuple[str, ...]:
    return (
        "subject",
        *(["object"] if event.object is not None else []),
        *(["place"] if event.place is not None else []),
    )


def _distinct_events(rng: random.Random, num: int) -> tuple[Event, ...]:
    """Events of which no two share subject or verb, so that a question has one answer."""
    events: list[Event] = []
    while len(events) < num:
        event = draw_event(rng, plain_subject=True)
        if all(event.subject != known.subject and event.verb != known.verb for known in events):
            events.append(event)
    return tuple(events)


def _text(rng: random.Random, most: int) -> tuple[tuple[Event, ...], str | None]:
    events = tuple(draw_event(rng) for _ in range(rng.randint(1, most)))
    return events, rng.choice(_roles(events[0])) if rng.random() < 0.25 else None


def _gist(events: tuple[Event, ...], asked: str | None = None) -> str:
    return grammar.gist(_words(events, asked, ENGLISH))


def _words(events: tuple[Event, ...], asked: str | None, language: str) -> list[grammar.Word]:
    """The words of the events, the first one last and as a question where something is asked."""
    sentences = [grammar.sentence(event, language) for event in events]
    if asked is not None:
        sentences = [*sentences[1:], grammar.question(events[0], asked, language)]
    return [word for words in sentences for word in words]


def _told(events: tuple[Event, ...], asked: str | None, language: str, switch_frac: float, item: str) -> str:
    """The text of ``_words``, with other languages' words among them.

    ``switch_frac`` (0 to 1, 0 by default) is the share of words, drawn by item and language, that are said in any of
    the languages, as speakers of several do: it gives a tiny encoder in a minute what long texts give a large one.
    """
    seed = derive_seed("switch", item, language)
    return grammar.text(grammar.switched(_words(events, asked, language), language, switch_frac, seed))


def _number(options: Mapping[str, Json], name: str, default: int, *, lowest: int) -> int:
    value = options.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < lowest:
        raise InputError(
            f"toy option {name}", f"{value!r} is not a whole number of at least {lowest}", next_step=f"Write {default}"
        )
    return value


def _labels(options: Mapping[str, Json]) -> tuple[str, ...]:
    value = options.get("labels", ["A", "B", "C", "D", "E", "F", "G"])
    if not isinstance(value, list) or not value or not all(isinstance(label, str) for label in value):
        raise InputError("toy option labels", f"{value!r} is no list of labels", next_step="Write [sport, politics]")
    return tuple(map(str, value))


def _share(options: Mapping[str, Json], name: str) -> float:
    value = options.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise InputError(f"toy option {name}", f"{value!r} is not a number from 0 to 1", next_step="Write 0.3")
    return float(value)


def _in_role(options: Mapping[str, Json], item: str, query: str, candidate: CandidateExample) -> Example:
    """The half that option ``role`` names: ``query``, ``candidate``, or ``pair`` (the default) for both together."""
    role = options.get("role", "pair")
    if role == "query":
        return QueryExample(item=item, query=query, key=item)
    if role == "candidate":
        return replace(candidate, keys=(item,))
    if role != "pair":
        raise UnknownNameError("toy role", str(role), ("query", "candidate", "pair"))
    return PairExample(item=item, query=query, candidate=candidate.text, context=candidate.context)
