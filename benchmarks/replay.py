"""Policies on recorded matrices: every figure of RESULTS.md's sections on replays, and the time of one suggestion.

``python benchmarks/replay.py [--repeats 200] [--part taskweb --part xpos ...]``. Tables are read from the folder that
``STILTS_SHARED`` names, by default ``../shared``, below ``tables/``. Lines are Markdown, each printed when it is known.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from halves import half, subset

from stilts.analysis.replay.policies import POLICIES, find_policy
from stilts.analysis.replay.regret import Point, bootstrap, curve, outcome
from stilts.analysis.replay.tables import read_world
from stilts.analysis.replay.world import PER_CELL, PER_STAGE, World, aligned, splits
from stilts.search.selecting.policy import Budget, Observation, Question, Trial
from stilts.search.selecting.select import Select

TABLES = Path(os.environ.get("STILTS_SHARED", "../shared")) / "tables"
TASKWEB = ("roberta", "t5s", "t5b", "t5b-lora")
# A smaller or sibling model of the same family stands before the one that it is the prior of.
PRIORS = (("t5s", "t5b"), ("t5b", "t5b-lora"))
_PLANNED = [name for name in POLICIES if name != "select"]
_AT_ONCE = (1, 8, 64)


def taskweb(repeats: int) -> Iterator[str]:
    """Four models, grids of one to four seeds, all policies, then priors."""
    yield _head("TaskWeb, price per cell")
    for name in TASKWEB:
        yield from _lines(_world(f"taskweb_{name}"), ["select", *_PLANNED], (0.5, 1.0), PER_CELL, repeats)
    yield _head("TaskWeb, price per cell, with a prior")
    for small, large in PRIORS:
        world, other = _world(f"taskweb_{large}"), _world(f"taskweb_{small}")
        yield from _lines(
            world, ["select"], (0.33,), PER_CELL, repeats, [aligned(world, other)], f"{large} after {small}"
        )


def taskweb_stages(repeats: int) -> Iterator[str]:
    """The price per stage, without and with a prior."""
    yield _head("TaskWeb, price per stage")
    for name in TASKWEB:
        yield from _lines(_world(f"taskweb_{name}"), ["select", "random"], (0.25, 0.5), PER_STAGE, repeats)
    for small, large in PRIORS:
        world, other = _world(f"taskweb_{large}"), _world(f"taskweb_{small}")
        label = f"{large} after {small}"
        yield from _lines(world, ["select"], (0.25, 0.5), PER_STAGE, repeats, [aligned(world, other)], label)


def xpos(repeats: int) -> Iterator[str]:
    """XPOS to 10,000 sentences, scores at 630 as the cheap look. There are no seeds: repeats vary draws alone."""
    world = _world("xpos", 10_000)
    for price, budgets in ((PER_CELL, (0.12,)), (PER_STAGE, (0.25, 0.5))):
        yield _head(f"XPOS to 10,000 sentences, price {price}")
        yield from _lines(world, ["select", "successive_halving"], budgets, price, 1)
        yield from _lines(world, ["random"], budgets, price, repeats)


def sumeval(repeats: int) -> Iterator[str]:
    """Ten mixtures trained in all, a quarter and a half of them, each scored on every language."""
    world = _world("sumeval_UDPOS_XLMR")
    yield _head("SumEval UDPOS, price per stage")
    budgets = (10 / len(world.sources), 0.25, 0.5)
    yield from _lines(world, ["select"], budgets, PER_STAGE, max(repeats // 20, 2))
    yield from _lines(world, ["random"], budgets, PER_STAGE, repeats)


def at_once(repeats: int) -> Iterator[str]:
    """By a clock: 1, 8 and 64 trials at once at the same budget on the same splits; of SumEval 100 random mixtures."""
    yield "\n### With 1, 8 and 64 at once, select, mean regret in %\n"
    yield "| table | price | budget | 1 | 8 | 64 | 8 / 1 | repeats |\n|---|---|---|---|---|---|---|---|"
    cases = [(f"taskweb_{name}", price, 0.5) for price in (PER_CELL, PER_STAGE) for name in TASKWEB]
    for name, price, budget in [("sumeval_UDPOS_XLMR", PER_STAGE, 0.25), *cases]:
        worlds = [subset(_world(name), 100, number) for number in range(repeats)]
        lost = [float(np.mean(_regrets("select", worlds, price, budget, workers))) for workers in _AT_ONCE]
        figures = " | ".join(f"{one:.2f}" for one in lost)
        yield f"| {name} | {price} | {budget:g} | {figures} | {lost[1] / lost[0]:.2f} | {repeats} |"


def halves(repeats: int) -> Iterator[str]:
    """The half of sources and targets that settings were chosen on, and the other; random subsets of its sources."""
    yield "\n### Halves: what guided, and what did not, mean regret in %\n"
    yield "| table | half | price | budget | random | select | select / random |\n|---|---|---|---|---|---|---|"
    tables = [
        ("sumeval_UDPOS_XLMR", None, 60),
        ("xpos", 10_000, 24),
        *((f"taskweb_{name}", None, 99) for name in TASKWEB),
    ]
    for name, full, rows in tables:
        world = _world(name, full)
        budgets = [(PER_STAGE, 0.25), (PER_STAGE, 0.5), (PER_CELL, 0.12 if name == "xpos" else 0.5)]
        for guided in (True, False):
            worlds = [subset(half(world, guided=guided), rows, number) for number in range(repeats)]
            for price, budget in budgets[: 2 if "sumeval" in name else 3]:
                mean = {policy: _regrets(policy, worlds, price, budget) for policy in ("random", "select")}
                low, high = bootstrap(mean["select"])
                lost = {policy: float(np.mean(values)) for policy, values in mean.items()}
                yield (
                    f"| {name} | {'guided' if guided else 'held out'} | {price} | {budget:g} | {lost['random']:.2f} | "
                    f"{lost['select']:.2f} ({low:.2f} to {high:.2f}) | {lost['select'] / lost['random']:.2f} |"
                )


def speed(repeats: int) -> Iterator[str]:
    """One suggestion in a world of 100 x 50 x 5 with 10,000 scores, at both prices."""
    stream = np.random.default_rng(0)
    rows, columns, seeds = 100, 50, 5
    truth = stream.normal(size=(rows, 1)) + stream.normal(size=(rows, 3)) @ stream.normal(size=(3, columns)) + 60
    sources, targets = tuple(f"s{i:03}" for i in range(rows)), tuple(f"t{i:02}" for i in range(columns))
    places = stream.permutation(rows * columns * seeds)[:10_000]
    observations = [
        Observation(
            trial=Trial(source=sources[s], target=targets[t], seed=int(seed)),
            score=float(truth[s, t] + stream.normal()),
        )
        for s, t, seed in zip(*np.unravel_index(places, (rows, columns, seeds)), strict=True)
    ]
    yield "\n### One suggestion after 10,000 scores, 100 x 50 x 5\n"
    for price, stage in ((PER_CELL, 0.0), (PER_STAGE, 0.01)):
        question = Question(
            sources=sources,
            targets=targets,
            cell_price=np.full((rows, columns), 1 / (rows * columns)),
            stage_price=np.full(rows, stage),
            seeds=seeds,
            exists=np.ones((rows, columns), np.bool_),
        )
        taken = []
        for _ in range(3):
            begun, cpu = time.perf_counter(), time.process_time()
            Select().suggest(question, observations, Budget(left=1.0), np.random.default_rng(0))
            taken.append((time.perf_counter() - begun, time.process_time() - cpu))
        wall, used = min(taken)
        yield f"{price}: {wall:.2f} s, of which {used:.2f} s on the processor (best of three)."


PARTS = {
    "speed": speed,
    "halves": halves,
    "at-once": at_once,
    "sumeval": sumeval,
    "xpos": xpos,
    "taskweb": taskweb,
    "taskweb-stages": taskweb_stages,
}


def main() -> None:
    """Prints the parts that were asked for, all by default."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--part", action="append", choices=list(PARTS))
    arguments = parser.parse_args()
    for part in arguments.part or PARTS:
        for line in PARTS[part](arguments.repeats):
            print(line, flush=True)


