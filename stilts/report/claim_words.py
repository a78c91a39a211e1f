"""Claims in words: what stands, by which figures, and what would have been seen."""

from __future__ import annotations

from collections.abc import Sequence

from stilts.analysis.claims import ClaimVerdict, Standing


def claim_words(verdict: ClaimVerdict) -> str:
    """``mnli_helps is supported: +2.1 (95 % interval +0.8 to +3.4), above 0; 3 seeds, 15 languages, 1 target``."""
    said = f"{verdict.name} is {verdict.standing}"
    if verdict.effect is None:
        return f"{said}: {verdict.reason}"
    interval = "" if verdict.low is None else f" (95 % interval {verdict.low:+z.1f} to {verdict.high:+z.1f})"
    parts = [
        f"{said}: {effect_words(verdict)}{interval}, claimed {verdict.side} {verdict.threshold:g}",
        counts(verdict),
    ]
    if verdict.p_adjusted is not None:
        parts.append(f"p {verdict.p_adjusted:.2g} (Holm)")
    if seen := visible(verdict):
        parts.append(f"an effect that is {seen} beyond it would have been found")
    return "; ".join([*parts, *([verdict.reason] if verdict.reason else [])])


def claims_line(verdicts: Sequence[ClaimVerdict]) -> str:
    """All claims in one line, by what became of them: effects with their intervals in the order of the study."""
    found = []
    for standing in Standing:
        of_it = [f"{one.name} {_brief(one)}".strip() for one in verdicts if one.standing is standing]
        if of_it:
            found.append(f"{standing}: {', '.join(of_it)}")
    return f"Claims {'; '.join(found)}"


def _brief(verdict: ClaimVerdict) -> str:
    if verdict.low is None:
        return f"({effect_words(verdict)})" if verdict.effect is not None else ""
    return f"({effect_words(verdict)}, {verdict.low:+z.1f} to {verdict.high:+z.1f})"


def effect_words(verdict: ClaimVerdict) -> str:
    """The effect: points, of a trend a correlation; empty where there is none."""
    if verdict.effect is None:
        return ""
    return f"{verdict.effect:+z.1f}" if verdict.low is not None else f"correlation {verdict.effect:+.2f}"


def visible(verdict: ClaimVerdict) -> str:
    """The smallest effect that could have been seen; empty where that is not known."""
    if verdict.smallest_visible is None:
        return ""
    return f"{verdict.smallest_visible:.1f}" if verdict.low is not None else f"{verdict.smallest_visible:.2f}"


def counts(verdict: ClaimVerdict) -> str:
    """How many seeds, languages and targets stand behind it."""
    numbers = (
        (verdict.num_seeds, "seed"),
        (verdict.num_languages, "language"),
        (verdict.num_targets, "target"),
    )
    return ", ".join(f"{number} {what}{'' if number == 1 else 's'}" for number, what in numbers)
