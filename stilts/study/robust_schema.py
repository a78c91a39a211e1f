"""The study file's words for robustness: perturbations of evaluation data, and attacks on finished models."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from stilts.study.schema_part import Count, Fraction, Name, Names, SchemaPart

# Queries that an attack may ask of the model about one example, unless the study says otherwise.
USUAL_QUERIES = 50


def stress_label(what: str, *, attacks: bool, strength: float, seed: int) -> str:
    """What a reader calls a stress: ``keyboard 0.3``, ``characters attack 0.3``; with its seed where that is not 0."""
    return f"{what}{' attack' if attacks else ''} {strength:g}" + (f" seed {seed}" if seed else "")


class Robustness(SchemaPart):
    """One perturbation, or one attack; see ``stilts.study.robust``.

    Without ``targets`` every one that it can be done to. ``limit`` keeps at most that many examples of a language,
    those with the smallest hash of the source item.
    """

    perturb: (
        Literal[
            "keyboard",
            "ocr",
            "swap",
            "diacritics",
            "transliteration",
            "homoglyphs",
            "casing",
            "whitespace",
            "punctuation",
            "word_order",
            "code_switch",
            "distractors",
        ]
        | None
    ) = None
    attack: Literal["characters", "sentences"] | None = None
    strength: Fraction = 0.3
    seed: Annotated[int, Field(ge=0, le=2**31)] = 0
    targets: Names | None = None
    limit: Count | None = None
    queries: Annotated[int, Field(ge=2, le=100_000)] | None = None
    dictionary: Name | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.perturb is None) == (self.attack is None):
            raise ValueError("give one of perturb and attack")
        if self.queries is not None and self.attack is None:
            raise ValueError("queries are an attack's: a perturbation asks nothing of the model")
        if (self.dictionary is not None) != (self.perturb == "code_switch"):
            raise ValueError("code_switch needs a dictionary, a dataset of aligned text, and nothing else looks at one")
        return self

    @property
    def label(self) -> str:
        """What a reader calls it."""
        attacks = self.attack is not None
        return stress_label(str(self.attack or self.perturb), attacks=attacks, strength=self.strength, seed=self.seed)
