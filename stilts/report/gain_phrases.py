"""Gains in words: their intervals, what these are conditional on, and why one is wide and what would narrow it."""

from __future__ import annotations

from stilts.analysis.best import Answer
from stilts.metrics.uncertainty import Interval, t_quantile
from stilts.study.record import NONE_ROW

# An interval this many times as wide as the same spread would make it, were it known from many seeds, is explained:
# with two seeds on a side it is 2.2 to 6.5 times.
_WIDE = 2.0


def interval_words(interval: Interval) -> str:
    """Low and high end of an interval with its level, and whether it holds 0."""
    zero = "" if interval.excludes_zero else ", which holds 0"
    return f"{interval.level * 100:g} % interval {interval.low:+z.1f} to {interval.high:+z.1f}{zero}"


def condition(answer: Answer) -> str:
    """What the gain's interval is conditional on; empty where it is not."""
    conditional = answer.gain is not None and answer.gain.conditional
    return f"conditional on {'; '.join(answer.gain.conditions)}" if answer.gain and conditional else ""


def half_width(interval: Interval) -> str:
    """An interval's half width with its sign: its ends are equally far from the estimate."""
    return f"±{(interval.high - interval.low) / 2:.1f}"


def plain_interval(answer: Answer) -> str:
    """The row's own interval, which matrix and figures show, where the one of the headline reaches lower."""
    own = answer.row_gain
    if own is None or answer.gain is None or answer.gain.low >= own.interval.low:
        return ""
    return f"{own.interval.low:+z.1f} to {own.interval.high:+z.1f}, as matrix and figures show it"


def gains(answer: Answer) -> str:
    """Every row's gain with its own 95 % interval; an exclamation mark where it also holds over the whole matrix."""
    listed = [
        f"{item.row} {item.interval.estimate:+z.1f} {half_width(item.interval)}{'!' if item.claimed else ''}"
        for item in sorted(answer.gains, key=lambda item: -item.interval.estimate)
    ]
    marked = any(item.claimed for item in answer.gains)
    legend = "± 95 %" + ("; ! beyond chance with all cells of the matrix together, Holm" if marked else "")
    return f"{', '.join(listed)} ({legend})" if listed else ""


def why_wide(answer: Answer) -> str:
    """Why the widest interval of the rows' gains is so wide, and what would narrow it; empty where none is."""
    factors = {item.row: _factor(item.interval) for item in answer.gains}
    if not factors or max(factors.values()) < _WIDE:
        return ""
    item = max(answer.gains, key=lambda item: (factors[item.row] >= _WIDE, item.interval.high - item.interval.low))
    known = (item.interval.high - item.interval.low) / 2 / factors[item.row]
    return (
        f"so few seeds hardly tell how far seeds differ: the spread of {item.row} and {NONE_ROW}, were it known from "
        f"many, would give ±{known:.1f} and not {half_width(item.interval)}; one more seed of each narrows it most"
    )


def _factor(interval: Interval) -> float:
    """How many times as wide the interval is as one whose seed variance is known."""
    share = 0.5 + interval.level / 2
    return t_quantile(share, interval.df) / t_quantile(share, None)
