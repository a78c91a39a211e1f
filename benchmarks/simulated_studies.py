"""How often the statistics of an answer are right: studies whose truth is known, analysed as real ones are.

    python benchmarks/simulated_studies.py --studies 1000 --replicates 2 3 5

One target, ``none`` and seven intermediates. True gains are normal with standard deviation 2 (or all 0 in null
studies), every training has a seed effect of standard deviation 3, 2,000 source items are translated into 15 languages,
and the winner is chosen on 1,000 English selection items of the same models. Each study goes through ``resample``,
``winner_gain``, ``set_of_equals`` and ``holm`` as in ``stilts best``. Prints one JSON object per number of replicates.

    python benchmarks/simulated_studies.py --studies 1000 --proposals 20 --replicates 1 2 3

The last row is searched then: the highest of so many recipes, each under one seed, on the selection items. Its recipes
are equal (null studies) or differ by a standard deviation of 2. It is reported as it is confirmed, from as many fresh
seeds as the others have, and for comparison as it was found, from the seed that won.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from stilts.metrics.comparison import holm, set_of_equals
from stilts.metrics.levels import FALSE_CLAIM
from stilts.metrics.metric import metric
from stilts.metrics.resampling import LanguageRows, ReplicateRows, Side, resample
from stilts.metrics.uncertainty import gain_interval
from stilts.metrics.winner import winner_gain
from stilts.search.choice import choose
from stilts.study.record import Column

ACCURACY = metric("accuracy")
NUM_ROWS, NUM_ITEMS, NUM_LANGUAGES, NUM_SELECT = 8, 2000, 15, 1000
SEED_SD, GAIN_SD, BASE = 3.0, 2.0, 70.0
ITEMS = np.array([f"q{number}" for number in range(NUM_ITEMS)])
TARGET = Column(
    name="target",
    task="target",
    kind="classification",
    metric="accuracy",
    group="",
    languages=tuple(f"l{number}" for number in range(NUM_LANGUAGES)),
    select_languages=("en",),
)
INVERSE = NormalDist().inv_cdf


@dataclass(frozen=True)
class Simulated:
    """A study's report sides, selection scores and true scores over seeds and items, by row; row 0 is ``none``."""

    sides: dict[str, Side]
    select: np.ndarray
    truth: np.ndarray


def level(ability: float) -> float:
    """The threshold at which a standard normal difficulty plus noise is passed with this percentage."""
    return INVERSE(min(max(ability / 100, 0.02), 0.98)) * np.sqrt(2)


def selected(stream: np.random.Generator, ability: float) -> float:
    """A model's score on the selection items."""
    return float(100 * (stream.standard_normal(NUM_SELECT) * np.sqrt(2) < level(ability)).mean())


def tested(stream: np.random.Generator, difficulty: np.ndarray, ability: float, row: int, seed: int) -> ReplicateRows:
    """A model's answers to the test items in all languages."""
    noise = stream.standard_normal((NUM_LANGUAGES, NUM_ITEMS), dtype=np.float32)
    correct = (difficulty + noise < level(ability)).astype(float)
    languages = {
        f"l{number}": LanguageRows(items=ITEMS, values=np.column_stack([values, np.ones(NUM_ITEMS)]))
        for number, values in enumerate(correct)
    }
    return ReplicateRows(intermediate_seed=seed if row else None, target_seed=seed, languages=languages)


def name_of(row: int) -> str:
    return f"r{row}" if row else "none"


def simulate(stream: np.random.Generator, truth: np.ndarray, replicates: int, draws: int) -> Simulated:
    difficulty = stream.standard_normal(NUM_ITEMS)
    cells, select = {}, np.zeros(len(truth))
    for row, score in enumerate(truth):
        abilities = score + stream.normal(0, SEED_SD, replicates)
        select[row] = np.mean([selected(stream, ability) for ability in abilities])
        cells[name_of(row)] = [tested(stream, difficulty, a, row, seed) for seed, a in enumerate(abilities)]
    sides = resample(cells, ACCURACY, draws=draws, seed=int(stream.integers(2**31)))
    return Simulated(sides=sides, select=select, truth=truth)


