"""Two causes of negative transfer in the training itself: an unlucky seed of the head, and too large a step away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean, median

from stilts.analysis.matrix import replicate_scores
from stilts.analysis.ranks import FEWEST, rank_correlation
from stilts.analysis.suspects import CauseVerdict, Check, Suspects
from stilts.fingerprint import Json
from stilts.ledger.state import State
from stilts.study.record import NONE_ROW

SEED, RATE = "seed of the head", "learning rate ratio"
# A clear trend over a handful of recipes. Chosen, not derived: of six in random order 1 in 10 reaches it (Spearman).
_TREND = 0.6


def head_seed(suspects: Suspects, row: str, column: str) -> Check:
    """Whether one unlucky replicate makes the loss: what is left of it without the lowest."""
    side, base = suspects.side(row, column), suspects.side(NONE_ROW, column)
    scores = [float(score) for score in side.scores.mean(axis=1)]
    loss = side.mean - base.mean
    figures: dict[str, Json] = {"scores": list(scores), "none": base.mean, "gain": loss}
    if all(seed is None for seed in side.target_seeds):
        line = f"{column} fine-tunes nothing, so no head has a seed"
        return Check(cause=SEED, verdict=CauseVerdict.AGAINST, line=line, figures=figures)
    if len(scores) < 2:
        line = f"one replicate; three would tell: replicates: cells: [{{rows: [{row}], columns: [{column}], count: 3}}]"
        return Check(cause=SEED, verdict=CauseVerdict.UNKNOWN, line=line, figures=figures)
    rest = sorted(scores)[1:]
    left = fmean(rest) - base.mean
    spread = f"{len(scores)} replicates from {min(scores):.1f} to {max(scores):.1f}, {NONE_ROW} {base.mean:.1f}"
    points = left > loss / 2
    line = f"{spread}; without the lowest the gain is {left:+z.1f} instead of {loss:+z.1f}"
    return Check(
        cause=SEED,
        verdict=CauseVerdict.POINTS if points else CauseVerdict.AGAINST,
        line=line,
        figures={**figures, "gain_without_lowest": left},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Recipe:
    """One recipe on one target: learning rate times steps of the intermediate, and its gain there."""

    row: str
    dose: float
    gain: float


def learning_rate(suspects: Suspects, row: str, column: str) -> Check:
    """Whether recipes that move the encoder further (learning rate x steps) lose more on this target."""
    recipes = _recipes(suspects, column)
    alike = [recipe for recipe in recipes if recipe.row == row]
    # Recipes of the searched row itself differ least in anything else.
    compared = alike if len({recipe.dose for recipe in alike}) >= FEWEST else recipes
    trend = rank_correlation([recipe.dose for recipe in compared], [recipe.gain for recipe in compared])
    own = _configs(suspects, row, column)
    told, ratio = _told(own)
    dose = own["intermediate"]["learning_rate"] * own["intermediate"]["steps"] if "intermediate" in own else 0.0
    figures: dict[str, Json] = {"ratio": ratio, "num_recipes": len(compared), "rank_correlation": trend}
    figures["learning_rate_x_steps"] = dose
    if trend is None:
        doses = len({recipe.dose for recipe in compared})
        line = f"{told}; {len(compared)} recipes with {doses} value{'s' if doses != 1 else ''} of it are too few: "
        line += f"add a row like {row} with a third of its learning rate"
        return Check(cause=RATE, verdict=CauseVerdict.UNKNOWN, line=line, figures=figures)
    high = dose >= median(recipe.dose for recipe in compared)
    points = trend <= -_TREND and high
    among = f"{len(compared)} recipes of {row if compared is alike else 'all rows'}"
    line = f"{told}; rank correlation of learning rate x steps with the gain {trend:+.2f} over {among}"
    if trend <= -_TREND and not high:
        line += ", but this row is in the lower half"
    return Check(
        cause=RATE, verdict=CauseVerdict.POINTS if points else CauseVerdict.AGAINST, line=line, figures=figures
    )


def _recipes(suspects: Suspects, column: str) -> list[_Recipe]:
    """Every done recipe of every row on the target, proposals of searched rows each by itself."""
    results = suspects.results
    scores = replicate_scores(results.frame, "report").set_index("replicate_id")
    base = suspects.side(NONE_ROW, column).mean
    found: dict[tuple[str, int | None], list[float]] = {}
    doses: dict[tuple[str, int | None], float] = {}
    for replicate in results.record.replicates:
        name = replicate.replicate_id
        if replicate.column != column or not replicate.intermediate_stage or scores["state"][name] != State.DONE:
            continue
        key = (replicate.row, replicate.proposal)
        found.setdefault(key, []).append(float(scores["score"][name]))
        if key not in doses and (config := suspects.config(replicate.intermediate_stage)):
            doses[key] = config["learning_rate"] * config["steps"]
    return [_Recipe(row=key[0], dose=doses[key], gain=fmean(found[key]) - base) for key in doses]


def _configs(suspects: Suspects, row: str, column: str) -> dict[str, Mapping[str, float]]:
    first = suspects.cells[row, column][0]
    stages = {"intermediate": first.intermediate_stage, "target": first.target_stage}
    found = {name: suspects.config(stage) for name, stage in stages.items() if stage}
    return {name: config for name, config in found.items() if config}


def _told(configs: Mapping[str, Mapping[str, float]]) -> tuple[str, float | None]:
    """The two stages' learning rates and steps in words, and the ratio of their products (None without a target's)."""
    words = {name: f"{config['learning_rate']:.2g} x {config['steps']:.0f} steps" for name, config in configs.items()}
    if "intermediate" not in configs:
        return "the intermediate's settings are not known", None
    if "target" not in configs:
        return f"intermediate {words['intermediate']}, no fine-tuning on the target", None
    product = {name: config["learning_rate"] * config["steps"] for name, config in configs.items()}
    ratio = product["intermediate"] / product["target"]
    return f"intermediate {words['intermediate']}, target {words['target']}: ratio {ratio:.2g}", ratio
