"""Attacks on models that are written down: what they ask, what they find, and that they keep to their budget."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from stilts.kinds.scored import Scored
from stilts.metrics.answers import answer_rows
from stilts.metrics.classification import accuracy_rows
from stilts.robustness.attack import attacked
from stilts.study.robust import Attack, Stress
from stilts.tasks.kinds.classification import ClassificationExample
from stilts.tasks.kinds.span_qa import SpanExample

CHARACTERS = Stress(what=Attack.CHARACTERS, strength=0.5, seed=0, queries=26)


@dataclass
class Spotter:
    """A model that says yes where a text has the word, whose loss is small there and large where it has not."""

    word: str = "wonderful"
    asked: dict[str, int] = field(default_factory=dict)

    def says(self, example: Any) -> str:
        return "yes" if self.word in example.text else "no"

    def losses(self, examples: Sequence[Any]) -> Any:
        for one in examples:
            self.asked[one.item] = self.asked.get(one.item, 0) + 1
        return np.array([0.1 if self.says(one) == one.label else 5.0 for one in examples])

    def goodness(self, examples: Sequence[Any]) -> Any:
        return np.array([100.0 * (self.says(one) == one.label) for one in examples])

    def scored(self, examples: Sequence[Any]) -> Scored:
        said = [self.says(one) for one in examples]
        return Scored(rows=accuracy_rows([one.label for one in examples], said), predictions=tuple(said), chance=None)


def reviews(count: int = 12) -> list[ClassificationExample]:
    text = "we had a very long and truly wonderful evening in town"
    return [ClassificationExample(item=str(n), text=text, label="yes") for n in range(count)]


def test_the_word_that_matters_is_found_and_one_slip_is_enough() -> None:
    model, before = Spotter(), [*reviews(), ClassificationExample(item="wrong", text="awful", label="yes")]
    after, scored = attacked(model, before, CHARACTERS, "en")  # type: ignore[arg-type]
    assert scored.beside["attack_success"] == 100.0 and not scored.rows[:, 0].any()
    for one, other in zip(before[:-1], after, strict=False):
        changed = [(a, b) for a, b in zip(one.text.split(), other.text.split(), strict=True) if a != b]
        assert len(changed) == 1 and changed[0][0] == "wonderful" and other.label == "yes"
    assert after[-1] == before[-1] and "wrong" not in model.asked, "what it has wrong is left alone"
    # The text itself, eleven words blotted out, and at most three slips of the word that matters.
    assert 12 < scored.beside["queries"] <= 15


@pytest.mark.parametrize("queries", [2, 4, 7, 50])
def test_no_example_is_asked_about_more_often_than_allowed(queries: int) -> None:
    model = Spotter(word="nothing of it")
    stress = Stress(what=Attack.CHARACTERS, strength=1.0, seed=0, queries=queries)
    before = [ClassificationExample(item=one.item, text=one.text, label="no") for one in reviews()]
    after, scored = attacked(model, before, stress, "en")  # type: ignore[arg-type]
    assert scored.beside["attack_success"] == 0.0 and after == before, "what does not grow the loss is not kept"
    assert max(model.asked.values()) <= queries and scored.beside["queries"] <= queries


def test_strength_bounds_how_many_words_are_changed() -> None:
    class Worn(Spotter):
        """Its loss grows with every word that is misspelled; it never errs."""

        def losses(self, examples: Sequence[Any]) -> Any:
            super().losses(examples)
            return np.array([float(sum(w not in "we had a very long and truly wonderful evening in town" for w in
                                       one.text.split())) for one in examples])  # fmt: skip

        def says(self, example: Any) -> str:
            return "yes"

    for strength, most in ((0.0, 0), (0.2, 2), (0.5, 6)):
        stress = Stress(what=Attack.CHARACTERS, strength=strength, seed=0, queries=200)
        after, _ = attacked(Worn(), reviews(3), stress, "en")  # type: ignore[arg-type]
        for one, other in zip(reviews(3), after, strict=True):
            changed = sum(a != b for a, b in zip(one.text.split(), other.text.split(), strict=True))
            assert changed == most


class Reader(Spotter):
    """A model that answers by the first word in capitals behind "capital of"; the last such place misleads it."""

    def says(self, example: Any) -> str:
        behind: str = example.context.rpartition("city is ")[2]
        return behind.split(" ")[0].strip(".")

    def goodness(self, examples: Sequence[Any]) -> Any:
        return np.array([100.0 * (self.says(one) == one.answers[0][0]) for one in examples])

    def scored(self, examples: Sequence[Any]) -> Scored:
        said = [self.says(one) for one in examples]
        gold = [[text for text, _ in one.answers] for one in examples]
        return Scored(rows=answer_rows("squad", gold, said, language="en"), predictions=tuple(said), chance=None)


def test_a_sentence_of_another_paragraph_misleads() -> None:
    facts = {"France": "Paris", "Spain": "Madrid", "Italy": "Rome"}
    before = [
        SpanExample(
            item=land,
            question=f"Which city is the capital of {land}?",
            context=(text := f"In {land} the largest city is {city}. It lies by a river."),
            answers=((city, text.index(city)),),
        )
        for land, city in facts.items()
    ]
    stress = Stress(what=Attack.SENTENCES, strength=0.3, seed=0, queries=4)
    after, scored = attacked(Reader(), before, stress, "en")  # type: ignore[arg-type]
    assert scored.beside["attack_success"] > 0 and 1 < scored.beside["queries"] <= 4
    for one, other in zip(before, after, strict=True):
        assert one.context in other.context and other.answers and one.answers
        [(text, at)] = other.answers
        assert other.context[at : at + len(text)] == text == one.answers[0][0]
