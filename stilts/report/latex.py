r"""The matrix as a LaTeX table for a paper: needs ``\usepackage{booktabs}``, nothing else."""

from __future__ import annotations

import pandas as pd

from stilts.analysis.probes import targets_of
from stilts.analysis.results import StudyResults
from stilts.ledger.state import State
from stilts.report import phrases
from stilts.report.figures.matrix_data import matrix_data
from stilts.shown import shown
from stilts.study.record import NONE_ROW

# What LaTeX reads as markup, made literal. The backslash comes first where replacing is done in turn; here in one pass.
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",  # a straight one is not in LaTeX's default font encoding
    "-": "{-}",  # so that two in a row do not become a dash
}


def latex_matrix(results: StudyResults) -> str:
    r"""A ``table`` with booktabs rules: per cell the score, below it the gain with its 95 % interval's half width.

    The chosen row of a column is bold; a dagger marks rows that share data or source text with the column. The means
    stand at the right. It compiles in an article with ``booktabs``.
    """
    data, record = matrix_data(results), results.record
    names = [column.name for column in targets_of(record)]
    means = phrases.mean_lines(record, results.cells)
    averages = list(next(iter(means.values()), {}))
    by_cell = phrases.cells_by_name(data)
    lines = []
    for row in record.rows:
        cells = [by_cell[row.name, name] for name in names]
        above = [_score(cell) for cell in cells] + [_first(mean) for mean in means[row.name].values()]
        below = [_gain(cell) for cell in cells] + [_second(mean) for mean in means[row.name].values()]
        lines.append(" & ".join([latex_text(row.title), *above]) + r" \\")
        if row.name != NONE_ROW:
            lines.append(" & ".join(["", *below]) + r" \\[2pt]")
    head = " & ".join(["", *map(latex_text, names), *map(latex_text, averages)]) + r" \\"
    return "\n".join(
        [
            "% needs \\usepackage{booktabs}",
            r"\begin{table}",
            r"\centering\small",
            r"\begin{tabular}{l" + "r" * (len(names) + len(averages)) + "}",
            r"\toprule",
            head,
            r"\midrule",
            *lines,
            r"\bottomrule",
            r"\end{tabular}",
            rf"\caption{{{_caption(data, results)}}}",
            r"\end{table}",
            "",
        ]
    )


def latex_text(text: str) -> str:
    """Text with the characters that LaTeX reads as markup made literal."""
    return "".join(_SPECIAL.get(char, char) for char in shown(text))


def _score(cell: pd.Series) -> str:
    figures = phrases.cell_figures(cell)
    if pd.isna(cell["score"]):
        return rf"\emph{{{latex_text(figures.score)}}}"
    dagger = "" if pd.isna(cell["overlap"]) else r"$^\dagger$"
    part = "$^\\ast$" if cell["state"] != State.DONE else ""
    score = rf"\textbf{{{figures.score}}}" if cell["chosen"] else figures.score
    return score + dagger + part


def _gain(cell: pd.Series) -> str:
    if pd.isna(cell["score"]) or not phrases.cell_figures(cell).gain:
        return ""
    half = "" if pd.isna(cell["low"]) else rf" \pm {(cell['high'] - cell['low']) / 2:.1f}"
    gain = rf"{{\scriptsize ${cell['gain']:+z.1f}{half}$}}"
    return rf"{{\boldmath {gain}}}" if cell["chosen"] else gain


def _first(mean: str) -> str:
    return mean.split()[0] if mean != "-" else "--"


def _second(mean: str) -> str:
    return rf"{{\scriptsize ${mean.split()[1]}$}}" if " " in mean else ""


def _caption(data: pd.DataFrame, results: StudyResults) -> str:
    record = results.record
    partly = (data["score"].notna() & (data["state"] != State.DONE)).any()
    parts = [
        latex_text(record.name)
        + (" (toy data and encoder)" if record.toy else "")
        + ", encoder "
        + latex_text(record.encoder),
        r"score, and below it the gain over \emph{none} with the half width of its 95\,\% interval, in points",
        r"bold: chosen on the selection data" if len(data) and data["chosen"].any() else "",
        r"$\dagger$: the row shares data or source text with this target" if data["overlap"].notna().any() else "",
        r"$\ast$: some replicates are not done" if partly else "",
    ]
    return "; ".join(part for part in parts if part) + "."
