"""What every group of a study file's fields shares: names, numbers with their limits; and the strict group itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

LONGEST_NAME = 60
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=LONGEST_NAME)]
PathText = Annotated[str, StringConstraints(min_length=1, max_length=1000, pattern=r"^[^\x00-\x1f]+$")]
Names = Annotated[tuple[Name, ...], Field(strict=False, min_length=1)]
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Rate = Annotated[float, Field(gt=0.0, le=1.0)]
Count = Annotated[int, Field(ge=1, le=10_000_000)]
Weight = Annotated[float, Field(gt=0.0, le=1.0)]


class SchemaPart(BaseModel):
    """A group of fields: frozen, strict, and closed to unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    def given(self) -> dict[str, Any]:
        """The fields that were written, as plain values."""
        return self.model_dump(exclude_unset=True)


def check_meant(part: SchemaPart, choice: str, options: Mapping[str, Sequence[str]]) -> None:
    """ValueError where the part gives an option that its ``choice`` (a field's value) does not look at.

    ``options`` lists those of every choice; fields that none of them lists are free.
    """
    own = set(options[choice])
    idle = (part.model_fields_set & {name for names in options.values() for name in names}) - own
    if idle:
        takes = ", ".join(options[choice]) or "no options"
        raise ValueError(f"under {choice} nothing looks at {', '.join(sorted(idle))}: it takes {takes}")
