"""Perturbations: deterministic, nested in strength, of one script; labels, tags and answers hold."""

from collections import Counter
from typing import Any

import pytest

from stilts.robustness.letters import denying
from stilts.robustness.perturb import ALTERATIONS, perturbed
from stilts.robustness.switching import dictionary
from stilts.study.robust import Attack, Perturb, Stress, why_not
from stilts.study.robust_schema import Robustness
from stilts.tasks.kinds.classification import ClassificationExample
from stilts.tasks.kinds.span_qa import SpanExample
from stilts.tasks.kinds.tagging import TaggingExample
from stilts.tasks.registry import default_registry
from tests.robustness.texts import SENTENCES, examples, scripts

EVERYWHERE = (
    Perturb.KEYBOARD, Perturb.OCR, Perturb.SWAP, Perturb.WHITESPACE, Perturb.PUNCTUATION, Perturb.WORD_ORDER
)  # fmt: skip
OTHER_SCRIPT = {Perturb.TRANSLITERATION, Perturb.HOMOGLYPHS}
XNLI = default_registry().task("xnli")
PLACES = [(language, what) for language in SENTENCES for what in ALTERATIONS if why_not(what, XNLI, language) is None]


def under(what: Perturb, strength: float = 0.3, seed: int = 1) -> Stress:
    return Stress(what=what, strength=strength, seed=seed)


def sentences(language: str) -> list[ClassificationExample]:
    text = SENTENCES[language]
    return [ClassificationExample(item=str(number), text=text, label="yes") for number in range(20)]


def test_every_name_of_the_study_file_is_a_stress_and_every_perturbation_is_made() -> None:
    asked = {name: Robustness.model_fields[name].annotation for name in ("perturb", "attack")}
    for name, known in (("perturb", Perturb), ("attack", Attack)):
        assert {word for word in str(asked[name]).split("'") if word.isidentifier() and word in list(known)} == set(
            known
        )
    assert set(ALTERATIONS) | {Perturb.CODE_SWITCH, Perturb.DISTRACTORS} == set(Perturb)


@pytest.mark.parametrize(("language", "what"), PLACES)
def test_it_changes_texts_of_every_kind_and_keeps_what_is_said_of_them(language: str, what: Perturb) -> None:
    before = examples(language)
    for strength in (0.3, 1.0):
        after = perturbed(before, under(what, strength), language)
        assert after == perturbed(before, under(what, strength), language), "the same on every call"
        for one, other in zip(before, after, strict=True):
            assert_holds(one, other, what)
    assert any(one != other for one, other in zip(before, after, strict=True)), "at strength 1 something changes"
    assert perturbed(before, under(what, 0.0), language) == before


def assert_holds(one: Any, other: Any, what: Perturb) -> None:
    if what not in OTHER_SCRIPT:
        kept = scripts(one.texts()) | ({"Hani"} if "Kana" in scripts(one.texts()) else set())
        assert scripts(other.texts()) <= kept
    assert one.item == other.item
    if isinstance(one, TaggingExample):
        assert all(other.words) and len(other.words) == len(one.words) and one.tags and other.tags
        assert Counter(one.tags) == Counter(other.tags)
        assert "O I-LOC" not in " ".join(other.tags), "no name loses its beginning"
        assert what is Perturb.WORD_ORDER or one.tags == other.tags
    elif isinstance(one, SpanExample):
        assert one.answers and other.answers
        assert [text for text, _ in other.answers] == [text for text, _ in one.answers]
        assert all(other.context[at : at + len(text)] == text for text, at in other.answers)
    else:
        for name in ("label", "labels", "pairs", "key"):
            assert getattr(one, name, None) == getattr(other, name, None)


@pytest.mark.parametrize("language", SENTENCES)
@pytest.mark.parametrize("what", EVERYWHERE)
def test_at_a_third_every_sentence_changes_and_seeds_differ(language: str, what: Perturb) -> None:
    before = sentences(language)
    after = [one.text for one in perturbed(before, under(what), language)]
    assert all(text != SENTENCES[language] for text in after)
    again = [one.text for one in perturbed(before, under(what, seed=2), language)]
    assert after != again or len(set(after)) == 1


def test_what_a_weaker_one_changes_a_stronger_one_changes_too() -> None:
    words = tuple(SENTENCES["en"].replace(",", "").replace(".", "").split())
    before = [TaggingExample(item=str(n), words=words, tags=("O",) * len(words)) for n in range(30)]
    for what in (Perturb.KEYBOARD, Perturb.OCR, Perturb.SWAP, Perturb.CASING):
        weak, strong = (perturbed(before, under(what, strength), "en") for strength in (0.2, 0.7))
        for one, two in zip(weak, strong, strict=True):
            changed = {n: word for n, word in enumerate(one.words) if word != words[n]}
            assert len(changed) == 2 and changed.items() <= dict(enumerate(two.words)).items()


def test_words_that_deny_stay_and_so_do_their_neighbours() -> None:
    text = "Anna did not see the old red house"
    before = [ClassificationExample(item=str(n), text=text, label="no") for n in range(40)]
    moved = {one.text for one in perturbed(before, under(Perturb.WORD_ORDER, 1.0), "en")}
    assert len(moved) > 1 and all(one.startswith("Anna did not see") for one in moved)
    for what in (Perturb.WHITESPACE, Perturb.PUNCTUATION):
        for one in perturbed(before, under(what, 1.0), "en"):
            assert "did not see" in one.text or " n ot " in one.text or " no t " in one.text
    assert "not" in denying("en") and not denying("qaa")


