"""The study's result as one HTML page that needs nothing else: to mail, to print, to keep beside a paper."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

import pandas as pd

from stilts.analysis.best import Answer
from stilts.report import phrases
from stilts.report.heatmap import heat_map
from stilts.study.record import StudyRecord

_STYLE = """
body{font:15px/1.45 system-ui,sans-serif;color:#1a1a1a;background:#fff;max-width:75em;margin:2em auto;padding:0 1em}
h1{font-size:1.5em}h2{font-size:1.2em;margin:1.8em 0 .5em}h3{font-size:1em;font-weight:400;margin:1em 0 .2em}
.toy{border:2px solid #8a4b00;padding:.3em .7em;display:inline-block;font-weight:600}
.wide{overflow-x:auto}figure{margin:0}figure svg{max-width:100%;height:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.9em}
caption{text-align:left;font-weight:600;padding:.4em 0}
th,td{padding:.25em .7em;text-align:right;border-bottom:1px solid #ddd;white-space:nowrap}
th:first-child{text-align:left}thead th{border-bottom:2px solid #777}
.chosen{font-weight:700}.note{color:#555;font-size:.9em}ul{margin:.2em 0;padding-left:1.4em}
@media print{body{font-size:10pt;max-width:none;margin:0;print-color-adjust:exact;-webkit-print-color-adjust:exact}
section,figure,table,tr{break-inside:avoid}.wide{overflow:visible}th,td{padding:.15em .4em}
thead{display:table-header-group}}
"""


def matrix_page(
    cells: pd.DataFrame, languages_frame: pd.DataFrame, record: StudyRecord, answers: Sequence[Answer]
) -> str:
    """A whole HTML document: question, answers, heat map, matrix, and every target by language.

    ``cells`` is ``matrix.cells`` of the report use, ``languages_frame`` is ``load_matrix``'s, ``answers`` are
    ``best``'s. It loads nothing and runs no script; names are escaped.
    """
    languages = [_language_table(languages_frame, record, column.name) for column in record.columns]
    body = [
        f"<h1>{escape(phrases.question(record))}</h1>",
        f'<p class="toy">{escape(phrases.TOY_WARNING)}</p>' if record.toy else "",
        f"<p>{escape(phrases.title(record))}</p>",
        "<h2>Answers</h2>" if answers else "",
        *map(_answer, answers),
        "<h2>Matrix</h2>",
        _picture(cells, record),
        _matrix_table(cells, record, answers),
        "<h2>Languages</h2>",
        *languages,
    ]
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(phrases.title(record))}</title><style>{_STYLE}</style>"
    )
    main = "\n".join(filter(None, body))
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head>\n<body>\n{main}\n</body></html>\n'


def _picture(cells: pd.DataFrame, record: StudyRecord) -> str:
    written = heat_map(cells, record, format="svg").decode()
    drawing = written[written.index("<svg") :]  # A page has no place for the XML declaration and document type.
    return f'<figure role="img" aria-label="heat map of the matrix below">{drawing}</figure>'


def _answer(answer: Answer) -> str:
    told = "".join(
        f"<strong>{escape(text)}</strong>" if strong else escape(text) for text, strong in phrases.headline(answer)
    )
    lines = "".join(f"<li>{escape(line)}</li>" for line in phrases.details(answer))
    return f"<section><h3>{told}</h3>{f'<ul>{lines}</ul>' if lines else ''}</section>"


def _matrix_table(cells: pd.DataFrame, record: StudyRecord, answers: Sequence[Answer]) -> str:
    by_cell = phrases.cells_by_name(cells)
    means = phrases.mean_lines(record, cells)
    names = [column.name for column in record.columns]
    lines = []
    for row in record.rows:
        shown = [_cell(by_cell[row.name, name], answers) for name in names]
        averages = [f"<td>{escape(mean)}</td>" for mean in means[row.name].values()]
        lines.append((row.name, [*shown, *averages]))
    legend = phrases.legend(phrases.marks(cell, answers) for cell in by_cell.values())
    below = f'<p class="note">{escape(legend)}</p>' if legend else ""
    return _table("Scores and gains", ["intermediate", *names, *next(iter(means.values()), {})], lines) + below


def _cell(cell: pd.Series, answers: Sequence[Answer]) -> str:
    text = phrases.cell_line(cell, answers)
    kind = (
        ' class="chosen"' if "*" in phrases.marks(cell, answers) else ' class="note"' if pd.isna(cell["score"]) else ""
    )
    return f"<td{kind}>{escape(text)}</td>"


def _language_table(frame: pd.DataFrame, record: StudyRecord, column: str) -> str:
    lines = [
        (name, [f"<td>{escape(figure)}</td>" for figure in figures])
        for name, *figures in phrases.language_lines(frame, record, column)
    ]
    return _table(phrases.languages_title(record, column), ["language", *(row.name for row in record.rows)], lines)


def _table(caption: str, head: Iterable[str], lines: Iterable[tuple[str, Sequence[str]]]) -> str:
    """A table of a heading per line and ready cells."""
    names = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    body = "\n".join(f'<tr><th scope="row">{escape(name)}</th>{"".join(row)}</tr>' for name, row in lines)
    return (
        f'<div class="wide"><table><caption>{escape(caption)}</caption>'
        f"<thead><tr>{names}</tr></thead><tbody>\n{body}\n</tbody></table></div>"
    )
