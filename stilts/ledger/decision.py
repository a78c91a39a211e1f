"""Decision: what a study decided by itself, with the reason that was written down when it was taken.

There is one frozen type for each kind. Policies return them without a time; ``decisions.py`` keeps them, with it, and
reads them all. Their records are what stores of earlier versions have, field by field.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from pydantic import Field, with_config

from stilts.fingerprint import Json
from stilts.ledger.typed import to_fields
from stilts.study.strict import STRICT, Count, Finite, Kept, KeptValue, MaybeNan, Seconds

# What a decision says elsewhere than in its details.
_HEAD = ("kind", "reason", "reasons", "time", "study")


@with_config(STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Why it was taken (a sentence), and when (Unix seconds; 0 until it is kept).

    ``word``, ``of`` and ``phrase`` are how a kind of decision is shown: formats of the decision.
    """

    word: ClassVar[str]
    of: ClassVar[str]
    phrase: ClassVar[str]

    reason: str
    time: Seconds = 0.0

    @property
    def kind(self) -> str:
        """Its kind in one word."""
        return self.word

    @property
    def about(self) -> str:
        """What it is about: a row, a recipe (row and number), a stage, or the policy or study that decided."""
        return self.of.format(self)

    @property
    def decided(self) -> str:
        """What was decided, in a phrase."""
        return self.phrase.format(self)

    @property
    def details(self) -> Mapping[str, Json]:
        """All else that it rests on, as plain JSON."""
        fields = {key: list(item) if isinstance(item, tuple) else item for key, item in to_fields(self).items()}
        return {key: item for key, item in fields.items() if key not in _HEAD and (key, item) != ("from", None)}

    def to_json(self) -> dict[str, Json]:
        """All of it as plain JSON."""
        head: dict[str, Json] = {"time": self.time, "kind": self.kind, "about": self.about}
        return head | {"decided": self.decided, "reason": self.reason, "details": dict(self.details)}


@with_config(STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalRecord(Decision):
    """A recipe drawn for a searched row: its parameters as written, and where it comes from."""

    word: ClassVar[str] = "proposal"
    of: ClassVar[str] = "{0.row}/{0.number:04d}"

    number: Count
    params: Kept
    origin: Annotated[str | None, Field(alias="from")] = None
    row: str = ""
    reason: str = ""

    @property
    def decided(self) -> str:
        """The parameters."""
        return _params(dict(self.params))


@with_config(STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class CellsDecision(Decision):
    """What a selecting policy asked for (``cells``), or how it ended (``stop``); ``found``: the store had it all."""

    of: ClassVar[str] = "{0.policy}"

    number: Count
    policy: str
    what: Annotated[Literal["cells", "stop"], Field(alias="kind")]
    replicates: tuple[str, ...]
    priors: tuple[str, ...] = ()
    found: bool = False
    choices: tuple[Kept, ...] = ()
    told: tuple[Kept, ...] = ()
    spent_s: Finite = 0.0
    left_s: Finite | None = None

    @property
    def kind(self) -> str:
        """``cells`` or ``stop``."""
        return self.what

    @property
    def decided(self) -> str:
        """The first of the replicates, or what the policy would choose."""
        if self.what == "stop":
            return "; ".join(self._chosen()) or "nothing more is run"
        count, shown = len(self.replicates), ", ".join(self.replicates[:4])
        return f"{count} replicates: {shown}" + (f" and {count - 4} more" if count > 4 else "")

    def _chosen(self) -> Iterator[str]:
        for choice in self.choices:
            sure = choice.get("probability")
            doubt = f" (best with probability {sure:.0%})" if isinstance(sure, float) else ""
            yield f"{choice.get('source')} for {choice.get('target')}{doubt}"


@with_config(STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class AtStep(Decision):
    """A decision on a fine-tuning at one of its steps, by its selection ``score`` there; ``peers`` were compared."""

    of: ClassVar[str] = "{0.stage_id}"

    stage_id: str
    row: str
    column: str
    proposal: Count
    step: Count
    score: MaybeNan
    policy: str
    peers: Mapping[str, MaybeNan] = field(default_factory=dict)


@with_config(STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Judged(AtStep):
    """Whether a recipe goes on after one evaluation at ``fraction`` of its steps, with its examples' scores there."""

    word: ClassVar[str] = "judged"

    fraction: Finite
    stop: bool
    items: KeptValue = None

    @property
    def decided(self) -> str:
        """Whether it goes on."""
        return f"{'stops' if self.stop else 'goes on'} at step {self.step}"


@with_config(STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned(AtStep):
    """A fine-tuning that was stopped, at ``step`` of its ``steps``."""

    word: ClassVar[str] = "pruned"
    phrase: ClassVar[str] = "stopped at step {0.step} of {0.steps}"

    steps: Count


@with_config(STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Grant(Decision):
    """How many of at most ``most`` seeds a proposal has, by the last look at it; ``p`` compares it with the leader."""

    word: ClassVar[str] = "race"
    of: ClassVar[str] = "{0.row}/{0.proposal:04d}"
    phrase: ClassVar[str] = "{0.seeds} seeds"

    proposal: Count
    seeds: Count
    most: Count
    p: Finite | None
    policy: str
    row: str = ""


@with_config(STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation(Decision):
    """The proposals of a searched row that are trained again with fresh seeds, by objective, and why these."""

    word: ClassVar[str] = "confirmation"
    of: ClassVar[str] = "{0.row}"

    row: str
    chosen: Mapping[str, Count]
    reasons: Mapping[str, str]
    reason: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "reason", " ".join(dict.fromkeys(self.reasons.values())))

    @property
    def decided(self) -> str:
        """The chosen recipes, those that stand for several objectives once."""
        by_number: dict[int, list[str]] = {}
        for objective, number in self.chosen.items():
            by_number.setdefault(number, []).append(objective)
        return "; ".join(f"proposal {number} for {', '.join(names)}" for number, names in by_number.items())


@with_config(STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class RowEnd(Decision):
    """A searched row draws nothing more, under this budget: what is left of it is for confirming what was found."""

    word: ClassVar[str] = "stop"
    of: ClassVar[str] = "{0.row}"
    phrase: ClassVar[str] = "no further recipe or seed is tried"

    row: str
    budget: str


@with_config(STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped(Decision):
    """Why a budget ended a study before its whole matrix was filled."""

    word: ClassVar[str] = "stop"
    of: ClassVar[str] = "{0.study}"
    phrase: ClassVar[str] = "nothing more is run"

    study: str = ""


def _params(params: Json) -> str:
    if not isinstance(params, dict):
        return str(params)
    inner = (f"{key} {_params(item) if isinstance(item, dict) else item}" for key, item in params.items())
    return ", ".join(inner)
