"""Why an intermediate hurts: four checks of a cell that is clearly below ``none``, in order. Start at ``checks_of``.

A cell is clearly below ``none`` when its loss is beyond chance with all cells of the matrix tested together (Holm over
the matrix, 5 %; ``best.matrix_gains``). Its own 95 % interval alone would call one in forty harmless cells negative.

1. the head's seed: is it one unlucky replicate? 2. the learning rate: did the intermediate move the encoder too far?
3. forgetting: did the pretrained encoder's alignment and language modelling suffer? 4. the label prior: does
the model answer with other labels than ``none`` does? They point; they prove nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

from stilts.analysis.forgetting import forgetting
from stilts.analysis.label_prior import label_prior
from stilts.analysis.results import StudyResults
from stilts.analysis.suspects import Check, Suspects
from stilts.analysis.training_causes import head_seed, learning_rate
from stilts.fingerprint import Json, plain
from stilts.metrics.uncertainty import Interval

CHECKS: tuple[Callable[[Suspects, str, str], Check], ...] = (head_seed, learning_rate, forgetting, label_prior)


@dataclass(frozen=True, slots=True, kw_only=True)
class NegativeCell:
    """A cell with its loss on ``report`` and the checks; ``clear`` says whether it is clearly below ``none``."""

    row: str
    column: str
    gain: Interval
    clear: bool
    checks: tuple[Check, ...]

    def to_json(self) -> dict[str, Json]:
        """The cell as plain JSON."""
        return {name: plain(value, name) for name, value in asdict(self).items()}


def negative_cells(
    results: StudyResults, *, target: str | None = None, at_most: int | None = None
) -> Iterator[NegativeCell]:
    """The cells clearly below ``none``, of one target where it is given, the largest loss first; ``at_most`` of them.

    StoreError where the examples of an evaluation are gone.
    """
    suspects = Suspects(results=results)
    clear = [(key, gain) for key, gain in suspects.gains.items() if gain.clearly_negative and target in (None, key[1])]
    for (row, column), _ in sorted(clear, key=lambda item: item[1].interval.estimate)[:at_most]:
        cell = checks_of(suspects, row, column)
        if cell is not None:
            yield cell


def checks_of(suspects: Suspects, row: str, column: str) -> NegativeCell | None:
    """The cell's loss and its checks in order; None where it has no gain to speak of, or gains."""
    gain = suspects.results.gain(row, column)
    if gain is None or gain.estimate >= 0:
        return None
    return NegativeCell(
        row=row,
        column=column,
        gain=gain,
        clear=suspects.clearly_negative(row, column),
        checks=tuple(check(suspects, row, column) for check in CHECKS),
    )
