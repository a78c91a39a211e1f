"""The fields ``intermediates.<row>.search`` of a study file: what of a row's recipe is searched, and how."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from stilts.study.schema_part import Name, Part


class NumberRange(Part):
    """A searched number; ``log`` draws its logarithm uniformly."""

    low: Annotated[float, Field(gt=0.0)]
    high: Annotated[float, Field(gt=0.0)]
    log: bool = False

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low >= self.high:
            raise ValueError("low must be below high")
        return self


class Search(Part):
    """What of a row is searched. ``weights`` names the tasks whose shares of steps are searched on a simplex."""

    learning_rate: NumberRange | None = None
    steps: NumberRange | None = None
    warmup_frac: NumberRange | None = None
    target_learning_rate: NumberRange | None = None
    weights: Annotated[tuple[Name, ...], Field(strict=False, min_length=2)] | None = None
    proposals: Annotated[int, Field(ge=1, le=100_000)]
    sampler: Name = "tpe"

    @model_validator(mode="after")
    def _something(self) -> Self:
        searched = (self.learning_rate, self.steps, self.warmup_frac, self.target_learning_rate, self.weights)
        if all(value is None for value in searched):
            raise ValueError("name at least one thing to search")
        if self.weights is not None and len(set(self.weights)) != len(self.weights):
            raise ValueError("weights names a task twice")
        if self.steps is not None and max(1, round(self.steps.low)) >= round(self.steps.high):
            raise ValueError("steps must span at least two whole numbers")
        if self.steps is not None and self.steps.high > 10_000_000:
            raise ValueError("steps end at 10000000")
        for rate in (self.learning_rate, self.target_learning_rate, self.warmup_frac):
            if rate is not None and rate.high > 1.0:
                raise ValueError("learning rates and warm-up shares end at 1")
        return self
