"""The fields ``intermediates.<row>.search`` of a study file: what of a row's recipe is searched, and how.

The forms of a mixture have their own file, ``mixture_schema.py``; ``settings.search_space`` makes ranges of these.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, StringConstraints, Tag, model_validator

from stilts.metrics.levels import FALSE_CLAIM
from stilts.study.mixture_schema import NumberRange, SearchedMaskedLm, SearchedSampling, Subset, Tasks
from stilts.study.schema_part import Name, SchemaPart, check_meant

# Unlike other names it may hold a colon: language:sw, family:Uralic.
ObjectiveName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]*$", max_length=60)]
ObjectiveNames = Annotated[tuple[ObjectiveName, ...], Field(strict=False, min_length=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberLimits:
    """What a searched number may be: at most ``high``, a whole number or not, 0 or not."""

    high: float
    whole: bool = False
    zero: bool = False


# What names of searched numbers of an adapter begin with, behind ``TARGET`` of a column's.
ADAPTER = "adapter_"
_TRAINING: Mapping[str, NumberLimits] = {
    "learning_rate": NumberLimits(high=1.0),
    "steps": NumberLimits(high=10_000_000, whole=True),
    "epochs": NumberLimits(high=1000.0),
    "warmup_frac": NumberLimits(high=1.0, zero=True),
    "batch_size": NumberLimits(high=65_536, whole=True),
    ADAPTER + "rank": NumberLimits(high=4096, whole=True),
    ADAPTER + "alpha": NumberLimits(high=1e5),
    ADAPTER + "dropout": NumberLimits(high=0.99, zero=True),
}
TARGET = "target_"
MERGE, MERGE_SCALE = "merge", "merge_scale"
# By name of the parameter that a proposal carries.
NUMBERS: Mapping[str, NumberLimits] = {
    **_TRAINING,
    **{TARGET + name: limits for name, limits in _TRAINING.items()},
    "temperature": NumberLimits(high=100.0),
    "cap": NumberLimits(high=10_000_000, whole=True),
    MERGE_SCALE: NumberLimits(high=10.0),
    "masked_lm_weight": NumberLimits(high=1.0, zero=True),
}
LANGUAGES = "masked_lm_languages"
_FORMS = ("weights", "subset", MERGE)
BaselineName = Literal["proportional", "uniform", "temperature", "single", "none"]


def _one_or_several(value: Any) -> str:
    return "several" if isinstance(value, Sequence) and not isinstance(value, str) else "one"


Objectives = Annotated[
    Annotated[ObjectiveName, Tag("one")] | Annotated[ObjectiveNames, Tag("several")], Discriminator(_one_or_several)
]
Baselines = Annotated[
    Annotated[Literal[True], Tag("one")]
    | Annotated[Annotated[tuple[BaselineName, ...], Field(strict=False, min_length=1)], Tag("several")],
    Discriminator(_one_or_several),
]


class Between(SchemaPart):
    """Where another number lies, both ends included."""

    low: float
    high: float

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low > self.high:
            raise ValueError("low must not be above high")
        return self


def _condition_form(value: Any) -> str:
    return "range" if isinstance(value, Mapping | Between) else "list"


Condition = Annotated[
    Annotated[Between, Tag("range")]
    | Annotated[Annotated[tuple[float, ...], Field(strict=False, min_length=1)], Tag("list")],
    Discriminator(_condition_form),
]


class Racing(SchemaPart):
    """Whether a recipe's further seeds are run only while it may still win; ``alpha`` is the test's level."""

    policy: Literal["none", "wilcoxon"] = "none"
    alpha: Annotated[float, Field(gt=0.0, lt=1.0)] = FALSE_CLAIM

    @model_validator(mode="after")
    def _meant(self) -> Self:
        check_meant(self, self.policy, {"none": (), "wilcoxon": ("alpha",)})
        return self


class Search(SchemaPart):
    """What of a row is searched: numbers, at most one form of mixture, a share of masked LM.

    ``weights`` names the tasks whose shares of steps are searched on a simplex, ``merge`` the rows whose differences
    are added by weights from one, times ``merge_scale``; ``target_...`` replaces the columns' own training under this
    row. ``when`` draws a field only where others have certain values. ``baselines`` adds the rows that a searched
    mixture must beat, and searches ``none`` too. ``confirm``: the chosen recipe is trained again with fresh seeds, as
    many as ``replicates`` says, and only those are reported; without it the row claims nothing.
    """

    learning_rate: NumberRange | None = None
    steps: NumberRange | None = None
    epochs: NumberRange | None = None
    warmup_frac: NumberRange | None = None
    batch_size: NumberRange | None = None
    adapter_rank: NumberRange | None = None
    adapter_alpha: NumberRange | None = None
    adapter_dropout: NumberRange | None = None
    target_learning_rate: NumberRange | None = None
    target_steps: NumberRange | None = None
    target_epochs: NumberRange | None = None
    target_warmup_frac: NumberRange | None = None
    target_batch_size: NumberRange | None = None
    target_adapter_rank: NumberRange | None = None
    target_adapter_alpha: NumberRange | None = None
    target_adapter_dropout: NumberRange | None = None
    weights: Tasks | None = None
    sampling: SearchedSampling | None = None
    subset: Subset | None = None
    merge: Tasks | None = None
    merge_scale: NumberRange | None = None
    masked_lm: SearchedMaskedLm | None = None
    when: Mapping[Name, Annotated[Mapping[Name, Condition], Field(min_length=1)]] = Field(default_factory=dict)
    baselines: Baselines | None = None
    proposals: Annotated[int, Field(ge=1, le=100_000)]
    sampler: Name = "tpe"
    objective: Objectives = "per_target"
    start_from: Name | None = None
    seeds: Annotated[int, Field(ge=1, le=1000)] = 1
    racing: Racing = Racing()
    confirm: bool = True

    @model_validator(mode="after")
    def _meant(self) -> Self:
        for name in ("weights", MERGE):
            if len(set(getattr(self, name) or ())) != len(getattr(self, name) or ()):
                raise ValueError(f"{name} names one twice")
        if self.merge_scale is not None and self.merge is None:
            raise ValueError("merge_scale multiplies the weights of merge: give that too")
        if sum(form is not None for form in (self.weights, self.sampling, self.subset)) > 1:
            raise ValueError("give one of weights, sampling and subset")
        if self.baselines is not None and not self.mixture_tasks:
            raise ValueError("baselines belong to a searched mixture: give weights, sampling or subset")
        if not any(True for _ in self.searched()):
            raise ValueError("name at least one thing to search")
        for prefix in ("", TARGET):
            if getattr(self, f"{prefix}steps") is not None and getattr(self, f"{prefix}epochs") is not None:
                raise ValueError(f"search {prefix}steps or {prefix}epochs, not both")
        for name, numbers in self.numbers().items():
            _check_limits(name, numbers, NUMBERS[name])
        self._check_conditions()
        return self

    @property
    def objectives(self) -> tuple[str, ...]:
        """What is searched for, by name."""
        return (self.objective,) if isinstance(self.objective, str) else tuple(dict.fromkeys(self.objective))

    @property
    def mixture_tasks(self) -> tuple[str, ...]:
        """The tasks of the searched mixture; empty where the row's own task or mixture stands."""
        if self.weights is not None:
            return self.weights
        form = self.sampling or self.subset
        return form.tasks if form else ()

    def numbers(self) -> dict[str, NumberRange]:
        """Every searched number, by the name of its parameter in proposals."""
        found = {name: getattr(self, name) for name in NUMBERS if name in type(self).model_fields}
        for form in (self.sampling, self.subset):
            if form is not None:
                found["temperature"] = form.temperature
        if self.sampling is not None:
            found["cap"] = self.sampling.cap
        if self.masked_lm is not None:
            found["masked_lm_weight"] = self.masked_lm.weight
        return {name: value for name, value in found.items() if isinstance(value, NumberRange)}

    def searched(self) -> Iterator[str]:
        """The names of all parameters that a proposal may carry."""
        yield from self.numbers()
        if self.masked_lm is not None and len(self.masked_lm.language_choices) > 1:
            yield LANGUAGES
        yield from (name for name in _FORMS if getattr(self, name) is not None)

    def _check_conditions(self) -> None:
        numbers, searched = self.numbers(), set(self.searched()) - set(_FORMS)
        for field, conditions in self.when.items():
            if field not in searched:
                raise ValueError(f"when names {field}, which is no searched number: {', '.join(sorted(searched))}")
            for other, condition in conditions.items():
                if (field, other) == (LANGUAGES, "masked_lm_weight"):
                    raise ValueError(f"{LANGUAGES} are drawn wherever {other} is above 0: leave the condition out")
                if other not in numbers:
                    raise ValueError(f"when.{field} looks at {other}, which is no searched number")
                _check_reachable(f"when.{field}.{other}", condition, numbers[other], whole=NUMBERS[other].whole)
        try:
            TopologicalSorter({field: set(others) for field, others in self.when.items()}).prepare()
        except CycleError as error:
            raise ValueError(f"when goes in a circle: {' on '.join(reversed(error.args[1]))}") from error


