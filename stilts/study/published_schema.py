"""The field ``published`` of a study file: figures that others published, which the report sets beside the study's own.

Nothing is decided by them; the record keeps them as they are written, and ``stilts.analysis.published`` reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import Field, model_validator

from stilts.study.schema_part import Name, Names, SchemaPart

Points = Annotated[float, Field(ge=-100.0, le=100.0)]
Lines = Annotated[tuple[Annotated[str, Field(min_length=1, max_length=200)], ...], Field(strict=False)]


class PublishedFigures(SchemaPart):
    """Gains of rows, or of the best row per target, over ``none`` in one publication, as means over targets.

    ``theirs`` are settings that the study has from the publication, ``unknown`` those that it does not give.
    """

    source: Annotated[str, Field(min_length=1, max_length=300)]
    gains: Mapping[Name, Points] = Field(default_factory=dict)
    best: Points | None = None
    none: Annotated[float, Field(ge=0.0, le=100.0)] | None = None
    targets: Names | None = None
    theirs: Lines = ()
    unknown: Lines = ()

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.gains and self.best is None:
            raise ValueError("give gains, best, or both")
        return self
