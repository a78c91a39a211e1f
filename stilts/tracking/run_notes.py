"""The note of a run in one line: its score, its gain, and against what. Figures have two decimals.

What it says of the cell rests on resampling, which a round during a run does without: it is a part of its own.
"""

from __future__ import annotations

from stilts.metrics.uncertainty import Interval
from stilts.study.record import NONE_ROW
from stilts.tracking.replicates import ScoredReplicate
from stilts.tracking.run_view import RunStatus


def replicate_note(item: ScoredReplicate, baseline: float | None) -> str:
    """The note of a replicate, what is still to come where it has no score; ``baseline``: the column's row ``none``."""
    replicate = item.replicate
    if item.score is None:
        return _without_score(item)
    told = f"score {item.score:.2f} on {replicate.column}"
    if replicate.row == NONE_ROW:
        return f"{told}: none, the row that gains are counted from" + _mean(baseline)
    if baseline is None:
        return f"{told}; no gain yet: the row none is not settled here"
    return f"{told}, gain {item.score - baseline:+z.2f} over none ({baseline:.2f})"


def cell_note(item: ScoredReplicate, interval: Interval | None) -> str:
    """What follows on it: the gain of the replicate's cell with its interval; "" where there is none."""
    if interval is None or item.score is None:
        return ""
    models = ", of one model" if interval.one_model else ""
    cell = f"{item.replicate.row} > {item.replicate.column}"
    figures = f"{interval.estimate:+z.2f}, 95 % interval {interval.low:+z.2f} to {interval.high:+z.2f}"
    return f"; the cell {cell}: {figures}{models}"


def recipe_note(row: str, seed: int | None, status: RunStatus, num_replicates: int) -> str:
    """The note of a trained intermediate: how many replicates start from it."""
    of_seed = f", seed {seed}" if seed is not None else ""
    if status is not RunStatus.DONE:
        return f"intermediate {row}{of_seed}: {status}"
    start = "1 replicate starts" if num_replicates == 1 else f"{num_replicates} replicates start"
    return f"intermediate {row}{of_seed}: {start} from it"


def _mean(baseline: float | None) -> str:
    return f" (its mean here {baseline:.2f})" if baseline is not None else ""


def _without_score(item: ScoredReplicate) -> str:
    expected = len(item.replicate.outputs.get("report", {}))
    if item.status in (RunStatus.FAILED, RunStatus.PRUNED):
        return f"no score: {item.status}"
    return f"no score yet: {len(item.report)} of {expected} languages done"
