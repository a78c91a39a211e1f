"""Mixtures in a study file: shares by size, which k of n tasks, and a share of masked LM; fixed and searched ones.

``search_schema.py`` and ``schema.py`` place these fields; ``mixing.py`` makes shares of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from stilts.study.schema_part import Count, Name, Names, SchemaPart

# Weights are rounded to 0.01: a mixture of more tasks than that could not give each a share.
MOST_TASKS = 100
_PERCENT = 100

Tasks = Annotated[tuple[Name, ...], Field(strict=False, min_length=2, max_length=MOST_TASKS)]
Temperature = Annotated[float, Field(gt=0.0, le=100.0)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]


class NumberRange(SchemaPart):
    """A searched number: one of ``choices``, or from ``low`` to ``high`` (``log`` draws its logarithm uniformly)."""

    low: Annotated[float, Field(ge=0.0)] | None = None
    high: Annotated[float, Field(gt=0.0)] | None = None
    log: bool = False
    choices: Annotated[tuple[Annotated[float, Field(ge=0.0)], ...], Field(strict=False, min_length=2)] | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if (self.choices is None) == (self.low is None) or (self.low is None) != (self.high is None):
            raise ValueError("give low and high, or choices")
        if self.choices is not None:
            if self.log:
                raise ValueError("log belongs to low and high")
            if len(set(self.choices)) != len(self.choices):
                raise ValueError("choices names a number twice")
            return self
        low, high = self.ends
        if low >= high:
            raise ValueError("low must be below high")
        if self.log and low == 0.0:
            raise ValueError("low must be above 0 where log is true")
        return self

    @property
    def ends(self) -> tuple[float, float]:
        """The smallest and the largest value that can be drawn."""
        if self.choices is not None:
            return min(self.choices), max(self.choices)
        assert self.low is not None and self.high is not None
        return self.low, self.high


def _form(value: Any) -> str:
    """What a field that may be a number or a range was given; the word stands in error messages."""
    if isinstance(value, Mapping | NumberRange):
        return "range"
    return "name" if isinstance(value, str) else "number"


Range = Annotated[NumberRange, Tag("range")]
TemperatureOrRange = Annotated[Annotated[Temperature, Tag("number")] | Range, Discriminator(_form)]
TemperatureRangeOrUniform = Annotated[
    Annotated[Temperature, Tag("number")] | Range | Annotated[Literal["uniform"], Tag("name")], Discriminator(_form)
]
CapOrRange = Annotated[Annotated[Count, Tag("number")] | Range, Discriminator(_form)]
ShareOrRange = Annotated[Annotated[Share, Tag("number")] | Range, Discriminator(_form)]
TemperatureOrUniform = Annotated[
    Annotated[Temperature, Tag("number")] | Annotated[Literal["uniform"], Tag("name")], Discriminator(_form)
]


class Sampling(SchemaPart):
    """A fixed mixture by size: shares in proportion to min(examples, cap) to the power 1 / temperature.

    1 is proportional to size, larger temperatures are flatter, ``uniform`` gives equal shares.
    """

    tasks: Tasks
    temperature: TemperatureOrUniform = 1.0
    cap: Count | None = None

    @model_validator(mode="after")
    def _meant(self) -> Self:
        _check_tasks(self.tasks)
        if self.temperature == "uniform" and self.cap is not None:
            raise ValueError("under temperature uniform nothing looks at cap: shares are equal whatever the sizes")
        return self


class SearchedSampling(SchemaPart):
    """A mixture by size, as ``Sampling``, whose temperature and cap may be searched."""

    tasks: Tasks
    temperature: TemperatureRangeOrUniform = 1.0
    cap: CapOrRange | None = None

    @model_validator(mode="after")
    def _meant(self) -> Self:
        _check_tasks(self.tasks)
        if self.temperature == "uniform" and self.cap is not None:
            raise ValueError("under temperature uniform nothing looks at cap: shares are equal whatever the sizes")
        return self


class CountRange(SchemaPart):
    """How many tasks are drawn, when that is searched too."""

    low: Annotated[int, Field(ge=1, le=MOST_TASKS)]
    high: Annotated[int, Field(ge=1, le=MOST_TASKS)]

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low >= self.high:
            raise ValueError("low must be below high")
        return self


def _count_form(value: Any) -> str:
    return "range" if isinstance(value, Mapping | CountRange) else "number"


class Subset(SchemaPart):
    """Which ``count`` of some tasks are mixed: in equal shares, or by size at a ``temperature``."""

    tasks: Tasks
    count: Annotated[
        Annotated[Annotated[int, Field(ge=1, le=MOST_TASKS)], Tag("number")] | Annotated[CountRange, Tag("range")],
        Discriminator(_count_form),
    ]
    temperature: TemperatureOrRange | None = None

    @model_validator(mode="after")
    def _some(self) -> Self:
        _, high = self.counts
        if high > len(self.tasks):
            raise ValueError(f"count is {high}, of {len(self.tasks)} tasks")
        if isinstance(self.count, int) and self.count == len(self.tasks):
            raise ValueError("count names all tasks: there is nothing to choose")
        if high == 1 and self.temperature is not None:
            raise ValueError("where one task is drawn nothing looks at temperature: it has all steps")
        _check_tasks(self.tasks)
        return self

    @property
    def counts(self) -> tuple[int, int]:
        """The smallest and the largest number of tasks."""
        return (self.count, self.count) if isinstance(self.count, int) else (self.count.low, self.count.high)


class MaskedLm(SchemaPart):
    """A masked-LM task beside a row's own: its share of steps, and its languages (all that there are, left out)."""

    task: Name
    weight: Share
    languages: Names | None = None

    @model_validator(mode="after")
    def _rounded(self) -> Self:
        _check_shares((self.weight,))
        _check_languages((self.languages,) if self.languages else ())
        return self


