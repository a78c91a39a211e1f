"""Policies on recorded matrices: every figure of issue 4's points 1 to 3, and the time of one suggestion.

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
from made_up_worlds import ERRORS, made_up

from stilts.analysis.replay.play import question_of
from stilts.analysis.replay.regret import Point, curve
from stilts.analysis.replay.tables import read_world
from stilts.analysis.replay.world import PER_CELL, PER_STAGE, World, aligned, splits
from stilts.search.selecting.policy import Budget, Observation, Question, Trial
from stilts.search.selecting.registry import POLICIES
from stilts.search.selecting.select import Select

TABLES = Path(os.environ.get("STILTS_SHARED", "../shared")) / "tables"
TASKWEB = ("roberta", "t5s", "t5b", "t5b-lora")
# A smaller or sibling model of the same family stands before the one that it is the prior of.
PRIORS = (("t5s", "t5b"), ("t5b", "t5b-lora"))
_PLANNED = [name for name in POLICIES if name != "select"]


def taskweb(repeats: int) -> Iterator[str]:
    """Point 1: four models, grids of one to four seeds, all policies, then priors."""
    yield _head("TaskWeb, price per cell")
    for name in TASKWEB:
        world = _world(f"taskweb_{name}")
        yield from _lines(world, ["select"], (0.5, 1.0), PER_CELL, repeats)
        yield from _lines(world, _PLANNED, (0.5, 1.0), PER_CELL, repeats)
    yield _head("TaskWeb, price per cell, with a prior")
    for small, large in PRIORS:
        world, other = _world(f"taskweb_{large}"), _world(f"taskweb_{small}")
        yield from _lines(
            world, ["select"], (0.33,), PER_CELL, repeats, [aligned(world, other)], f"{large} after {small}"
        )


def taskweb_stages(repeats: int) -> Iterator[str]:
    """The price per stage beside it."""
    yield _head("TaskWeb, price per stage")
    for name in TASKWEB:
        yield from _lines(_world(f"taskweb_{name}"), ["select", *_PLANNED[:3]], (0.5, 1.0), PER_STAGE, repeats)


def xpos(repeats: int) -> Iterator[str]:
    """Point 2: fidelities to 10,000 sentences. There are no seeds: repeats vary the policy's own draws."""
    world = _world("xpos", 10_000)
    for price in (PER_CELL, PER_STAGE):
        yield _head(f"XPOS to 10,000 sentences, price {price}")
        yield from _lines(world, ["select"], (0.12,), price, max(repeats // 10, 2))
        yield from _lines(world, _PLANNED[:3], (0.12, 0.141), price, max(repeats // 10, 2))


def sumeval(repeats: int) -> Iterator[str]:
    """Point 3: ten mixtures trained in all, each scored on every language."""
    world = _world("sumeval_UDPOS_XLMR")
    yield _head("SumEval UDPOS, ten mixtures, price per stage")
    yield from _lines(world, ["select", *_PLANNED[:3]], (10 / len(world.sources),), PER_STAGE, repeats)


def worlds(repeats: int) -> Iterator[str]:
    """Made-up worlds with fidelities, price per cell: where rules are tried before XPOS sees them."""
    yield "\n### Made-up worlds with fidelities, 12 % of the cost, mean regret in %\n"
    yield f"| policy | {' | '.join(ERRORS)} | mean | worlds of each kind |\n|---|{'---|' * (len(ERRORS) + 2)}"
    number = max(repeats // 10, 2)
    for name in ("select", "successive_halving"):
        lost = [
            [curve(made_up(kind, 100 + i), [name], (0.12,), PER_CELL, repeats=1)[0].regret_pct for i in range(number)]
            for kind in ERRORS
        ]
        figures = " | ".join(f"{np.mean(one):.2f}" for one in lost)
        yield f"| {name} | {figures} | {np.mean(lost):.3f} | {number} |"


def speed(repeats: int) -> Iterator[str]:
    """Point 5: one suggestion in a world of 100 x 50 x 5 with 10,000 scores, at both prices."""
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
            cell_price=np.full((rows, columns, 1), 1 / (rows * columns)),
            stage_price=np.full((rows, 1), stage),
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
    "worlds": worlds,
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


def _lines(
    world: World,
    names: Sequence[str],
    budgets: Sequence[float],
    price: str,
    repeats: int,
    priors: Sequence[np.ndarray] = (),
    label: str = "",
) -> Iterator[str]:
    ways = splits(world, repeats)
    question_of(world, ways[0], price)  # an error of the table shows at once
    for name in names:
        for point in curve(world, [name], budgets, price, priors=priors, ways=ways):
            yield _line(label or world.name, point)


def _head(title: str) -> str:
    return (
        f"\n### {title}\n\n| table | policy | budget | cost | regret % | 95 % interval | points lost | repeats |"
        "\n|---|---|---|---|---|---|---|---|"
    )


def _line(table: str, point: Point) -> str:
    name = f"**{point.policy}**" if point.default else point.policy
    points = f"{point.points_lost:.3f} ({point.points_low:.3f} to {point.points_high:.3f})"
    return (
        f"| {table} | {name} | {point.budget:.3g} | {point.cost_frac:.3f} | {point.regret_pct:.2f} | "
        f"{point.low:.2f} to {point.high:.2f} | {points} | {point.repeats} |"
    )


if __name__ == "__main__":
    main()