def _world(name: str, full_fidelity: float | None = None) -> World:
    return read_world(TABLES / f"{name}.csv", full_fidelity)


def _regrets(policy: str, worlds: Sequence[World], price: str, budget: float, workers: int = 1) -> list[float]:
    """One regret per world, each with its own split and seed."""
    ways = [splits(world, 1, number)[0] for number, world in enumerate(worlds)]
    pairs = enumerate(zip(worlds, ways, strict=True))
    return [
        outcome(find_policy(policy), world, way, budget, price, seed=number, workers=workers).regret_pct
        for number, (world, way) in pairs
    ]


def _lines(
    world: World,
    names: Sequence[str],
    budgets: Sequence[float],
    price: str,
    repeats: int,
    priors: Sequence[np.ndarray] = (),
    label: str = "",
) -> Iterator[str]:
    for name in names:
        for point in curve(world, [name], budgets, price, repeats=repeats, priors=priors):
            yield _line(label or world.name, point)


def _head(title: str) -> str:
    return (
        f"\n### {title}\n\n| table | policy | price | at once | budget | cost | regret % | 95 % interval | points lost "
        "| repeats |\n|---|---|---|---|---|---|---|---|---|---|"
    )


def _line(table: str, point: Point) -> str:
    name = f"**{point.policy}**" if point.default else point.policy
    points = f"{point.points_lost:.3f} ({point.points_low:.3f} to {point.points_high:.3f})"
    return (
        f"| {table} | {name} | {point.price} | {point.workers} | {point.budget:.3g} | {point.cost_frac:.3f} | "
        f"{point.regret_pct:.2f} | {point.low:.2f} to {point.high:.2f} | {points} | {point.repeats} |"
    )


if __name__ == "__main__":
    main()
