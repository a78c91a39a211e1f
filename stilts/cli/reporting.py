"""The verb that writes: report."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from stilts.cli.notice import notice
from stilts.cli.options import JsonOption, StoreOption, StudyName, examples, say
from stilts.shown import shown


def register(app: typer.Typer) -> None:
    """Adds the verb of this file."""
    app.command(
        epilog=examples(
            "stilts report search_spaces/demo.yaml",
            "stilts report demo --out paper/figures",
            "stilts report demo --latex > matrix.tex",
        )
    )(report)


def report(
    study: StudyName,
    store: StoreOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for page, pictures and tables. [default: report_STUDY]")
    ] = None,
    latex: Annotated[
        bool, typer.Option("--latex", help="Print the matrix as a LaTeX table (booktabs) and write nothing.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Write what the study found: one HTML page, its figures as SVG and PNG, and every figure's data as CSV.

    The page needs nothing else: mail it, print it. With `--out` the LaTeX table goes into the folder too. An earlier
    report there is overwritten; a folder with other files, or links, is refused.
    """
    from rich.text import Text

    notice.begin(f"writing the report of {study}")
    from stilts.app.results import results_at
    from stilts.report.files import PAGE, write_report
    from stilts.report.latex import latex_matrix

    results = results_at(study, store)
    if latex and out is None and not json:
        sys.stdout.write(shown(latex_matrix(results), keep="\n"))
        return
    folder = out or Path(f"report_{results.record.name}")
    files = write_report(results, folder)
    value = {
        "study": results.record.name,
        "toy": results.record.toy,
        "page": str(folder / PAGE),
        "files": [{"path": str(folder / file.name), "kind": file.kind, "title": file.title} for file in files],
    }
    if latex and json:
        value["latex"] = latex_matrix(results)
    say(
        value,
        lambda: Text(f"{folder / PAGE}, and {len(files) - 1} files with its figures and data beside it"),
        as_json=json,
    )
