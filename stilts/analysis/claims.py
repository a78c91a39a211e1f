"""Claims of a study file, decided by its results: supported, not supported or undecided.

Each is a two-sided test of its effect against its threshold; p values of all claims are adjusted together (Holm).
A claim is *supported* where its effect is beyond the threshold on its side, *not supported* where it is beyond it on
the other, else *undecided*: then ``smallest_visible`` says which effect would have been found.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from functools import partial

import numpy as np

from stilts.analysis.lens import covariates_of, property_of
from stilts.analysis.lens_points import points_over
from stilts.analysis.probes import targets_of
from stilts.analysis.results import StudyResults
from stilts.analysis.robustness import stressed_sides
from stilts.analysis.totals import Total, total_interval, total_of
from stilts.fingerprint import Json, plain
from stilts.metrics.comparison import holm
from stilts.metrics.contrast import smallest_visible
from stilts.metrics.group_test import group_test, trend_test
from stilts.metrics.levels import FALSE_CLAIM
from stilts.metrics.resampling import Side
from stilts.metrics.uncertainty import two_sided_p
from stilts.study.claims_schema import Claim, DifferenceClaim, DropClaim, GainClaim, TrendClaim
from stilts.tasks.language_codes import base_language
from stilts.tasks.language_groups import group_of

_ENGLISH = "en"


class Standing(StrEnum):
    """What the results say of a claim."""

    SUPPORTED = "supported"
    NOT_SUPPORTED = "not supported"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimVerdict:
    """One claim and what became of it. ``effect`` is in points, of a trend a correlation; None where nothing is done.

    ``low`` and ``high`` are its 95 % interval over test items and seeds (a trend has none). ``p_adjusted`` is Holm's
    over all claims that could be tested. ``smallest_visible``: so far beyond its threshold an effect would have been
    found in 80 % of studies like this one. ``reason`` says why nothing could be tested.
    """

    name: str
    text: str
    standing: Standing
    side: str
    threshold: float
    effect: float | None = None
    low: float | None = None
    high: float | None = None
    p_adjusted: float | None = None
    smallest_visible: float | None = None
    num_targets: int = 0
    num_languages: int = 0
    num_seeds: int = 0
    reason: str = ""

    def to_json(self) -> dict[str, Json]:
        """The verdict as plain JSON."""
        return {name: plain(value, name) for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What was measured for a claim. ``smallest`` gives the smallest visible effect at a level."""

    effect: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    smallest: Callable[[float], float | None] = lambda level: None
    num_targets: int = 0
    num_languages: int = 0
    num_seeds: int = 0
    reason: str = ""


def claims_of(results: StudyResults) -> tuple[ClaimVerdict, ...]:
    """A verdict for each claim that the study's file makes, in its order; made once for the same results."""
    return results.once("claims", _verdicts)


def _verdicts(results: StudyResults) -> tuple[ClaimVerdict, ...]:
    written = results.record.settings.get("claims")
    claims = [Claim.model_validate(one) for one in written] if isinstance(written, list) else []
    found = [_measured(results, claim) for claim in claims]
    tested = [one.p_value for one in found if one.p_value is not None]
    adjusted = iter(holm(tested))
    level = FALSE_CLAIM / max(1, len(tested))
    return tuple(
        _verdict(claim, one, None if one.p_value is None else next(adjusted), level)
        for claim, one in zip(claims, found, strict=True)
    )


def _verdict(claim: Claim, found: _Found, p_adjusted: float | None, level: float) -> ClaimVerdict:
    side = "below" if claim.below is not None else "above"
    standing = Standing.UNDECIDED
    if found.effect is not None and p_adjusted is not None and p_adjusted <= FALSE_CLAIM:
        is_above = found.effect > claim.threshold
        standing = Standing.SUPPORTED if is_above == (side == "above") else Standing.NOT_SUPPORTED
    return ClaimVerdict(
        name=claim.name,
        text=claim.text,
        standing=standing,
        side=side,
        threshold=claim.threshold,
        effect=found.effect,
        low=found.low,
        high=found.high,
        p_adjusted=p_adjusted,
        smallest_visible=found.smallest(level),
        num_targets=found.num_targets,
        num_languages=found.num_languages,
        num_seeds=found.num_seeds,
        reason=found.reason,
    )


