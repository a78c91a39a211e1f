"""The mixtures that a search tried, coloured by their mean gain on select: a triangle of three tasks, else bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from stilts.analysis.results import StudyResults
from stilts.fingerprint import Json
from stilts.ledger.records import PROPOSALS
from stilts.report.drawing.axis import in_points
from stilts.report.drawing.colour import CATEGORIES, NO_NUMBER, diverging, ink_on
from stilts.report.drawing.labels import around, label
from stilts.report.drawing.marks import mark
from stilts.report.drawing.scene import FAINT_INK, INK, RULE, Anchor, Point, Scene
from stilts.report.drawing.text import fold, shortened, text_width
from stilts.report.figures.picture import PORTRAIT, PORTRAIT_HEIGHT, Picture, chunks, paragraph, stacked
from stilts.report.figures.search import mean_gains
from stilts.study.record import NONE_ROW, Row

_SIDE = 250.0  # of the triangle, in points
_RADIUS = 4.0
_BAR = 14.0
_MOST_LABELS = 24  # more would hide the points


def mixture_data(results: StudyResults, proposals: pd.DataFrame) -> pd.DataFrame:
    """One line per (searched row, proposal, task) with its share, and the proposal's mean gain on select.

    ``proposals`` is ``proposal_data``'s. A task that a proposal leaves out has the share 0; the mean gain is missing
    where the proposal is not scored on as many targets as others. Other values of a proposal stand beside it.
    """
    lines = []
    for row in (row for row in results.record.rows if row.searched):
        means = mean_gains(proposals, row.name)
        drawn = _drawn(results, row)
        for number, params in _params(results, row.name).items():
            weights = drawn.get(number) or params.get("weights")  # earlier versions recorded the latter only
            if not isinstance(weights, Mapping):
                continue
            others = {name: value for name, value in params.items() if not isinstance(value, Mapping | list)}
            for task in row.mixture or weights:
                share = weights.get(task, 0.0)
                lines.append(
                    {"row": row.name, "proposal": number, "task": task, "share": share}
                    | {"mean_select_gain": means.get(number, float("nan"))}
                    | others
                )
    return (
        pd.DataFrame(lines) if lines else pd.DataFrame(columns=["row", "proposal", "task", "share", "mean_select_gain"])
    )


def mixture_plot(data: pd.DataFrame, study: str) -> Picture | None:
    """A triangle for each searched row of three tasks, bars for others; None where no mixture was searched."""
    if data.empty:
        return None
    bands = [band for row, part in data.groupby("row", sort=False) for band in _bands(str(row), part)]
    return Picture(
        name="mixtures",
        title="Mixtures",
        headline=f"{study}: mixtures that were tried",
        caption="Each proposal by its tasks' shares of the steps. Number and colour say the mean, over targets, of its "
        f"selection score less that of {NONE_ROW}, in points.",
        bands=tuple(bands),
        data=data,
    )


def _drawn(results: StudyResults, row: Row) -> dict[int, Mapping[str, float]]:
    """The shares of each proposal; none of a row whose shares are not searched."""
    if any(row.mixture.values()):
        return {}
    mine = [replicate for replicate in results.record.replicates if replicate.row == row.name]
    return {
        replicate.proposal: results.record.drawn_mixture(replicate)
        for replicate in mine
        if replicate.proposal is not None
    }


def _params(results: StudyResults, row: str) -> Mapping[int, Mapping[str, Json]]:
    proposals = PROPOSALS.all(results.store, results.record.name, row).values.values()
    return dict(sorted((proposal.number, proposal.params) for proposal in proposals))


def _bands(row: str, part: pd.DataFrame) -> list[Scene]:
    shares = part.pivot_table(index="proposal", columns="task", values="share", sort=False)
    gains = part.drop_duplicates("proposal").set_index("proposal")["mean_select_gain"]
    limit = max(float(gains.abs().max()), 0.5) if gains.notna().any() else 0.5
    if shares.shape[1] == 3:
        return [_triangle(row, shares, gains, limit)]
    return _bars(row, shares, gains, limit)


def _triangle(row: str, shares: pd.DataFrame, gains: pd.Series, limit: float) -> Scene:
    height = _SIDE * 3**0.5 / 2
    scene = Scene(width=PORTRAIT, height=height + 72)
    left, bottom = (PORTRAIT - _SIDE) / 2, height + 40.0
    corners: list[Point] = [(left, bottom), (left + _SIDE, bottom), (left + _SIDE / 2, bottom - height)]
    scene.text(4, 8, shortened(row, 150, 8.5, bold=True), size=8.5, bold=True)
    _rules(scene, corners)
    scene.outline(corners, fill=None)
    tasks = [str(name) for name in shares.columns]
    _corner(scene, left - 60, bottom + 12, tasks[0], "start")
    _corner(scene, left + _SIDE + 60, bottom + 12, tasks[1], "end")
    _corner(scene, left + _SIDE / 2, bottom - height - 19, tasks[2], "middle")
    places = {int(number): _mixed(corners, [float(share) for share in shares.loc[number]]) for number in shares.index}
    for number, (x, y) in places.items():
        _dot(scene, x, y, float(gains[number]), limit, f"proposal {number}: {_words(shares, number)}")
    taken = [around(x, y, _RADIUS + 1) for x, y in places.values()]
    frame = (4.0, bottom - height - 2, PORTRAIT - 4, bottom + 6)
    by_gain = sorted(places, key=lambda number: -float(gains[number]) if gains[number] == gains[number] else 1e9)
    labelled = [
        number
        for number in by_gain[:_MOST_LABELS]
        if label(scene, *places[number], _value(number, float(gains[number])), taken, away=_RADIUS + 3, within=frame)
    ]
    unsaid = len(places) - len(labelled)
    if not unsaid:
        return scene
    said = (
        f"{unsaid} of {len(places)} proposals have no label, of those with the lowest gains or where there was no room."
    )
    return stacked([scene, paragraph(said, PORTRAIT)])


def _rules(scene: Scene, corners: Sequence[Point]) -> None:
    """Lines of equal share at a quarter, a half and three quarters of each task."""
    first, second, third = corners
    for a, b, c in ((first, second, third), (second, third, first), (third, first, second)):
        for share in (0.25, 0.5, 0.75):
            scene.line(_between(a, b, share), _between(a, c, share), colour=RULE, width=0.5)


def _dot(scene: Scene, x: float, y: float, gain: float, limit: float, hint: str) -> None:
    colour = NO_NUMBER if gain != gain else diverging(gain, limit)
    mark(scene, x, y, "circle", colour=INK, filled=False, radius=_RADIUS + 0.5)
    mark(scene, x, y, "circle", colour=colour, radius=_RADIUS - 0.5, hint=hint)


def _bars(row: str, shares: pd.DataFrame, gains: pd.Series, limit: float) -> list[Scene]:
    """A bar per proposal from the highest mean gain to the lowest, cut by the tasks' shares."""
    order = sorted(shares.index, key=lambda number: -gains[number] if gains[number] == gains[number] else 1e9)
    tasks = [str(name) for name in shares.columns]
    keys = paragraph("; ".join(f"{at + 1} {task}" for at, task in enumerate(tasks)), PORTRAIT, below=6.0)
    bands = []
    for run in chunks(len(order), int((PORTRAIT_HEIGHT - 110) / _BAR)):
        scene = Scene(width=PORTRAIT, height=22 + len(run) * _BAR)
        scene.text(4, 8, shortened(row, 300, 8.5, bold=True), size=8.5, bold=True)
        for line, at in enumerate(run):
            _bar(scene, 18 + line * _BAR, order[at], shares.loc[order[at]], float(gains[order[at]]), limit)
        bands.append(stacked([scene, keys]))
    return bands


