"""What a search gained and cost, and where selection scores may be believed, in words: for the page and ``best``."""

from __future__ import annotations

from collections.abc import Sequence

from stilts.analysis.agreement import Agreement
from stilts.analysis.search_cost import SearchCost
from stilts.analysis.spending import compute_words
from stilts.report.drawing.axis import in_points
from stilts.study.record import StudyRecord


def agreement_lines(found: Sequence[Agreement]) -> list[str]:
    """A sentence per verdict: the targets where selection scores may be believed, then the others."""
    lines = []
    for verdict in dict.fromkeys(one.verdict for one in found):
        own = [
            f"{one.target} {one.correlation:+.2f} ({one.num_recipes} recipes)"
            for one in found
            if one.verdict == verdict
        ]
        lines.append(f"Selection scores: {verdict} on {', '.join(own)}, by rank correlation with report.")
    return lines


def cost_lines(costs: Sequence[SearchCost], record: StudyRecord) -> list[str]:
    """What each searched row and merge gained at which cost; then each merge beside each row that trains mixtures."""
    lines = []
    for one in costs:
        gained = "nothing to show yet"
        if one.gain is not None:
            gained = (
                f"{in_points(one.gain.estimate)} ({in_points(one.gain.low)} to {in_points(one.gain.high)}) over none"
            )
        tried = f"{one.proposals} proposals, " if one.proposals > 1 else ""
        lines.append(f"{one.row}: {gained}; {tried}{compute_words(record, one.seconds)} of its own.")
    for merge in (one for one in costs if one.merges):
        for mixed in (one for one in costs if not one.merges and one.proposals > 1 and one.seconds > 0):
            if merge.proposals == mixed.proposals and merge.seconds > 0:
                whole = merge.seconds + merge.shared_s
                lines.append(
                    f"{merge.row} cost {merge.seconds / mixed.seconds:.0%} of {mixed.row} with as many proposals, "
                    f"{whole / mixed.seconds:.0%} with the trainings that it adds up."
                )
    return lines
