"""Answers wider than one target for a terminal: by group of languages, by objective, one row for all, two studies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from stilts.analysis.compare import CellDifference, StudyComparison
from stilts.analysis.groups import GroupAnswer
from stilts.analysis.objectives import ObjectiveAnswer
from stilts.analysis.only_one import OnlyOne
from stilts.metrics.levels import FALSE_CLAIM
from stilts.metrics.uncertainty import Interval
from stilts.report.gain_phrases import half_width
from stilts.report.phrases import NO_HELP
from stilts.study.record import NONE_ROW

_SHOWN_LANGUAGES = 6


def group_lines(groups: Sequence[GroupAnswer]) -> Group:
    """Per target a table of groups: the row advised, its score and gain, and the row highest on ``report``."""
    parts: list[RenderableType] = []
    for target, found in groupby(groups, key=lambda line: line.target):
        lines = list(found)
        parts += [*_group_table(target, lines), Text("")]
    legend = "± 95 %; ! beyond chance over the target's groups (false discovery rate 5 %)"
    return Group(*parts, Text(f"{legend}; oracle: highest on report, no advice", style="dim"))


def objective_lines(answer: ObjectiveAnswer) -> Group:
    """The row for all targets, then every row with its selection score, score and gain."""
    parts: list[RenderableType] = [
        Text.assemble((f"{answer.objective}: ", "bold"), *_advice(answer), f" ({answer.description})")
    ]
    table = _table("row", "select", "score", "gain", right=(1, 2, 3))
    for row in answer.rows:
        mark = "!" if row.p_adjusted is not None and row.p_adjusted <= FALSE_CLAIM else ""
        gain = f"{_gain(row.gain)}{mark}" if row.gain else "-"
        score = f"{row.score.estimate:.1f} {half_width(row.score)}"
        table.add_row(*_strong(row.row == answer.chosen, row.row, f"{row.select_score:.1f}", score, gain))
    parts += [table, Text("± 95 % interval; ! gain beyond chance by Holm over the rows", style="dim")]
    return Group(*parts, *_qualified(answer.chosen_by, answer.targets, answer.incomplete, answer.notes))


def only_one_lines(answer: OnlyOne) -> Group:
    """The one row to keep, then every row with its mean gain, its worst target and its regret."""
    parts: list[RenderableType] = [Text.assemble(("if only one: ", "bold"), *_kept(answer))]
    table = _table(
        "row", "select", "mean gain", "no retrieval", "worst target", "mean regret", "worst regret", right=(1, 2, 3, 5)
    )
    for row in answer.rows:
        worst = row.worst_regret
        shown = (
            row.row,
            f"{row.select_score:.1f}",
            _gain(row.gain) if row.gain else "-",
            "-" if row.gain_without_retrieval is None or row.row == NONE_ROW else f"{row.gain_without_retrieval:+z.1f}",
            f"{row.worst_target} {row.worst_gain:+z.1f}" if row.row != NONE_ROW and row.worst_target else "-",
            "-" if row.mean_regret is None else f"{row.mean_regret:.1f}",
            "-" if worst is None else f"{worst[0]} {worst[1]:.1f}",
        )
        table.add_row(*_strong(row.row == answer.chosen, *shown))
    winners = ", ".join(f"{target} {row}" for target, row in answer.winners.items())
    regret = "regret: points below each target's own winner on report, negative where that turned out lower"
    parts += [table, Text(f"{regret} ({winners})", style="dim")]
    return Group(*parts, *_qualified(answer.chosen_by, (), answer.incomplete, answer.notes))


def comparison_lines(comparison: StudyComparison) -> Group:
    """Rows x common columns: both scores and the second's lead with its interval; then what only one study has."""
    cells = {(cell.row, cell.column): cell for cell in comparison.cells}
    table = _table("row", *comparison.columns, right=range(1, len(comparison.columns) + 1))
    for row in comparison.rows:
        table.add_row(row, *(_difference(cells[row, column]) for column in comparison.columns))
    named = (f"{comparison.first}, then {comparison.second}", "bold")
    title = Text.assemble(named, ": scores, and the second less the first")
    marks = "± 95 % interval, replicates independent; ! holds no 0; = the very same evaluations; - not in both"
    sides = (
        (f"{comparison.first} (first)", comparison.only_first),
        (f"{comparison.second} (second)", comparison.only_second),
    )
    only = [Text(f"only in {name}: {', '.join(found)}") for name, found in sides if found]
    return Group(title, table, Text(marks, style="dim"), *only, *(Text(f"note: {note}") for note in comparison.notes))