def search(
    stream: np.random.Generator, spread: float, proposals: int, replicates: int, draws: int
) -> tuple[Simulated, Side]:
    """A study whose last row is searched, as it is confirmed; and that row as it was found, with the seed that won."""
    difficulty = stream.standard_normal(NUM_ITEMS)
    truth = BASE + np.array([0.0, *stream.normal(0, spread, NUM_ROWS - 1)])
    recipes = truth[-1] + stream.normal(0, spread, proposals)
    searched = recipes + stream.normal(0, SEED_SD, proposals)
    scores = {number: {"target": {"en": selected(stream, ability)}} for number, ability in enumerate(searched)}
    best = choose(("per_target",), (TARGET,), "english_dev", scores, {})["target"].proposal
    truth[-1] = recipes[best]
    abilities = [score + stream.normal(0, SEED_SD, replicates) for score in truth]
    select = np.array([np.mean([selected(stream, ability) for ability in own]) for own in abilities])
    cells = {
        name_of(row): [tested(stream, difficulty, ability, row, seed) for seed, ability in enumerate(own)]
        for row, own in enumerate(abilities)
    }
    cells["found"] = [tested(stream, difficulty, searched[best], NUM_ROWS, replicates)]
    sides = resample(cells, ACCURACY, draws=draws, seed=int(stream.integers(2**31)))
    found = sides.pop("found")
    return Simulated(sides=sides, select=select, truth=truth), found


def observe_searched(study: Simulated, found: Side, counts: Counter[str]) -> None:
    """Counts what the matrix says of the searched row, and the answer where that row is the winner."""
    names = list(study.sides)
    row, truth, base = names[-1], study.truth[-1] - study.truth[0], study.sides["none"]
    gain, as_found = gain_interval(study.sides[row], base), gain_interval(found, base)
    counts["shown"] += gain.low > 0 and not gain.one_model
    counts["covered"] += gain.low <= truth <= gain.high
    counts["as_found_above_0"] += as_found.low > 0
    counts["as_found_covered"] += as_found.low <= truth <= as_found.high
    claims = holm([gain_interval(study.sides[name], base).claim_p for name in names[1:]])
    counts["claimed"] += claims[-1] <= FALSE_CLAIM and gain.estimate > 0
    counts["any_claimed"] += min(claims) <= FALSE_CLAIM
    if names[int(study.select.argmax())] == row:
        interval = winner_gain(study.sides, row, "none", dict(zip(names, study.select, strict=True)))
        counts["wins"] += 1
        counts["winner_shown"] += interval.low > 0 and not interval.one_model
        counts["winner_covered"] += interval.low <= truth <= interval.high


def run_searched(studies: int, proposals: int, replicates: int, draws: int, seed: int) -> dict[str, float]:
    found: dict[str, float] = {"replicates": replicates, "studies": studies, "proposals": proposals}
    for world, spread in (("null", 0.0), ("true", GAIN_SD)):
        stream, counts = np.random.default_rng([seed, replicates, proposals]), Counter[str]()
        for _ in range(studies):
            observe_searched(*search(stream, spread, proposals, replicates, draws), counts)
        for what in ("shown", "covered", "claimed", "any_claimed", "as_found_above_0", "as_found_covered"):
            found[f"{world}_{what}"] = counts[what] / studies
        found[f"{world}_wins"] = counts["wins"]
        for what in ("winner_shown", "winner_covered"):
            found[f"{world}_{what}"] = counts[what] / max(counts["wins"], 1)
    return found


