"""Perturbed evaluation data: every example altered by one perturbation, deterministic per (seed, example).

Read this first. ``passage.py`` of ``tasks/`` says what of an example may be altered; a perturbation takes a passage and
gives a passage. Strength 0 is the identity, and what a weaker one alters a stronger one alters in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TypeAlias, TypeVar

from stilts.robustness import characters, wording
from stilts.robustness.distractors import Distractors, distracted
from stilts.robustness.lots import Lot
from stilts.robustness.romans import transliteration
from stilts.robustness.segments import words
from stilts.robustness.switching import Dictionary, dictionary, switching
from stilts.robustness.wording import Change, altered, order
from stilts.study.robust import Perturb, Stress
from stilts.tasks.example import Example
from stilts.tasks.passage import Passage

Changed = TypeVar("Changed", bound=Example)
# A passage, its language and draws, and the strength, to the passage as it is altered.
Alteration: TypeAlias = Callable[[Passage, str, Lot, float], Passage]


def _by_word(edit: characters.Edit) -> Alteration:
    def changes(text: str, language: str, draw: Lot, are_words: bool) -> list[Change]:
        edited = [(start, end, edit(text[start:end], language, draw.at(start))) for start, end in words(text)]
        return [(start, end, new) for start, end, new in edited if new != text[start:end] and new]

    return partial(altered, places=changes)


ALTERATIONS: Mapping[Perturb, Alteration] = {
    Perturb.KEYBOARD: _by_word(characters.keyboard),
    Perturb.OCR: _by_word(characters.ocr),
    Perturb.SWAP: _by_word(characters.swap),
    Perturb.DIACRITICS: _by_word(characters.diacritics),
    Perturb.TRANSLITERATION: _by_word(transliteration),
    Perturb.HOMOGLYPHS: _by_word(characters.homoglyphs),
    Perturb.CASING: _by_word(characters.casing),
    Perturb.WHITESPACE: partial(altered, places=wording.blanks),
    Perturb.PUNCTUATION: partial(altered, places=wording.marks),
    Perturb.WORD_ORDER: order,
}


def perturbed(
    examples: Sequence[Changed], stress: Stress, language: str, aligned: Iterable[tuple[str, str]] = ()
) -> list[Changed]:
    """The examples, altered; labels, tags and answers say of them what they said.

    ``aligned`` are sentences with their translations into ``language``, for code-switching. A distractor is looked for
    in the paragraphs of ``examples``.
    """
    if stress.strength == 0.0:
        return list(examples)
    if stress.what is Perturb.DISTRACTORS:
        source = Distractors(examples)
        return [
            one.with_passages(distracted(one.passages(), source, lot_of(stress, one), stress.strength))
            for one in examples
        ]
    alteration = alteration_of(stress, dictionary(aligned) if stress.what is Perturb.CODE_SWITCH else {})
    return [_altered(one, alteration, stress, language) for one in examples]


def alteration_of(stress: Stress, known: Dictionary) -> Alteration:
    """What a stress does to a passage."""
    if stress.what is Perturb.CODE_SWITCH:
        return partial(altered, places=partial(switching, known))
    assert isinstance(stress.what, Perturb)
    return ALTERATIONS[stress.what]


def lot_of(stress: Stress, example: Example) -> Lot:
    """The draws of an example: by the stress, its seed and the source item."""
    return Lot(f"{stress.what}/{stress.seed}/{example.item}")


def _altered(example: Changed, alteration: Alteration, stress: Stress, language: str) -> Changed:
    draw, before = lot_of(stress, example), example.passages()
    return example.with_passages(
        [alteration(one, language, draw.at(number), stress.strength) for number, one in enumerate(before)]
    )