def _bar(scene: Scene, top: float, number: int, shares: pd.Series, gain: float, limit: float) -> None:
    left, wide = 62.0, PORTRAIT - 66.0
    scene.text(24, top + _BAR / 2, f"{number}", size=7.0, anchor="end", colour=FAINT_INK)
    colour = NO_NUMBER if gain != gain else diverging(gain, limit)
    scene.box(28, top + 1, 30, _BAR - 2, colour)
    said = "-" if gain != gain else in_points(gain)
    scene.text(43, top + _BAR / 2, said, size=7.0, anchor="middle", colour=ink_on(colour))
    whole = float(shares.sum()) or 1.0
    for at, share in enumerate(shares):
        width = wide * float(share) / whole
        shade = CATEGORIES[at % len(CATEGORIES)]
        scene.box(left, top + 1, width, _BAR - 2, shade, stroke="#ffffff", hint=f"{shares.index[at]}: {share:g}")
        if text_width(f"{at + 1}", 7.0) + 3 < width:
            scene.text(left + width / 2, top + _BAR / 2, f"{at + 1}", size=7.0, anchor="middle", colour=ink_on(shade))
        left += width


def _mixed(corners: Sequence[Point], shares: Sequence[float]) -> Point:
    whole = sum(shares) or 1.0
    x = sum(corner[0] * share for corner, share in zip(corners, shares, strict=True)) / whole
    y = sum(corner[1] * share for corner, share in zip(corners, shares, strict=True)) / whole
    return x, y


def _between(a: Point, b: Point, share_of_a: float) -> Point:
    return a[0] * share_of_a + b[0] * (1 - share_of_a), a[1] * share_of_a + b[1] * (1 - share_of_a)


def _corner(scene: Scene, x: float, y: float, task: str, anchor: Anchor) -> None:
    """Which task is alone at a corner, in two lines at most."""
    for at, line in enumerate(fold(f"all {task}", (_SIDE + 100) / 2, 7.5, lines=2)):
        scene.text(x, y + at * 9.5, line, size=7.5, anchor=anchor)


def _value(number: int, gain: float) -> str:
    return f"{number}: {'-' if gain != gain else in_points(gain)}"


def _words(shares: pd.DataFrame, number: int) -> str:
    return ", ".join(f"{task} {float(str(shares.at[number, task])):g}" for task in shares.columns)
