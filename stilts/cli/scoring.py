"""The verb that scores a submission folder: score."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stilts.cli.notice import notice
from stilts.cli.options import JsonOption, examples, say
from stilts.shown import remark

if TYPE_CHECKING:
    from rich.console import RenderableType

    from stilts.analysis.scoring.submission import SubmissionScore


def register(app: typer.Typer) -> None:
    """Adds the verb of this file."""
    app.command(
        epilog=examples(
            "stilts score predictions labels",
            "stilts score predictions labels --benchmark xtreme-r --json",
            "stilts score predictions labels --tasks xnli,panx",
        )
    )(score)


def score(
    predictions: Annotated[Path, typer.Argument(metavar="PREDICTIONS", help="Holds <task>/test-<language>.<suffix>.")],
    labels: Annotated[Path, typer.Argument(metavar="LABELS", help="The true labels, in the same layout.")],
    benchmark: Annotated[str, typer.Option(help="xtreme or xtreme-r: which tasks and languages.")] = "xtreme",
    tasks: Annotated[str | None, typer.Option(help="Only these tasks, such as xnli,panx. [default: all]")] = None,
    json: JsonOption = False,
) -> None:
    """Score a folder in XTREME's submission format as the official scorer does, and refuse what does not match.

    Notes on what was accepted, such as unanswered questions, go to standard error.
    """
    notice.begin(f"scoring {predictions}")
    from stilts.analysis.scoring.benchmarks import benchmark as benchmark_of
    from stilts.analysis.scoring.submission import score_submission

    only = None if tasks is None else [name.strip() for name in tasks.split(",") if name.strip()]
    scored = score_submission(predictions, labels, benchmark_of(benchmark), only)
    for note in scored.notes:
        remark(f"Note: {note}")
    say(scored.as_json(), lambda: _told(scored), as_json=json)


def _told(scored: SubmissionScore) -> RenderableType:
    """A line per task with its averages and its weakest language, and the averages over tasks."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    table.add_column("task")
    table.add_column("score", justify="right")
    for heading in ("averages", "languages", "weakest"):
        table.add_column(heading)
    for name, task in scored.tasks.items():
        averages = ", ".join(f"{figure} {mean:.2f}" for figure, mean in task.averages.items())
        by_language = next(iter(task.figures.values()))
        weakest = min(by_language, key=by_language.__getitem__)
        cells = (averages, str(len(by_language)), f"{weakest} {by_language[weakest]:.2f}")
        table.add_row(name, f"{task.score:.2f}", *cells)
    return Group(table, Text(_averages(scored)))


def _averages(scored: SubmissionScore) -> str:
    groups = [f"{group} {mean:.2f}" for group, mean in scored.groups.items()]
    lines = [f"Groups: {', '.join(groups)}."] if groups else []
    overall = scored.overall
    if overall is None:
        absent = sorted(set(scored.benchmark.tasks) - set(scored.tasks))
        return "\n".join(
            [*lines, f"No average over all of {scored.benchmark.name}: not scored are {', '.join(absent)}."]
        )
    lines.append(f"All tasks: {overall.overall:.2f}.")
    if overall.without_retrieval is not None:
        lines.append(f"Without retrieval: {overall.without_retrieval:.2f}.")
    return "\n".join(lines)
