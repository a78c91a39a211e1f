"""The fields ``policy`` of a study file: which cells are filled, by what policy, and what the study may spend."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from stilts.study.schema_part import Count, PathText, SchemaPart

GRID = "grid"
_Positive = Annotated[float, Field(gt=0.0, le=1e7)]


class StudyBudget(SchemaPart):
    """What a study may spend, over all its runs; what is given holds together.

    ``gpu_hours`` counts what stages held, ``stage_hours`` the hours of stages one after the other (on CPUs, too),
    ``hours`` the hours in which at least one stage ran, ``trials`` the stages that were run. ``grids`` is the price of
    one seed of every cell of the study's fixed rows, as far as stages like them were measured.
    """

    gpu_hours: _Positive | None = None
    stage_hours: _Positive | None = None
    hours: _Positive | None = None
    trials: Count | None = None
    grids: Annotated[float, Field(gt=0.0, le=1000.0)] | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.given():
            raise ValueError("give at least one of gpu_hours, stage_hours, hours, trials and grids")
        return self


class StudyPolicy(SchemaPart):
    """How the matrix is filled: ``grid`` runs every replicate, ``select`` those that settle the answer.

    ``priors`` are foreign matrices that a policy starts from: names of studies in the same store, or CSV files. A name
    alone stands for the policy of that name, without budget or priors.
    """

    name: Literal["grid", "select"] = "grid"
    budget: StudyBudget | None = None
    priors: Annotated[tuple[PathText, ...], Field(strict=False)] = ()

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _meant(self) -> Self:
        if self.name == GRID and self.priors:
            raise ValueError("priors belong to a selecting policy; a grid runs every cell anyway")
        return self
