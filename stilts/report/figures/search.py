"""What a search tried: selection scores of its proposals in order, and the mixtures coloured by what they brought."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import pandas as pd

from stilts.analysis.matrix import replicate_scores
from stilts.analysis.proposals import of_search
from stilts.analysis.results import StudyResults
from stilts.ledger.state import State, worst
from stilts.report.drawing.axis import Scale, draw_axis_left
from stilts.report.drawing.colour import GAIN, LOSS, NEUTRAL
from stilts.report.drawing.marks import mark
from stilts.report.drawing.scene import FAINT_INK, Point, Scene
from stilts.report.drawing.text import fold
from stilts.report.figures.key import Meaning, key, with_key
from stilts.report.figures.picture import PORTRAIT, Picture
from stilts.study.record import NONE_ROW

_GAP = 10.0
_PANEL, _PLOT = (PORTRAIT - 2 * _GAP) / 3, 84.0
PROPOSAL_COLUMNS = ("row", "column", "proposal", "score", "base", "state", "chosen")


def proposal_data(results: StudyResults) -> pd.DataFrame:
    """One line per proposal of a searched row and target with a selection score: mean over its replicates.

    ``base`` is the selection score of ``none`` there, ``state`` the proposal's; ``chosen`` marks the one in the cell.
    """
    scores = replicate_scores(results.frame, "select")
    base = results.select_cells[results.select_cells["row"] == NONE_ROW].set_index("column")["score"].to_dict()
    chosen = {
        (cell["row"], cell["column"], int(cell["proposal"]))
        for _, cell in results.cells.iterrows()
        if not pd.isna(cell["proposal"])
    }
    lines = []
    for _, part in of_search(scores).groupby(["row", "column", "proposal"], sort=False):
        row, column, proposal = (part[name].iloc[0] for name in ("row", "column", "proposal"))
        lines.append(
            {
                "row": row,
                "column": column,
                "proposal": int(proposal),
                "score": part["score"].mean(),
                "base": base.get(column, float("nan")),
                "state": str(worst(part["state"])),
                "chosen": (row, column, int(proposal)) in chosen,
            }
        )
    return pd.DataFrame(lines, columns=list(PROPOSAL_COLUMNS))


def mean_gains(data: pd.DataFrame, row: str) -> Mapping[int, float]:
    """Per proposal of a row, its selection score less that of ``none``, averaged over the targets where both are.

    Only proposals scored on the most targets are compared, so that all means are over the same number.
    """
    known = data[(data["row"] == row) & data["score"].notna() & data["base"].notna()]
    gains = (known["score"] - known["base"]).groupby(known["proposal"])
    most = gains.count().max() if len(known) else 0
    return {int(str(number)): float(part.mean()) for number, part in gains if len(part) == most}


def history_plot(data: pd.DataFrame, study: str) -> Picture | None:
    """Selection scores of the proposals of each searched row, a panel per target; None without proposals."""
    panels = [_panel(part) for _, part in data.groupby(["row", "column"], sort=False)]
    if not panels:
        return None
    return Picture(
        name="search_history",
        title="Search history",
        headline=f"{study}: selection score of each proposal, in order",
        caption="Each searched row's proposals in the order in which they were drawn, by their score on select (which "
        "is not the score that is reported); the stepped line is the best so far.",
        bands=tuple(with_key(panels, 3, partial(_key, data), gap=_GAP)),
        panels=(*panels, _key(data, _PANEL)),
        data=data,
    )


def _panel(lines: pd.DataFrame) -> Scene:
    first = lines.iloc[0]
    title = fold(f"{first['row']} > {first['column']}", _PANEL - 8, 8.0, lines=2, bold=True)
    head, left = 4 + len(title) * 10.5 + 5, 34.0
    scene = Scene(width=_PANEL, height=head + _PLOT + 30)
    for at, words in enumerate(title):
        scene.text(4, 8 + at * 10.5, words, size=8.0, bold=True)
    bottom = head + _PLOT
    known = [*lines["score"].dropna(), *lines["base"].dropna()]
    across = Scale(low=-0.7, high=max(float(lines["proposal"].max()), 1.0) + 0.7, start=left, stop=_PANEL - 6)
    up = Scale.around(known, bottom, head, least=1.0, zero=False)
    draw_axis_left(scene, up, left, _PANEL - 6)
    if not pd.isna(first["base"]):
        scene.line((left, up.at(first["base"])), (_PANEL - 6, up.at(first["base"])), colour=FAINT_INK, dashed=True)
    _running_best(scene, lines, across, up)
    for _, line in lines.iterrows():
        _proposal(scene, line, across, up, bottom)
    for tick in across.ticks(20):
        if tick == round(tick) and tick >= 0:
            scene.text(across.at(tick), bottom + 14, f"{tick:g}", size=7.0, anchor="middle", colour=FAINT_INK)
    scene.text((left + _PANEL - 6) / 2, bottom + 24, "proposal", size=7.0, anchor="middle", colour=FAINT_INK)
    return scene


def _running_best(scene: Scene, lines: pd.DataFrame, across: Scale, up: Scale) -> None:
    points: list[Point] = []
    best = float("-inf")
    for _, line in lines.sort_values("proposal").iterrows():
        if pd.isna(line["score"]):
            continue
        x = across.at(float(line["proposal"]))
        if points:
            points.append((x, up.at(best)))
        best = max(best, float(line["score"]))
        points.append((x, up.at(best)))
    if len(points) > 1:
        scene.line(*points, colour=GAIN, width=1.0)


def _proposal(scene: Scene, line: pd.Series, across: Scale, up: Scale, bottom: float) -> None:
    x = across.at(float(line["proposal"]))
    if pd.isna(line["score"]):
        pruned = line["state"] == State.PRUNED
        mark(scene, x, bottom + 4, "cross" if pruned else "square", colour=LOSS if pruned else NEUTRAL, filled=False)
        return
    hint = f"proposal {line['proposal']}: {line['score']:.2f} on select"
    form = "diamond" if line["chosen"] else "circle"
    mark(scene, x, up.at(float(line["score"])), form, colour=GAIN, filled=bool(line["chosen"]), hint=hint)  # type: ignore[arg-type]


def _key(data: pd.DataFrame, width: float) -> Scene:
    states = set(data["state"])
    entries = [
        Meaning(form="diamond", words="stands in the cell", colour=GAIN),
        Meaning(form="circle", words="other proposal", colour=GAIN, filled=False),
    ]
    if State.PRUNED in states:
        entries.append(Meaning(form="cross", words="pruned", colour=LOSS))
    if states - {State.PRUNED, State.DONE}:
        entries.append(Meaning(form="square", words="not done", filled=False))
    return key(entries, f"dashed: the row {NONE_ROW}", width)