def _measured(results: StudyResults, claim: Claim) -> _Found:
    about = claim.of
    known = [column.name for column in targets_of(results.record)]
    targets = [name for name in known if about.targets is None or name in about.targets]
    if isinstance(about, DropClaim):
        return _drop(results, about, targets, claim.threshold)
    lacking = [name for name in targets if not {about.row, about.over} <= results.sides(name).keys()]
    if not targets or lacking:
        what = f"{about.row} or {about.over} is not done on {', '.join(lacking)}" if lacking else "it has no target"
        return _Found(reason=what)
    if isinstance(about, TrendClaim):
        return _trend(results, about, targets)
    if isinstance(about, DifferenceClaim):
        return _difference(results, about, targets, claim.threshold)
    return _gain(results, about, targets, claim.threshold)


def _gain(results: StudyResults, about: GainClaim, targets: Sequence[str], threshold: float) -> _Found:
    chosen = {name: _meant(results.column(name).languages, about.languages) for name in targets}
    spoken = {name: codes for name, codes in chosen.items() if codes}
    if not spoken:
        return _Found(reason=f"no target is scored in {', '.join(about.languages or ())}")
    reading = {name: partial(Side.of, languages=codes) for name, codes in spoken.items()}
    return _between(results, about, reading, threshold, spoken)


def _difference(results: StudyResults, about: DifferenceClaim, targets: Sequence[str], threshold: float) -> _Found:
    """Over test items and seeds for these languages, and over families of languages: the larger p value counts."""
    inside = {name: _foreign(_meant(results.column(name).languages, (about.group,))) for name in targets}
    outside = {
        name: [
            code for code in _foreign(_meant(results.column(name).languages, about.against)) if code not in inside[name]
        ]
        for name in targets
    }
    both = [name for name in targets if inside[name] and outside[name]]
    if not both:
        return _Found(reason="no target is scored in languages of both groups")
    spoken = {name: [*inside[name], *outside[name]] for name in both}
    contrasts = {name: partial(_contrast, inside=inside[name], outside=outside[name]) for name in both}
    found = _between(results, about, contrasts, threshold, spoken)
    by = about.group.partition(":")[0]
    points = [
        point
        for point in points_over(results, by=by, columns=both, row=about.row, over=about.over)
        if any(point.language in codes for codes in spoken.values())
    ]
    is_in = [any(point.language in inside[name] for name in both) for point in points]
    points = [point for _, point in sorted(zip(is_in, points, strict=True), key=lambda pair: not pair[0])]
    count = sum(is_in)
    gains = np.array([point.gain for point in points]) - threshold * (np.arange(len(points)) < count)
    labels = ["in"] * count + ["out"] * (len(points) - count)
    test = group_test(gains, labels, [point.family for point in points], covariates_of(points)[0]).differences
    if not test or test[0].p_value is None or found.p_value is None:
        return replace(found, p_value=None, reason=found.reason or (test[0].reason if test else "too few languages"))
    visible, within = test[0].smallest_visible or 0.0, found.smallest
    return replace(
        found,
        p_value=max(found.p_value, test[0].p_value),
        smallest=lambda level: max(visible, within(level) or 0.0),
    )


def _trend(results: StudyResults, about: TrendClaim, targets: Sequence[str]) -> _Found:
    points = points_over(results, by="family", columns=targets, row=about.row, over=about.over)
    source = about.source or _ENGLISH
    known = [(point, value) for point in points if (value := property_of(point, about.along, source)) is not None]
    if not known:
        return _Found(reason=f"{about.along} is not known for any of its languages")
    gains, values = np.array([point.gain for point, _ in known]), np.array([value for _, value in known])
    test = trend_test(gains, values, [point.family for point, _ in known])
    return _Found(
        effect=test.correlation,
        p_value=test.p_value,
        smallest=lambda level: test.smallest_visible,
        num_targets=len(targets),
        num_languages=len(known),
        num_seeds=_num_seeds(results, about, targets),
        reason=test.reason,
    )


