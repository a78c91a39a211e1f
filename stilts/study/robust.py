"""Stresses: perturbations of evaluation data and attacks that a study asks for. What they do is ``robustness/``'s."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from stilts.fingerprint import Json
from stilts.study.robust_schema import stress_label
from stilts.tasks.languages import LANGUAGES
from stilts.tasks.task import Task
from stilts.tasks.view import DataView


class Perturb(StrEnum):
    """A way in which evaluation data are altered, labels holding."""

    KEYBOARD = "keyboard"
    OCR = "ocr"
    SWAP = "swap"
    DIACRITICS = "diacritics"
    TRANSLITERATION = "transliteration"
    HOMOGLYPHS = "homoglyphs"
    CASING = "casing"
    WHITESPACE = "whitespace"
    PUNCTUATION = "punctuation"
    WORD_ORDER = "word_order"
    CODE_SWITCH = "code_switch"
    DISTRACTORS = "distractors"


class Attack(StrEnum):
    """A search, by queries to the finished model, for what makes it err."""

    CHARACTERS = "characters"
    SENTENCES = "sentences"


# Raise one when it comes to alter the same example otherwise.
STRESS_VERSION: Mapping[Perturb | Attack, int] = {**dict.fromkeys([*Perturb, *Attack], 1), Perturb.PUNCTUATION: 2}
_CASED = frozenset({"Latn", "Cyrl", "Grek", "Armn", "Zyyy"})
# Where a perturbation finds something to do, by script; all others do everywhere. Zyyy is that of toy languages.
_SCRIPTS: Mapping[Perturb, frozenset[str]] = {
    Perturb.CASING: _CASED,
    Perturb.HOMOGLYPHS: _CASED | {"Arab"},
}
_NOT_IN: Mapping[Perturb, frozenset[str]] = {Perturb.TRANSLITERATION: frozenset({"Latn", "Hans", "Hant", "Zyyy"})}
# Languages in which most sentences have a letter with a mark that may be left out: of XNLI's and UD's here 65 to 100 %.
# Not among them are Italian (55 %) and Cyrillic, whose short i is a letter of its own.
_MARKED = frozenset("ar az cs de el es et fi fr hu is ja lt lv pl pt ro sk sl sv tr vi yo".split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Stress:
    """One stress of a target. ``strength`` 0 to 1 is the share of places that change, ``queries`` an attack's budget.

    ``dictionary`` holds the aligned text of code-switching, in the language that is evaluated.
    """

    what: Perturb | Attack
    strength: float
    seed: int
    queries: int | None = None
    dictionary: DataView | None = None

    @property
    def label(self) -> str:
        """What a reader calls it."""
        return stress_label(self.what, attacks=self.is_attack, strength=self.strength, seed=self.seed)

    @property
    def is_attack(self) -> bool:
        """Whether it asks the model."""
        return isinstance(self.what, Attack)

    @property
    def passes(self) -> int:
        """How often its examples go through the model at most."""
        return self.queries or 1

    def payload(self) -> dict[str, Json]:
        """The identity fields."""
        found: dict[str, Json] = {
            "attack" if self.is_attack else "perturb": self.what.value,
            "version": STRESS_VERSION[self.what],
            "strength": self.strength,
            "seed": self.seed,
        }
        if self.queries is not None:
            found["queries"] = self.queries
        return found if self.dictionary is None else {**found, "dictionary": self.dictionary.digest}


def why_not(what: Perturb | Attack, task: Task, language: str | None = None) -> str | None:
    """Why a stress has nothing to do on a task, in a language of it where one is given; None where it has."""
    kind = task.kind
    if not kind.alterable:
        return f"a {kind} task asks for its own text"
    if isinstance(what, Attack) and (kind.learns_to_a_layer or task.may_have_no_answer):
        return "an attack needs a loss of single examples, and no threshold"
    if what in (Perturb.DISTRACTORS, Attack.SENTENCES) and not kind.has_paragraph:
        return f"a {kind} task has no paragraph to which a sentence may be added"
    if what is Perturb.WORD_ORDER and task.order_decides:
        return "its labels rest on the order of words"
    if language is None:
        return None
    return _why_not_in(what, language)


def _why_not_in(what: Perturb | Attack, language: str) -> str | None:
    known = LANGUAGES.get(language)
    script = known.script if known else ""
    if not isinstance(what, Perturb):
        return None
    if script not in _SCRIPTS.get(what, {script}) or script in _NOT_IN.get(what, ()):
        return f"{what} has nothing to do in its script"
    if what is Perturb.DIACRITICS and language not in _MARKED:
        return "most of its sentences have no diacritics"
    return "words are switched to English" if what is Perturb.CODE_SWITCH and language == "en" else None