def _group_table(target: str, lines: Sequence[GroupAnswer]) -> list[RenderableType]:
    chosen = lines[0].chosen is not None
    table = _table(lines[0].by, "languages", "row", "score", "gain", "oracle", "its gain", right=(3, 4, 6))
    for line in lines:
        gain = f"{_gain(line.gain)}{'!' if line.clear else ''}" if line.gain else "-"
        table.add_row(
            line.group,
            _languages(line) if line.by != "language" else line.languages[0],
            line.chosen or "-",
            "-" if line.score is None else f"{line.score:.1f}",
            gain,
            line.oracle if line.oracle != line.chosen else "the same",
            _gain(line.oracle_gain) if line.oracle_gain and line.oracle != line.chosen else "",
        )
    reasons = list(dict.fromkeys(line.reason for line in lines))
    why = reasons[0] if len(reasons) == 1 else "chosen per group on its own selection scores"
    head = Text.assemble((f"{target}: ", "bold"), why if chosen else f"nothing chosen, {why}")
    return [head, table]


def _languages(line: GroupAnswer) -> str:
    shown = ", ".join(line.languages[:_SHOWN_LANGUAGES])
    more = len(line.languages) - _SHOWN_LANGUAGES
    return f"{shown} and {more} more" if more > 0 else shown


def _advice(answer: ObjectiveAnswer) -> list[tuple[str, str] | str]:
    if answer.chosen is None or answer.chosen == NONE_ROW:
        return ["no row is complete" if answer.chosen is None else "train on no intermediate"]
    own = answer.rows[0]
    helps = own.gain is not None and own.gain.estimate > 0 and (own.p_adjusted or 0.0) <= FALSE_CLAIM
    return ["train on " if helps else NO_HELP, (answer.chosen, "bold"), " first" if helps else ""]


def _kept(answer: OnlyOne) -> list[tuple[str, str] | str]:
    if answer.chosen is None or answer.chosen == NONE_ROW:
        return ["no row is complete" if answer.chosen is None else "keep no intermediate"]
    own = next((row for row in answer.rows if row.row == answer.chosen), None)
    helps = own is not None and own.gain is not None and own.gain.low > 0
    return ["keep " if helps else NO_HELP, (answer.chosen, "bold")]


def _qualified(
    chosen_by: Sequence[str], targets: Sequence[str], incomplete: Mapping[str, Sequence[str]], notes: Sequence[str]
) -> list[Text]:
    lines = [f"chosen by the mean selection score over {', '.join(chosen_by)}"]
    if targets and tuple(targets) != tuple(chosen_by):
        lines.append(f"figures are on report over {', '.join(targets)}")
    lines += [f"not complete, left out: {row} (lacks {', '.join(lacks)})" for row, lacks in incomplete.items()]
    return [Text(line) for line in (*lines, *(f"note: {note}" for note in notes))]


def _difference(cell: CellDifference) -> str:
    if cell.first is None or cell.second is None or cell.difference is None:
        return "-"
    scores = f"{cell.first:.1f} {cell.second:.1f}"
    if cell.same:
        return f"{scores} ="
    return f"{scores} {_gain(cell.difference)}{'!' if cell.difference.excludes_zero else ''}"


def _gain(interval: Interval | None) -> str:
    return "" if interval is None else f"{interval.estimate:+z.1f} {half_width(interval)}"


def _strong(strong: bool, *cells: str) -> list[Text]:
    return [Text(cell, style="bold" if strong else "") for cell in cells]


def _table(*names: str, right: Sequence[int] = ()) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), safe_box=True)
    for number, name in enumerate(names):
        table.add_column(name, justify="right" if number in right else "left")
    return table