def test_marks_in_numbers_and_question_marks_stay() -> None:
    text = "Is 3.5 more than 1,000 in the U.S. today?"
    before = [ClassificationExample(item=str(n), text=text, label="no") for n in range(20)]
    for one in perturbed(before, under(Perturb.PUNCTUATION, 1.0), "en"):
        assert "3.5" in one.text and "1,000" in one.text and one.text.endswith("?")
    for what in (Perturb.KEYBOARD, Perturb.OCR):
        assert all("3.5" in one.text and "1,000" in one.text for one in perturbed(before, under(what, 1.0), "en"))


def test_a_tagged_word_of_marks_alone_stays_a_word() -> None:
    words = (",,", "Anna", "...", "!", "slept", ".")
    before = [TaggingExample(item=str(n), words=words, tags=("PUNCT",) * len(words)) for n in range(40)]
    made = perturbed(before, under(Perturb.PUNCTUATION, 1.0), "en")
    assert all(all(one.words) for one in made) and any(one.words[0] != ",," for one in made)


@pytest.mark.parametrize(
    ("what", "language", "text", "expected"),
    [
        (Perturb.DIACRITICS, "vi", "Hà Nội Đà Nẵng", "Ha Noi Da Nang"),
        (Perturb.DIACRITICS, "ru", "ёлка й", "елка и"),
        (Perturb.DIACRITICS, "ar", "أهلا", "اهلا"),
        (Perturb.CASING, "tr", "istanbul", "İSTANBUL"),
        (Perturb.CASING, "de", "GROSS klein", "gross KLEIN"),
        (Perturb.TRANSLITERATION, "ru", "щука", "shchuka"),
        (Perturb.TRANSLITERATION, "ko", "한국", "hanguk"),
        (Perturb.TRANSLITERATION, "hi", "नमन", "namana"),
        (Perturb.TRANSLITERATION, "ja", "ですカ東", "desuka東"),
        (Perturb.HOMOGLYPHS, "ru", "о", "o"),
    ],
)
def test_letters_become_what_they_should(what: Perturb, language: str, text: str, expected: str) -> None:
    [one] = perturbed([ClassificationExample(item="1", text=text)], under(what, 1.0), language)
    if what is Perturb.HOMOGLYPHS:
        assert one.text != text and one.text in ("o", "ο", "օ")
    else:
        assert one.text == expected


def test_words_are_switched_by_what_goes_with_them_in_aligned_text() -> None:
    pairs = [
        ("the house is red", "das Haus ist rot"),
        ("the house is old", "das Haus ist alt"),
        ("the dog is old", "der Hund ist alt"),
        ("a dog runs", "ein Hund läuft"),
    ]
    known = dictionary(pairs)
    assert known["haus"] == "house" and known["hund"] == "dog" and "läuft" not in known
    before = [TaggingExample(item="1", words=("Hund", "läuft"), tags=("NOUN", "VERB"))]
    [after] = perturbed(before, under(Perturb.CODE_SWITCH, 1.0), "de", pairs)
    assert after.words == ("Dog", "läuft") and after.tags == before[0].tags
    chinese = [("good day friend", "你好朋友"), ("good friend day", "朋友你好吗"), ("friend", "我的朋友")]
    [after] = perturbed([ClassificationExample(item="1", text="他是朋友。")], under(Perturb.CODE_SWITCH), "zh", chinese)
    assert "friend" in after.text


def test_a_distractor_is_of_another_paragraph_and_holds_no_answer() -> None:
    contexts = {
        "river": "The river Elbe flows through Dresden. It ends in the North Sea near Hamburg.",
        "tower": "The tower of Dresden was built in 1746. Many people visit the tower every year.",
        "sea": "The North Sea is shallow and cold. Ships cross the sea to reach Hamburg.",
    }
    asked = [
        SpanExample(
            item=name,
            question="Which river flows through Dresden to the sea?",
            context=text,
            answers=((word, text.index(word)),),
        )
        for (name, text), word in zip(contexts.items(), ("Elbe", "1746", "cold"), strict=True)
    ]
    for strength, most in ((0.2, 1), (1.0, 5)):
        for before, after in zip(asked, perturbed(asked, under(Perturb.DISTRACTORS, strength), "en"), strict=True):
            assert_holds(before, after, Perturb.DISTRACTORS)
            assert before.context in after.context and len(after.context) > len(before.context)
            added = after.context.replace(before.context, "")
            assert before.answers and before.answers[0][0] not in added
            assert 1 <= added.count(".") <= most


def test_what_has_nothing_to_do_says_why() -> None:
    found = default_registry()
    assert why_not(Perturb.CASING, XNLI, "zh") and why_not(Perturb.TRANSLITERATION, XNLI, "en")
    assert why_not(Perturb.DIACRITICS, XNLI, "en") and not why_not(Perturb.DIACRITICS, XNLI, "fr")
    assert why_not(Perturb.KEYBOARD, found.task("plain")) and why_not(Perturb.DISTRACTORS, found.task("panx"))
    assert why_not(Perturb.WORD_ORDER, found.task("pawsx")) and not why_not(Perturb.WORD_ORDER, found.task("qqp"))
    assert why_not(Attack.CHARACTERS, found.task("tatoeba")) and why_not(Attack.SENTENCES, XNLI)
