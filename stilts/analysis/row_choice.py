"""Which row of a column is chosen: by its selection score, among those that take part. The one choice of all answers.

What ``best`` names, what is exported, registered and kept rests on it.
"""

from __future__ import annotations

from dataclasses import dataclass

from stilts.analysis.results import StudyResults
from stilts.study.record import Column

# Points: less is rounding of one and the same score.
_TIED = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class RowChoice:
    """The chosen row of a column and why it; None, with the reason, where nothing can be chosen."""

    row: str | None
    reason: str


def choose_row(results: StudyResults, column: Column) -> RowChoice:
    """The row with the highest selection score (the study's first among equals) of those that are reported too.

    A searched row takes part with what is confirmed of it, and not before.
    """
    if not column.select_languages:
        return RowChoice(
            row=None, reason=f"{column.name} has no selection score under selection: {results.record.selection}"
        )
    reported = {
        one.row for one in results.record.replicates if one.column == column.name and one.replicate_id in results.done
    }
    scores = {name: score for name, score in select_scores(results, column).items() if name in reported}
    if not scores:
        return RowChoice(row=None, reason="no row is scored on both select and report yet")
    chosen = max(scores, key=lambda name: scores[name])
    tied = [name for name, score in scores.items() if scores[chosen] - score < _TIED]
    reason = f"highest selection score of {len(scores)} rows ({scores[chosen]:.1f})"
    if len(tied) > 1:
        told = f"{', '.join(tied)} have the same highest selection score ({scores[chosen]:.1f})"
        reason = f"{told}, so select cannot tell them apart; the first of the study's order is taken"
    return RowChoice(row=chosen, reason=reason)


def select_scores(results: StudyResults, column: Column) -> dict[str, float]:
    """The selection scores of a column's rows, in the study's order; controls and rows without one are absent."""
    table = results.select_cells
    known = table[(table["column"] == column.name) & table["score"].notna()]
    known = known[known["row"].isin(results.record.advisable)]
    return {str(row): float(score) for row, score in zip(known["row"], known["score"], strict=True)}
