"""The verb replay: how good a policy would have been on a finished matrix, for how little."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stilts.cli.notice import notice
from stilts.cli.options import JsonOption, StoreOption, examples, say
from stilts.errors import InputError, UnknownNameError
from stilts.whole_file import check_place

if TYPE_CHECKING:
    from rich.console import RenderableType

    from stilts.analysis.replay.regret import Point
    from stilts.analysis.replay.world import World

_BUDGETS = (0.25, 0.5, 1.0)
_PRICES = {"per-cell": ("per-cell",), "per-stage": ("per-stage",), "both": ("per-cell", "per-stage")}


def register(app: typer.Typer) -> None:
    """Adds the verb of this file."""
    app.command(
        epilog=examples(
            "stilts replay matrix.csv",
            "stilts replay matrix.csv --policy select --policy random --budget 0.33 --prior smaller_model.csv",
            "stilts replay demo --price per-stage --workers 8 --plot regret.svg",
        )
    )(replay)


def replay(
    world: Annotated[
        str,
        typer.Argument(
            metavar="TABLE|STUDY",
            help="A CSV source,target,score[,seed][,fidelity][,cost_s], or mixture,target,score; or a finished study.",
        ),
    ],
    store: StoreOption = None,
    policy: Annotated[list[str] | None, typer.Option(help="A policy by name; all of them by default.")] = None,
    prior: Annotated[list[Path] | None, typer.Option(help="A table of another model, as the prior.")] = None,
    budget: Annotated[
        list[float] | None, typer.Option(help="1 is one seed of every cell at full fidelity. [default: 0.25, 0.5, 1]")
    ] = None,
    repeats: Annotated[int, typer.Option(min=1, help="Splits into seeds that choose and seeds that judge.")] = 20,
    price: Annotated[str, typer.Option(help="per-cell, per-stage (a source pays once for all targets), or both.")] = (
        "both"
    ),
    workers: Annotated[int, typer.Option(min=1, help="Trials that run at once: their scores are not in yet.")] = 1,
    full_fidelity: Annotated[
        float | None, typer.Option(help="The fidelity that counts; the lowest is a cheap look. [default: the highest]")
    ] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw regret against cost into this .svg or .png.")] = None,
    json: JsonOption = False,
) -> None:
    """Replay policies on a finished matrix: regret of their choices against what they spent.

    Regret is 100 x (best - chosen) / best, mean over targets; a source on itself does not count. Half of the seeds
    choose, the other half judge; a study's selection scores choose and its report scores judge.
    """
    notice.begin(f"replaying {world}")
    from rich.text import Text

    from stilts.analysis.replay.policies import POLICIES
    from stilts.analysis.replay.regret import curve
    from stilts.analysis.replay.world import aligned
    from stilts.app.worlds import world_at
    from stilts.cli.terminal import TextConsole

    names = _named(policy, POLICIES)
    budgets = _budgets(budget)
    prices = _known_prices(price)
    if plot is not None:
        _check_plot(plot)
    recorded = world_at(world, store, full_fidelity)
    priors = [aligned(recorded, world_at(str(path), store)) for path in prior or ()]
    points: list[Point] = []
    # Progress goes to standard error, so that --json stays JSON.
    with TextConsole(stderr=True).status("") as status:
        for priced in prices:
            points += curve(
                recorded,
                names,
                budgets,
                priced,
                repeats=repeats,
                workers=workers,
                priors=priors,
                tell=lambda line: status.update(Text(line)),
            )
    if plot is not None:
        from stilts.report.figures.replay import save_plot

        save_plot(plot, recorded.name, points)
    say([point.to_json() for point in points], lambda: _table(recorded, points), as_json=json)


def _named(names: Sequence[str] | None, known: Collection[str]) -> list[str]:
    """The policies that are named, or all."""
    for name in names or ():
        if name not in known:
            raise UnknownNameError("policy", name, known)
    return list(dict.fromkeys(names)) if names else list(known)


def _budgets(budgets: Sequence[float] | None) -> list[float]:
    for budget in budgets or ():
        if not 0 < budget < float("inf"):
            raise InputError(f"budget {budget:g}", "it is not above 0", "1 is one seed of every cell", "Try 0.5")
    return sorted(set(budgets or _BUDGETS))


def _known_prices(price: str) -> tuple[str, ...]:
    if price not in _PRICES:
        raise UnknownNameError("price", price, _PRICES)
    return _PRICES[price]


def _check_plot(path: Path) -> None:
    if path.suffix.lower() not in (".svg", ".png"):
        raise InputError(f'plot "{path}"', "its ending is neither .svg nor .png", "", "Try --plot regret.svg")
    check_place(path)


def _table(world: World, points: Sequence[Point]) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    from stilts.report.blocks import BlockColumn, Blocks

    repeats = points[0].repeats if points else 0
    title = f"{world.name}: {len(world.sources)} sources, {len(world.targets)} targets, {repeats} repeats"
    columns = [
        BlockColumn(name=name, cells=[Text(figure(point), style="bold" if point.default else "") for point in points])
        for name, figure in _FIGURES.items()
    ]
    rows = [f"{point.price} {point.policy}{' *' if point.default else ''}" for point in points]
    table = Blocks(heading="price and policy", rows=rows, columns=columns)
    return Group(Text(title, style="italic"), table, Text("Lower is better. * the default.", style="dim"))


_FIGURES: dict[str, Callable[[Point], str]] = {
    "at once": lambda point: f"{point.workers}",
    "budget": lambda point: f"{point.budget:g}",
    "cost": lambda point: f"{point.cost_frac:.3f}",
    "regret %": lambda point: f"{point.regret_pct:.2f}",
    "95 % interval": lambda point: f"{point.low:.2f} to {point.high:.2f}",
    "points lost": lambda point: f"{point.points_lost:.2f}",
}