def _languages_form(value: Any) -> str:
    nested = isinstance(value, list | tuple) and any(isinstance(item, list | tuple) for item in value)
    return "choices" if nested else "list"


LanguagesOrChoices = Annotated[
    Annotated[Names, Tag("list")]
    | Annotated[Annotated[tuple[Names, ...], Field(strict=False, min_length=2)], Tag("choices")],
    Discriminator(_languages_form),
]


class SearchedMaskedLm(SchemaPart):
    """A masked-LM task beside a row's own, whose share or languages may be searched; share 0 leaves it out."""

    task: Name
    weight: ShareOrRange
    languages: LanguagesOrChoices | None = None

    @model_validator(mode="after")
    def _rounded(self) -> Self:
        if isinstance(self.weight, NumberRange):
            if self.weight.log:
                raise ValueError("the range of a masked-LM weight has no log: it is drawn in steps of 0.01")
            _check_shares(self.weight.choices or self.weight.ends)
        else:
            _check_shares((self.weight,))
        _check_languages(self.language_choices)
        return self

    @property
    def language_choices(self) -> tuple[tuple[str, ...], ...]:
        """The sets of languages that can be drawn: several, one, or none where all that there are is meant."""
        if self.languages is None:
            return ()
        if isinstance(self.languages[0], str):
            return (tuple(str(code) for code in self.languages),)
        return tuple(tuple(choice) for choice in self.languages)


def _check_tasks(tasks: tuple[str, ...]) -> None:
    if len(set(tasks)) != len(tasks):
        raise ValueError("tasks names one twice")


def _check_shares(shares: tuple[float, ...]) -> None:
    for share in shares:
        if share > 1.0:
            raise ValueError("a share of steps ends at 1")
        if abs(share * _PERCENT - round(share * _PERCENT)) > 1e-9:
            raise ValueError(f"a share of steps is a multiple of 0.01, not {share:g}")


def _check_languages(choices: tuple[tuple[str, ...], ...]) -> None:
    if any(len(set(choice)) != len(choice) for choice in choices):
        raise ValueError("languages names one twice")
    if len({frozenset(choice) for choice in choices}) != len(choices):
        raise ValueError("languages lists a set twice")
