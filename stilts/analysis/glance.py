"""The answer at a glance: one line per target with its doubt first, the same in terminal, report and MLflow.

``glance_of`` an ``Answer``; ``study_line`` says all targets of a study in one line. Plain text, no markup.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from stilts.analysis.best import Answer
from stilts.metrics.uncertainty import Interval
from stilts.study.record import NONE_ROW

SHARES_DATA = "shares data with the target"


class Verdict(StrEnum):
    """What may be said of a target's answer, in few words.

    ``HELPS``: the gain is beyond chance with all cells of the matrix together (Holm). ``PROBABLY``: its own 95 %
    interval lies above 0. ``NONE_BEST``: the row ``none`` was chosen, and all others can be told from it;
    ``NONE_PICKED``: it was chosen, and some cannot. ``NEAR_CHANCE``: the chosen row's score is near guessing, so no
    difference means anything. ``ONE_SEED``: no row has two seeds. ``NO_CHOICE``: there is no score to choose by.
    """

    HELPS = "shown to help"
    PROBABLY = "probably helps"
    NOT_SHOWN = "not shown to help"
    NONE_BEST = "no intermediate is better"
    NONE_PICKED = "no intermediate is shown to be better"
    NEAR_CHANCE = "near guessing, says nothing"
    ONE_SEED = "one seed each, says nothing yet"
    NO_CHOICE = "nothing to choose by"
    NOTHING_YET = "not done yet"

    @property
    def is_advice(self) -> bool:
        """Whether an intermediate is advised."""
        return self in (Verdict.HELPS, Verdict.PROBABLY)

    @property
    def meaning(self) -> str:
        """What the words say, for a reader who has never seen them."""
        return _MEANINGS[self]


_MEANINGS = {
    Verdict.HELPS: "the gain is beyond chance even though every cell of the matrix was a try",
    Verdict.PROBABLY: "the interval of its gain lies above 0; with so many cells tried, one may do so by luck",
    Verdict.NOT_SHOWN: "the gain of the row that was picked can be chance, so nothing is advised",
    Verdict.NONE_BEST: "training on the target at once was picked, and every intermediate can be told from it",
    Verdict.NONE_PICKED: "training on the target at once was picked; others cannot be told from it, better or worse",
    Verdict.NEAR_CHANCE: "the model does little better than guessing, so differences between rows mean nothing",
    Verdict.ONE_SEED: "every row was trained once, and another random start may order them otherwise",
    Verdict.NO_CHOICE: "no data are set aside to choose by; the highest row is named, and that is no advice",
    Verdict.NOTHING_YET: "no row has all its scores yet",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """A target's answer in one line. Scores are 0..100, ``gain`` in points over ``none`` with its 95 % interval.

    ``row`` is what ``best`` names, advised or not; ``hours`` are its device hours per replicate (None: not measured) in
    ``unit``; ``surer`` says what would settle more. ``higher`` names a row that scores higher on ``report`` beyond
    chance, where there is one; ``overlap`` says what ``row`` shares with the target.
    """

    target: str
    verdict: Verdict
    row: str | None
    score: float | None
    gain: Interval | None
    hours: float | None
    unit: str
    surer: str
    higher: str | None = None
    overlap: str | None = None

    @property
    def sure(self) -> str:
        """How sure the answer is, in words, with what takes from it."""
        higher = f", yet {self.higher} scores higher" if self.higher else ""
        return f"{self.verdict}{higher}{f'; {SHARES_DATA}' if self.overlap else ''}"

    @property
    def train_on(self) -> str:
        """The row to train on first; where none is advised, that, with the row that was picked."""
        if self.row is None:
            return "-"
        if self.verdict.is_advice:
            return self.row
        if self.verdict in (Verdict.NONE_BEST, Verdict.NONE_PICKED):
            return "no intermediate"
        picked = "is highest" if self.verdict is Verdict.NO_CHOICE else "picked"
        return f"no advice ({self.row} {picked})"

    @property
    def line(self) -> str:
        """``panx: none shown to help (mnli +1.2, -3.0 to +5.4)``: the doubt first, never a gain alone."""
        figures = "" if self.row in (None, NONE_ROW) else f" ({self.row}{self._gain_words})"
        return f"{self.target}: {self._said}{figures}"

    @property
    def _said(self) -> str:
        said = {
            Verdict.HELPS: f"train on {self.row} first",
            Verdict.PROBABLY: f"probably train on {self.row} first",
            Verdict.NOT_SHOWN: "none shown to help",
            Verdict.NONE_BEST: "train on no intermediate",
            Verdict.NONE_PICKED: "no intermediate shown to be better",
        }
        return said.get(self.verdict, str(self.verdict))

    @property
    def _gain_words(self) -> str:
        if self.gain is None:
            return ""
        return f" {self.gain.estimate:+z.1f}, {self.gain.low:+z.1f} to {self.gain.high:+z.1f}"


def verdict_of(answer: Answer) -> Verdict:
    """What may be said of the answer's row."""
    if answer.row is None:
        return Verdict.NOTHING_YET
    if answer.chosen is None:
        return Verdict.NO_CHOICE
    if answer.chosen in answer.near_chance:
        return Verdict.NEAR_CHANCE
    if answer.chosen == NONE_ROW:
        return Verdict.NONE_BEST if answer.equals == (NONE_ROW,) else Verdict.NONE_PICKED
    if answer.conditional:
        return Verdict.ONE_SEED
    if answer.helps:
        return Verdict.HELPS
    if answer.gain is not None and answer.gain.low > 0 and not answer.gain.one_model:
        return Verdict.PROBABLY
    return Verdict.NOT_SHOWN


def glance_of(answer: Answer) -> Glance:
    """The answer in one line."""
    verdict = verdict_of(answer)
    return Glance(
        target=answer.target,
        verdict=verdict,
        row=answer.row,
        score=answer.score,
        gain=answer.gain,
        hours=answer.costs.get(answer.row or ""),
        unit=answer.cost_unit,
        surer=_surer(answer, verdict),
        overlap=answer.overlap,
        higher=_higher(answer) if verdict.is_advice or verdict is Verdict.NONE_BEST else None,
    )


def _surer(answer: Answer, verdict: Verdict) -> str:
    """What would settle more; not seeds alone, where seeds alone cannot."""
    if verdict is Verdict.NEAR_CHANCE:
        return "more seeds will not help while scores stay near guessing: first a model that learns the target"
    return f"data to choose by; {answer.advice}" if verdict is Verdict.NO_CHOICE else answer.advice


def _higher(answer: Answer) -> str | None:
    """The row most likely the best, where the answer's own is told from the best."""
    if not answer.equals or answer.row in answer.equals:
        return None
    return max(answer.equals, key=lambda row: answer.p_best.get(row, 0.0))


def study_line(answers: Sequence[Answer], *, at_most: int = 1000) -> str:
    """All targets in one line, those that say something first; ends with "and N more" beyond ``at_most`` characters."""
    order = list(Verdict)
    glances = sorted(map(glance_of, answers), key=lambda one: order.index(one.verdict))
    told: list[str] = []
    for glance in glances:
        more = f"and {len(glances) - len(told)} more"
        if told and len("; ".join([*told, glance.line, more])) > at_most:
            return "; ".join([*told, more])
        told.append(glance.line)
    return "; ".join(told) or "no target yet"