def _check_limits(name: str, numbers: NumberRange, limits: NumberLimits) -> None:
    low, high = numbers.ends
    if high > limits.high:
        raise ValueError(f"{name} ends at {limits.high:g}")
    if low == 0.0 and not limits.zero and not limits.whole:
        raise ValueError(f"{name} must be above 0")
    if limits.whole and numbers.choices is None and max(1, round(low)) >= round(high):
        raise ValueError(f"{name} must span at least two whole numbers")
    if limits.whole and any(choice < 1 or choice != round(choice) for choice in numbers.choices or ()):
        raise ValueError(f"{name} is a whole number from 1")


def _check_reachable(where: str, condition: Condition, numbers: NumberRange, *, whole: bool) -> None:
    """Refuses what can never hold: its field would silently never be drawn."""
    low, high = numbers.ends
    if isinstance(condition, Between):
        values = numbers.choices or (min(max(condition.low, low), high),)
    elif numbers.choices is None and not whole:
        raise ValueError(f"{where} lists values of a continuous range: give low and high")
    else:
        values = condition if numbers.choices is None else tuple(set(condition) & set(numbers.choices))
        condition = Between(low=low, high=high)
    if not any(condition.low <= value <= condition.high for value in values):
        raise ValueError(f"{where} can never hold: the number lies between {low:g} and {high:g}")