def _drop(results: StudyResults, about: DropClaim, targets: Sequence[str], threshold: float) -> _Found:
    """What a stress costs the row, or costs it more than another row: a mean over the targets that have it."""
    rows = [about.row] if about.over is None else [about.row, about.over]
    sides: dict[str, list[Side]] = {}
    for name in targets:
        by_stress = stressed_sides(results, name)
        found = [by_stress[label] for label in by_stress if about.means(label)]
        if found and set(rows) <= found[0].keys():
            codes = _meant(found[0][about.row].drop.languages, about.languages)
            sides |= {name: [found[0][row].drop.of(codes) for row in rows]} if codes else {}
        elif found or about.targets is not None:
            return _Found(reason=f"{' or '.join(rows)} is not done under {about.under} on {name}")
    if not sides:
        return _Found(reason=f"nothing is scored under {about.under}")
    totals = [total_of({name: own[place] for name, own in sides.items()}) for place in range(len(rows))]
    languages = {code for own in sides.values() for code in own[0].languages}
    seeds = min(len(side.scores) for own in sides.values() for side in own)
    return _from_totals(totals, threshold, num_targets=len(sides), num_languages=len(languages), num_seeds=seeds)


_Reading = Callable[[Side], Side]


def _between(
    results: StudyResults,
    about: GainClaim | DifferenceClaim,
    read: Mapping[str, _Reading],
    threshold: float,
    spoken: Mapping[str, Sequence[str]],
) -> _Found:
    """The mean over targets of what is read of the row's side less the other's, with its interval."""
    totals = [
        total_of({name: reading(results.sides(name)[row]) for name, reading in read.items()})
        for row in (about.row, about.over)
    ]
    return _from_totals(
        totals,
        threshold,
        num_targets=len(read),
        num_languages=len({code for codes in spoken.values() for code in codes}),
        num_seeds=_num_seeds(results, about, list(read)),
    )


def _from_totals(
    totals: Sequence[Total], threshold: float, *, num_targets: int, num_languages: int, num_seeds: int
) -> _Found:
    """The first total, less the second where there is one, with its interval."""
    interval = total_interval(*totals)
    p_value = None if interval.one_model else two_sided_p(interval.estimate - threshold, interval.error, interval.df)
    return _Found(
        effect=interval.estimate,
        low=interval.low,
        high=interval.high,
        p_value=p_value,
        smallest=lambda level: None if interval.one_model else smallest_visible(interval, level),
        num_targets=num_targets,
        num_languages=num_languages,
        num_seeds=num_seeds,
        reason="one seed says nothing of how far seeds differ: take two or more" if interval.one_model else "",
    )


def _contrast(side: Side, inside: Sequence[str], outside: Sequence[str]) -> Side:
    """The side whose score is the mean of some languages less that of others."""
    one, other = side.of(inside), side.of(outside)
    return replace(
        side,
        languages=("difference",),
        scores=one.scores.mean(axis=1, keepdims=True) - other.scores.mean(axis=1, keepdims=True),
        draws=one.draws.mean(axis=1, keepdims=True) - other.draws.mean(axis=1, keepdims=True),
    )


def _meant(codes: Sequence[str], words: Sequence[str] | None) -> list[str]:
    """Those of some languages that words name: by themselves, or as of a group; without words all."""
    if words is None:
        return list(codes)
    wanted = [word.partition(":") for word in words]
    return [
        code for code in codes if any(group_of(code, by) == group if mark else code == by for by, mark, group in wanted)
    ]


def _foreign(codes: Sequence[str]) -> list[str]:
    return [code for code in codes if base_language(code) != _ENGLISH]


def _num_seeds(results: StudyResults, about: GainClaim | DifferenceClaim | TrendClaim, targets: Sequence[str]) -> int:
    return min(len(results.sides(name)[row].scores) for name in targets for row in (about.row, about.over))
