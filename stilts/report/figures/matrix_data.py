"""The matrix as one table for pictures and files: each cell's figures, interval, state and marks."""

from __future__ import annotations

import pandas as pd

from stilts.analysis.best import Answer, answers_of
from stilts.analysis.results import StudyResults
from stilts.report import phrases


def matrix_data(results: StudyResults) -> pd.DataFrame:
    """One row per cell, in the study's order: ``matrix.cells`` with the gain's 95 % interval and the marks.

    ``low`` and ``high`` are missing where there is no interval; ``conditional`` says that it is given the seeds that
    were used. ``chosen`` and ``oracle`` mark a column's answer, ``equal`` its set that cannot be told from the best.
    ``claimed``: the gain is beyond chance with all cells of the matrix together, and the score is not near guessing.
    """
    answers = {answer.target: answer for answer in answers_of(results)}
    lines = []
    for _, cell in results.cells.iterrows():
        row, column = str(cell["row"]), str(cell["column"])
        interval, answer = results.gain(row, column), answers.get(column)
        lines.append(
            {
                "low": interval.low if interval else float("nan"),
                "high": interval.high if interval else float("nan"),
                "conditional": bool(interval and interval.conditional),
                "chosen": answer is not None and answer.chosen == row,
                "oracle": answer is not None and answer.oracle == row,
                "equal": answer is not None and row in answer.equals,
                "claimed": not cell["near_chance"] and _claimed(answer, row),
                "marks": phrases.marks(cell, answers_of(results)),
            }
        )
    added = pd.DataFrame(lines, index=results.cells.index)
    return pd.concat([results.cells, added], axis=1)


def _claimed(answer: Answer | None, row: str) -> bool:
    return answer is not None and any(gain.row == row and gain.claimed for gain in answer.gains)


def half_width(cell: pd.Series) -> str:
    """The interval as a half width, ``±2.1``; empty where there is none."""
    if pd.isna(cell["low"]):
        return ""
    return f"\u00b1{(cell['high'] - cell['low']) / 2:.1f}"
