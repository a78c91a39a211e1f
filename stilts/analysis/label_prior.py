"""A cause of negative transfer: the model has come to answer with other labels, whatever the text says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean

from stilts.analysis.flips import paired_replicates
from stilts.analysis.predictions import answers_of
from stilts.analysis.suspects import CauseVerdict, Check, Suspects
from stilts.fingerprint import Json
from stilts.study.record import NONE_ROW, Column, Replicate

CAUSE = "label prior"
# Share of one label from which a model counts as collapsed onto it.
_COLLAPSED = 0.9
# A shift of a tenth of all answers is worth naming; and it must be twice what two seeds of ``none`` differ by.
_SHIFT, _OVER_FLOOR = 0.10, 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prior:
    """One language: total variation distance of the answers from ``none``'s, 0 to 1, and the commonest answer."""

    distance: float
    top: str
    share: float
    none_share: float

    @property
    def collapsed(self) -> bool:
        return self.share > _COLLAPSED >= self.none_share

    def figures(self) -> dict[str, Json]:
        return {"distance": self.distance, "top": self.top, "share": self.share, "none_share": self.none_share}


def label_prior(suspects: Suspects, row: str, column: str) -> Check:
    """Whether predictions are distributed otherwise than those of ``none``, or have collapsed onto one label."""
    target = suspects.results.column(column)
    pair = paired_replicates(suspects.cells, row, column)
    if target.task_kind.labels_in is None or pair is None:
        return Check(
            cause=CAUSE, verdict=CauseVerdict.UNKNOWN, line=f"answers of {target.kind} are no labels", figures={}
        )
    priors = {name: _prior(suspects, target, name, *pair) for name in target.languages}
    mean = fmean(prior.distance for prior in priors.values())
    floor = _floor(suspects, target)
    figures: dict[str, Json] = {
        "mean_distance": mean,
        "none_replicates_distance": floor,
        "languages": {name: prior.figures() for name, prior in priors.items()},
    }
    collapsed = [f"{name} ({prior.top} {_percent(prior.share)})" for name, prior in priors.items() if prior.collapsed]
    shifted = mean >= _SHIFT and mean >= _OVER_FLOOR * (floor or 0.0)
    most = max(priors, key=lambda name: priors[name].distance)
    line = f"its mix of labels is {_percent(mean)} from {NONE_ROW}'s (total variation), most in {most} "
    line += f"({_percent(priors[most].distance)})"
    line += f"; two replicates of {NONE_ROW} are {_percent(floor)} apart" if floor is not None else ""
    line += f"; collapsed onto one label in {', '.join(collapsed)}" if collapsed else ""
    verdict = CauseVerdict.POINTS if collapsed or shifted else CauseVerdict.AGAINST
    return Check(cause=CAUSE, verdict=verdict, line=line, figures=figures)


def _prior(suspects: Suspects, column: Column, language: str, ours: Replicate, base: Replicate) -> _Prior:
    own, other = (_shares(suspects, column, language, replicate) for replicate in (ours, base))
    top = max(own, key=lambda label: own[label], default="")
    return _Prior(
        distance=_distance(own, other),
        top=top,
        share=own.get(top, 0.0),
        none_share=max(other.values(), default=0.0),
    )


def _floor(suspects: Suspects, column: Column) -> float | None:
    """How far two replicates of ``none`` are apart, on average over languages; None where there is one."""
    base = suspects.cells.get((NONE_ROW, column.name), ())
    if len(base) < 2:
        return None
    pairs = [[_shares(suspects, column, name, replicate) for replicate in base[:2]] for name in column.languages]
    return fmean(_distance(one, other) for one, other in pairs)


def _shares(suspects: Suspects, column: Column, language: str, replicate: Replicate) -> Mapping[str, float]:
    """Each label's share of the answers; of a tagger, of the tags of all words."""
    answers = answers_of(replicate.outputs["report"][language], suspects.results.store)
    labels_in = column.task_kind.labels_in
    labels = [label for answer in answers for label in (labels_in(answer) if labels_in else ())]
    counts = Counter(labels)
    return {label: count / len(labels) for label, count in counts.items()}


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _distance(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    return sum(abs(one.get(label, 0.0) - other.get(label, 0.0)) for label in {*one, *other}) / 2
