"""Account: what a study has spent, over all its runs, against what its file allows.

Every run keeps one record of its own in the store (``studies/<study>/spending/<run>``), so that two drivers never write
the same one, and a resumed study knows what earlier runs paid. What other studies paid for costs this one nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from stilts.ledger.records import SPENDING, Spending, number_part
from stilts.store.artifact_store import ArtifactStore
from stilts.study.policy_schema import StudyBudget

_HOUR = 3600.0
# Between two stages a worker is handed the next one: a pause this short is still one spell of work.
_PAUSE_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Seconds of stages, seconds times GPUs held, number of stages, and when stages ran: (start, end) in Unix time."""

    seconds: float = 0.0
    gpu_seconds: float = 0.0
    trials: int = 0
    busy: tuple[tuple[float, float], ...] = ()

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            seconds=self.seconds + other.seconds,
            gpu_seconds=self.gpu_seconds + other.gpu_seconds,
            trials=self.trials + other.trials,
            busy=joined([*self.busy, *other.busy]),
        )

    @property
    def wall_s(self) -> float:
        """Seconds in which at least one stage ran."""
        return sum(end - start for start, end in self.busy)


def joined(times: Sequence[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """The times that are covered, as sorted intervals more than a short pause apart."""
    out: list[tuple[float, float]] = []
    for start, end in sorted(times):
        if out and start <= out[-1][1] + _PAUSE_S:
            out[-1] = (out[-1][0], max(out[-1][1], end))
        else:
            out.append((start, end))
    return tuple(out)


@dataclass(kw_only=True)
class Account:
    """What a study spent and may still spend. ``gpus`` is the most that one of its stages holds: by it what is left of
    GPU hours is told in seconds, so that no stage goes beyond.

    ``grid_s`` is the price of one seed of every cell in seconds of stages: the unit of ``budget.grids``.
    """

    study: str
    store: ArtifactStore
    budget: StudyBudget | None
    gpus: float
    grid_s: Callable[[], float]
    now: Callable[[], float] = time.time
    _earlier: Spent = field(default_factory=Spent, init=False)
    _own: Spent = field(default_factory=Spent, init=False)
    _started: dict[str, tuple[float, float]] = field(default_factory=dict, init=False)
    _record: str = field(init=False)

    def __post_init__(self) -> None:
        self._record = number_part(time.time_ns(), 20)
        for value in SPENDING.all(self.store, self.study).all_good().values():
            self._earlier += Spent(
                seconds=value.seconds, gpu_seconds=value.gpu_seconds, trials=value.trials, busy=value.busy
            )

    @property
    def spent(self) -> Spent:
        """What the study spent so far, running stages left out."""
        return self._earlier + self._own

    def started(self, stage_id: str, gpus: float) -> None:
        """Notes that a stage begins now, and how many GPUs it holds."""
        self._started[stage_id] = self.now(), gpus

    def ended(self, stage_id: str, seconds: float | None) -> None:
        """Charges a stage; ``seconds`` is None where it failed, and then the time since it was handed out counts."""
        end = self.now()
        start, gpus = self._started.pop(stage_id, (end, 0.0))
        took = end - start if seconds is None else seconds
        if took <= 0:
            return  # somebody else had done it
        self._own += Spent(seconds=took, gpu_seconds=took * gpus, trials=1, busy=((end - took, end),))
        own = Spending(
            seconds=self._own.seconds, gpu_seconds=self._own.gpu_seconds, trials=self._own.trials, busy=self._own.busy
        )
        SPENDING.write(self.store, own, self.study, self._record)

    def left_s(self, asked_s: float = 0.0) -> float:
        """Seconds of stages that may still be asked for, given what those asked for will take; inf without a limit.

        Limits on trials and wall time do not count here: they stop stages as they come (``refusal``).
        """
        return min((left for _, left in self._limits_s(asked_s)), default=float("inf"))

    def refusal(self, expected_s: float, running_s: float, running: int) -> str | None:
        """Why a stage that is expected to take so long may not begin; None where it may.

        Expectations are what the like of a stage took, so a budget is kept to within one stage.
        """
        found = self._short(expected_s, 1, running_s, running, expected_s)
        return f"{found[0]} is spent: {found[1]}, and the next one takes about {expected_s:.0f} s" if found else None

    def lacks(self, seconds: float, stages: int, *, asked_s: float, asked: int, slots: int) -> str:
        """What of the budget is too little for so much more than what is asked for; "" where it fits."""
        found = self._short(seconds, stages, asked_s, asked, (asked_s + seconds) / slots)
        return f"of {found[0]} {found[1]}" if found else ""

    def _short(self, more_s: float, more: int, asked_s: float, asked: int, wall_s: float) -> tuple[str, str] | None:
        """The limit that so much more would break, and what is left of it; ``wall_s``: how long stages would run."""
        for what, left in self._limits_s(asked_s):
            if more_s > left:
                return what, f"{max(left, 0.0):.0f} s of stages are left"
        budget, ran = self.budget, self.spent.trials
        if budget is not None and budget.trials is not None and ran + asked + more > budget.trials:
            return f"the budget of {budget.trials} trials", f"{max(0, budget.trials - ran - asked)} are left"
        if budget is not None and budget.hours is not None and self._wall_s() + wall_s > budget.hours * _HOUR:
            left_s = max(0.0, budget.hours * _HOUR - self._wall_s())
            return f"the budget of {budget.hours:g} hours", f"{left_s:.0f} s are left"
        return None

    @property
    def label(self) -> str:
        """The budget in words; "" where there is none."""
        given = self.budget.given() if self.budget is not None else {}
        return ", ".join(f"{most:g} {what}" for what, most in given.items() if most is not None)

    def _limits_s(self, running_s: float) -> list[tuple[str, float]]:
        budget, spent = self.budget, self.spent
        if budget is None:
            return []
        limits: list[tuple[str, float]] = []
        if budget.gpu_hours is not None and self.gpus > 0:
            left = (budget.gpu_hours * _HOUR - spent.gpu_seconds) / self.gpus
            limits.append((f"the budget of {budget.gpu_hours:g} GPU hours", left))
        if budget.stage_hours is not None:
            left = budget.stage_hours * _HOUR - spent.seconds
            limits.append((f"the budget of {budget.stage_hours:g} stage hours", left))
        if budget.grids is not None:
            limits.append((f"the budget of {budget.grids:g} grids", budget.grids * self.grid_s() - spent.seconds))
        return [(what, left - running_s) for what, left in limits]

    def _wall_s(self) -> float:
        now = self.now()
        running = [(start, now) for start, _ in self._started.values()]
        return (self.spent + Spent(busy=tuple(running))).wall_s