def observe(study: Simulated, counts: Counter[str]) -> None:
    """Counts what the answer to one study claims, and whether it is so."""
    names = list(study.sides)
    truth = dict(zip(names, study.truth, strict=True))
    winner = names[int(study.select.argmax())]
    best = max(truth, key=truth.__getitem__)
    compared = set_of_equals(study.sides)
    counts["studies"] += 1
    counts["best_in_equals"] += best in compared.equals
    counts["num_equals"] += len(compared.equals)
    if winner != "none":
        interval = winner_gain(study.sides, winner, "none", dict(zip(names, study.select, strict=True)))
        plain = gain_interval(study.sides[winner], study.sides["none"])
        counts["winners"] += 1
        counts["plainly_covered"] += plain.low <= truth[winner] - truth["none"] <= plain.high
        counts["shown_above_0"] += interval.low > 0
        counts["half_width"] += (interval.high - interval.low) / 2
        counts["covered"] += interval.low <= truth[winner] - truth["none"] <= interval.high
    for name, probability in compared.p_best.items():
        if 0.8 <= probability <= 0.9 and name == winner:
            counts["sure"] += 1
            counts["sure_and_best"] += name == best
    gains = {name: gain_interval(study.sides[name], study.sides["none"]) for name in names[1:]}
    claims = holm([interval.p_value for interval in gains.values()])
    claimed = zip(gains.items(), claims, strict=True)
    counts["false_claims"] += any(
        p <= FALSE_CLAIM and i.estimate > 0 >= truth[n] - truth["none"] for (n, i), p in claimed
    )


def behind(stream: np.random.Generator, replicates: int, draws: int, counts: Counter[str]) -> None:
    """A study in which one row is 4 standard errors (of the difference of two rows) behind the best, others between."""
    error = np.sqrt(2 * SEED_SD**2 / replicates)
    truth = BASE - 2 + np.array([*np.linspace(0, -error, NUM_ROWS - 1), -4 * error])
    study = simulate(stream, truth, replicates, draws)
    counts["behind"] += 1
    counts["dropped"] += list(study.sides)[-1] not in set_of_equals(study.sides).equals


def run(studies: int, replicates: int, draws: int, seed: int) -> dict[str, float]:
    stream, counts, null = np.random.default_rng([seed, replicates]), Counter[str](), Counter[str]()
    for _ in range(studies):
        truth = BASE + np.array([0.0, *stream.normal(0, GAIN_SD, NUM_ROWS - 1)])
        observe(simulate(stream, truth, replicates, draws), counts)
        observe(simulate(stream, np.full(NUM_ROWS, BASE), replicates, draws), null)
        behind(stream, replicates, draws, counts)
    return {
        "replicates": replicates,
        "studies": studies,
        "winner_gain_covered": counts["covered"] / max(counts["winners"], 1),
        "plain_interval_covered": counts["plainly_covered"] / max(counts["winners"], 1),
        "mean_half_width": counts["half_width"] / max(counts["winners"], 1),
        "best_in_equals": counts["best_in_equals"] / studies,
        "mean_equals": counts["num_equals"] / studies,
        "dropped_4_errors_behind": counts["dropped"] / studies,
        "winners_with_p_best_80_to_90": counts["sure"],
        "of_those_best": counts["sure_and_best"] / max(counts["sure"], 1),
        "null_studies_with_a_false_gain": null["false_claims"],
        "null_winner_gain_covered": null["covered"] / max(null["winners"], 1),
        "null_plain_interval_covered": null["plainly_covered"] / max(null["winners"], 1),
        "null_winners_shown_above_0": null["shown_above_0"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=1000)
    parser.add_argument("--replicates", type=int, nargs="+", default=[2, 3, 5])
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--proposals", type=int, default=0, help="search the last row, with so many proposals")
    given = parser.parse_args()
    for replicates in given.replicates:
        if given.proposals:
            found = run_searched(given.studies, given.proposals, replicates, given.draws, given.seed)
        else:
            found = run(given.studies, replicates, given.draws, given.seed)
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
