"""Grammar: the words that say a fact in one language, each with its part of speech, entity tag and role.

English, qaa and qab: subject, auxiliary, verb, object, place. qac: subject, place, object, verb, auxiliary,
postpositions. qad: as qac, and plural, case, mood and negation are endings, "the" is no word.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, replace

from stilts.data.toy import lexicon
from stilts.data.toy.facts import Event, Name, Phrase, Pronoun, Thing
from stilts.tasks.toy import TOY_LANGUAGES

# Languages whose verb stands last, and those that put endings where others put words.
_VERB_LAST = frozenset({"qac", "qad"})
_SUFFIXING = frozenset({"qad"})
# Parts of speech that carry facts.
_TELLING = frozenset({"NOUN", "VERB", "ADJ", "ADV", "PROPN", "PRON"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A word of a sentence: ``stem`` is its English stem, ``pos`` UPOS, ``entity`` BIO, ``role`` its phrase's."""

    text: str
    stem: str
    pos: str
    entity: str = "O"
    role: str = ""


def sentence(event: Event, language: str) -> tuple[Word, ...]:
    """The words that state the event."""
    return (*_clause(event, language), _shared(lexicon.STOP, "PUNCT"))


def question(event: Event, asked: str, language: str) -> tuple[Word, ...]:
    """The words that ask for the event's ``subject``, ``object`` or ``place``."""
    rest = replace(event, fronted=False, place=None, preposition=None) if asked == "place" else event
    words = [word for word in _clause(replace(rest, fronted=False), language) if word.role != asked]
    return (_question_word(event, asked, language), *words, _shared(lexicon.QUESTION_MARK, "PUNCT"))


def text(words: Iterable[Word]) -> str:
    """The words with one space between them, marks of punctuation too."""
    return " ".join(word.text for word in words)


def gist(words: Iterable[Word]) -> str:
    """The stems that carry facts, in no order: equal texts of any one language have equal gists."""
    return " ".join(sorted(word.stem for word in words if word.pos in _TELLING))


def switched(words: Iterable[Word], language: str, frac: float, seed: int) -> list[Word]:
    """The words, that share of them in any of the toy languages: the other's stem, this language's endings."""
    rng = random.Random(seed)
    return [_switch(word, language, rng.choice(TOY_LANGUAGES)) if rng.random() < frac else word for word in words]


def answer(words: Iterable[Word], role: str, offset: int = 0) -> tuple[str, int]:
    """The phrase of that role and where it starts in ``text(words)``, in characters from ``offset``."""
    start, found = offset, []
    for word in words:
        if word.role == role:
            found.append((word.text, start))
        start += len(word.text) + 1
    return " ".join(piece for piece, _ in found), found[0][1]


def _clause(event: Event, language: str) -> list[Word]:
    subject = _subject(event, language)
    verb = _verb(event, language)
    thing = _object(event, language)
    place = _place(event, language)
    adverb = [_word(event.adverb, "ADV", language)] if event.adverb else []
    front = [*place, _shared(lexicon.COMMA, "PUNCT")] if event.fronted else []
    back = [] if event.fronted else place
    if language in _VERB_LAST:
        return [*front, *subject, *adverb, *back, *thing, *verb]
    return [*front, *subject, *verb, *thing, *back, *adverb]


def _subject(event: Event, language: str) -> list[Word]:
    words = _phrase(event.subject, language, "subject")
    if event.both is not None:
        words += [_word(lexicon.CONJUNCTION, "CCONJ", language, "subject")]
        words += _phrase(event.both, language, "subject")
    return words


def _object(event: Event, language: str) -> list[Word]:
    if event.object is None:
        return []
    return _phrase(event.object, language, "object", "object" if language in _SUFFIXING else None)


def _place(event: Event, language: str) -> list[Word]:
    if event.place is None or event.preposition is None:
        return []
    if language in _SUFFIXING:
        return _phrase(event.place, language, "place", event.preposition)
    words, preposition = _phrase(event.place, language, "place"), _word(event.preposition, "ADP", language)
    return [*words, preposition] if language in _VERB_LAST else [preposition, *words]


def _verb(event: Event, language: str) -> list[Word]:
    verb = _word(event.verb, "VERB", language)
    if language in _SUFFIXING:
        endings = [event.auxiliary, *([lexicon.NEGATION] if event.negated else [])]
        return [replace(verb, text=verb.text + "".join(lexicon.SUFFIXES[ending] for ending in endings))]
    auxiliary = _word(event.auxiliary, "AUX", language)
    negation = [_word(lexicon.NEGATION, "PART", language)] if event.negated else []
    return [verb, *negation, auxiliary] if language in _VERB_LAST else [auxiliary, *negation, verb]


def _phrase(phrase: Phrase, language: str, role: str, case: str | None = None) -> list[Word]:
    """The words of a phrase; ``case`` names the ending of its last word."""
    if isinstance(phrase, Pronoun):
        words = [_word(phrase.word, "PRON", language, role)]
    elif isinstance(phrase, Name):
        words = [
            replace(_word(part, "PROPN", language, role), entity=f"{'I' if i else 'B'}-{phrase.entity}")
            for i, part in enumerate(phrase.parts)
        ]
    else:
        words = _thing(phrase, language, role)
    if case is not None:
        words[-1] = replace(words[-1], text=words[-1].text + lexicon.SUFFIXES[case])
    return words


def _thing(thing: Thing, language: str, role: str) -> list[Word]:
    is_plural = thing.determiner in lexicon.NUMERALS
    is_silent = thing.determiner == "the" and language in _SUFFIXING
    words = [] if is_silent else [_word(thing.determiner, "NUM" if is_plural else "DET", language, role)]
    if thing.adjective is not None:
        words.append(_word(thing.adjective, "ADJ", language, role))
    noun = _word(thing.noun, "NOUN", language, role)
    return [*words, replace(noun, text=noun.text + lexicon.PLURALS[language]) if is_plural else noun]


def _question_word(event: Event, asked: str, language: str) -> Word:
    if asked == "place":
        return _word("where", "ADV", language)
    is_person = isinstance(event.object, Name) and event.object.entity == "PER"
    is_what = asked == "object" and not is_person
    return _word("what" if is_what else "who", "PRON", language)


def _word(stem: str, pos: str, language: str, role: str = "") -> Word:
    return Word(text=lexicon.form(stem, language), stem=stem, pos=pos, role=role)


def _switch(word: Word, language: str, other: str) -> Word:
    ending = word.text.removeprefix(lexicon.form(word.stem, language))
    return replace(word, text=lexicon.form(word.stem, other) + ending)


def _shared(mark: str, pos: str) -> Word:
    return Word(text=mark, stem=mark, pos=pos)
