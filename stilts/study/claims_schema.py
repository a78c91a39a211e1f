"""The fields ``claims`` of a study file: what is expected beforehand, so that the results can decide it.

``stilts.analysis.claims`` decides; the record keeps claims as they are written.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from stilts.study.schema_part import Name, Names, SchemaPart
from stilts.tasks.languages import LANGUAGES

# A language, or all of a group: family:Turkic, script:Cyrillic, morphology:agglutinative, resource:class 3.
Languages = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 :()-]*$", max_length=60)]
Group = Annotated[str, StringConstraints(pattern=r"^(family|script|morphology|resource):[A-Za-z0-9][A-Za-z0-9 ()-]*$")]
SeveralLanguages = Annotated[tuple[Languages, ...], Field(strict=False, min_length=1)]
Groups = Annotated[tuple[Group, ...], Field(strict=False, min_length=1)]


class _OverRow(SchemaPart):
    """A row held against another on some targets; without ``targets`` on all."""

    row: Name
    over: Name = "none"
    targets: Names | None = None

    @model_validator(mode="after")
    def _two(self) -> Self:
        if self.row == self.over:
            raise ValueError(f"row and over are both {self.row}")
        return self


class GainClaim(_OverRow):
    """The mean gain of a row over another; without ``languages`` in all of a target."""

    languages: SeveralLanguages | None = None


class DifferenceClaim(_OverRow):
    """How much more a row gains in one group of languages than in others (all, where ``against`` names none)."""

    group: Group
    against: Groups | None = None


class TrendClaim(_OverRow):
    """How a row's gains go with a property of languages: Spearman's correlation. Distance is that from ``source``."""

    along: Literal["distance", "pretraining"]
    source: Name | None = None

    @model_validator(mode="after")
    def _from_somewhere(self) -> Self:
        if self.source is not None and self.along != "distance":
            raise ValueError("source is where a distance begins: give it with along: distance")
        if self.source is not None and self.source not in LANGUAGES:
            raise ValueError(f"the table of languages has no {self.source}")
        return self


class DropClaim(SchemaPart):
    """What a stress costs a row, or how much more than it costs another; without ``targets`` where it is asked for.

    ``under`` is the stress as reports name it (``keyboard 0.3``), or its word where it is asked for once.
    """

    row: Name
    over: Name | None = None
    under: Annotated[str, StringConstraints(pattern=r"^[a-z_]+( attack)?( [0-9.]+)?( seed [0-9]+)?$", max_length=60)]
    targets: Names | None = None
    languages: SeveralLanguages | None = None

    @model_validator(mode="after")
    def _two(self) -> Self:
        if self.row == self.over:
            raise ValueError(f"row and over are both {self.row}")
        return self

    def means(self, label: str) -> bool:
        """Whether ``under`` means the stress of that label."""
        return label == self.under or label.startswith(f"{self.under} ")


class Claim(SchemaPart):
    """One claim: one of ``gain``, ``difference``, ``trend`` and ``drop``, and a threshold on one side; 0 is usual."""

    name: Name
    text: str = ""
    gain: GainClaim | None = None
    difference: DifferenceClaim | None = None
    trend: TrendClaim | None = None
    drop: DropClaim | None = None
    above: Annotated[float, Field(ge=-100.0, le=100.0)] | None = None
    below: Annotated[float, Field(ge=-100.0, le=100.0)] | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(form is not None for form in (self.gain, self.difference, self.trend, self.drop)) != 1:
            raise ValueError("give one of gain, difference, trend and drop")
        if self.above is not None and self.below is not None:
            raise ValueError("give above or below, not both: two claims can be decided by themselves")
        if self.trend is not None and self.threshold:
            raise ValueError("a trend rises (above: 0) or falls (below: 0): its test knows no other threshold")
        return self

    @property
    def of(self) -> GainClaim | DifferenceClaim | TrendClaim | DropClaim:
        """What it is about."""
        found = self.gain or self.difference or self.trend or self.drop
        assert found is not None
        return found

    @property
    def threshold(self) -> float:
        """What the effect is held against."""
        return (self.below if self.below is not None else self.above) or 0.0
