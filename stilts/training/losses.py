"""Losses of steps, kept on the device and read together: reading one waits for all that the device has to do."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch

from stilts.errors import DivergedError
from stilts.training.checkpoint import TrainState

# Points of the loss curve that are kept: enough to see a shape, few enough for any tracker.
_CURVE_POINTS = 50
# Steps between two reads on a device other than the CPU: a training that diverged does so many for nothing.
_READ_EVERY = 20


@dataclass(frozen=True, slots=True)
class _Unread:
    step: int
    rate: float
    learner: str
    loss: torch.Tensor


@dataclass(slots=True, kw_only=True)
class Losses:
    """The losses that were not read yet, of a stage of ``steps`` steps; ``last`` are the last (step, loss) that were.

    On the CPU each is read at once. ``read`` has to be called before anything is kept of the weights.
    """

    steps: int
    device: torch.device
    last: list[tuple[int, float]]
    _unread: list[_Unread] = field(default_factory=list)

    def add(self, state: TrainState, rate: float, learner: str, loss: torch.Tensor) -> None:
        """The loss of the step that ``state`` counts as its last; DivergedError as in ``read``, if it reads."""
        self._unread.append(_Unread(state.step, rate, learner, loss))
        if self.device.type == "cpu" or len(self._unread) >= _READ_EVERY:
            self.read(state)

    def read(self, state: TrainState) -> None:
        """Puts points into the curve; DivergedError, with its step, for the first loss that is no number."""
        if not self._unread:
            return
        values = torch.stack([each.loss for each in self._unread]).cpu().tolist()
        for each, value in zip(self._unread, values, strict=True):
            if not math.isfinite(value):
                raise self._diverged(each, value)
            self.last = [*self.last[-2:], (each.step, value)]
            if each.step % max(1, self.steps // _CURVE_POINTS) == 0 or each.step == self.steps:
                state.curve.append((each.step, value, each.rate))
        self._unread = []

    def _diverged(self, at: _Unread, value: float) -> DivergedError:
        before = ", ".join(f"{loss:.3g} at step {step}" for step, loss in self.last)
        told = f"; before it was {before}" if before else ""
        return diverged(f"the loss of {at.learner} is {value} at step {at.step}{told}", at.rate, at.step - 1)


def diverged(found: str, rate: float, steps_done: int) -> DivergedError:
    """The error of a training that left the numbers after so many good steps."""
    return DivergedError(
        f"training at learning rate {rate:g}",
        found,
        "From there on every weight and every score is NaN"
        if steps_done
        else "No step was taken before: the weights that it starts from, or the data, bring that about",
        "Lower learning_rate or lengthen warmup_frac; a stage that diverges once does so every time"
        if steps_done
        else "Look at the encoder's weights and at the examples that validate shows",
    )
