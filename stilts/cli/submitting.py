"""What ``stilts export --submission`` says of what it wrote."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from stilts.analysis.submission.export import ExportedTarget
from stilts.analysis.submission.fitting import LeftOut
from stilts.app.submitting import Submission
from stilts.shown import shown


def told(submission: Submission) -> RenderableType:
    """A line per target, then what was left out and what the figures cannot say."""
    table = Table(box=None, pad_edge=False)
    for heading in ("target", "replicate", "languages", "matrix", "official"):
        table.add_column(heading)
    for target in submission.targets:
        scores = [each.matrix for each in target.languages if each.matrix is not None]
        official = [each.official for each in target.languages if each.official is not None]
        table.add_row(
            target.target,
            target.replicate,
            str(len(target.languages)),
            f"{sum(scores) / len(scores):.2f}" if scores else "no labels",
            f"{sum(official) / len(official):.2f}" if official else "no labels",
        )
    lines = [line for target in submission.targets for line in _remarks(target)]
    lines += [shown(f"Left out: {_place(each)}: {each.reason}.") for each in submission.left_out]
    where = f"The submission is in {submission.folder}"
    beside = "" if submission.labels is None else f", its labels in {submission.labels}"
    return Group(table, Text("\n".join([*lines, where + beside + "."])))


def _remarks(target: ExportedTarget) -> list[str]:
    lines = [f"{target.target}: {caveat}." for caveat in target.caveats]
    if target.other_measure and any(each.differs for each in target.languages):
        lines.append(f"{target.target}: the figures differ: {target.other_measure}.")
    told = set[str]()
    for name, codes in target.absent.items():
        more = [code for code in codes if code not in told]
        told.update(more)
        if more:
            number = f"{len(more)} language{'s' if len(more) > 1 else ''}"
            lines.append(f"{target.target}: the scorer of {name} also wants {number}: {', '.join(more)}.")
    return lines


def _place(left: LeftOut) -> str:
    return left.target if left.language is None else f"{left.target} in {left.language}"
