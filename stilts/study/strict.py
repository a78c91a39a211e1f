"""How types are read that were written as JSON: nothing is converted, nothing unknown is taken, numbers are finite."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from pydantic import ConfigDict, Field

from stilts.fingerprint import Json

STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
# As STRICT, and what is unknown is passed over: of results, which carry more than anyone reads.
LENIENT = ConfigDict(extra="ignore", strict=True, allow_inf_nan=False)

# Counts of items, steps and bytes, and seeds: whole numbers that a double and an array can hold.
Count: TypeAlias = Annotated[int, Field(ge=0, le=2**53)]
Whole: TypeAlias = Annotated[int, Field(ge=-(2**63), lt=2**63)]
Finite: TypeAlias = Annotated[float, Field(ge=-1e15, le=1e15)]
# A duration, or a moment as Unix time, in seconds.
Seconds: TypeAlias = Annotated[float, Field(ge=0.0, le=1e15)]
# Scores of a model that diverged are NaN, and are kept.
MaybeNan: TypeAlias = Annotated[float, Field(allow_inf_nan=True)]
# JSON that is kept as it is and shown, never computed with. What checks types knows it as JSON; what reads it takes any
# object, or any value at all.
if TYPE_CHECKING:
    Kept: TypeAlias = Mapping[str, Json]
    KeptValue: TypeAlias = Json
else:
    Kept = dict[str, Any]
    KeptValue = Any
