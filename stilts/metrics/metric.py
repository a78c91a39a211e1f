"""Metric: a score as a function of column sums over examples. Start here; the row makers lie beside.

Because every score is a function of sums, an evaluation stores one row of numbers per example, and any
resampling of examples is one matrix product (``uncertainty.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from stilts.errors import UnknownNameError

FloatArray: TypeAlias = NDArray[np.float64]
Number: TypeAlias = "float | FloatArray"
Sums: TypeAlias = Mapping[str, Number]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A named score in 0..100, higher is better, of column sums; arrays of sums give arrays of scores.

    ``columns`` names the sufficient statistics of one example in order; ``score`` and ``parts`` take a mapping from
    column to sum (all floats, or all arrays of one shape). Where nothing was counted (0/0) the score is 0. Data whose
    sum of ``counted`` is 0 have no score (``is_defined``); ``undefined`` says why, in words.
    ``parts`` gives further figures by name: percentages, or raw values where their name says so.
    """

    name: str
    columns: tuple[str, ...]
    score: Callable[[Sums], Number]
    parts: Callable[[Sums], dict[str, Number]]
    description: str
    counted: str = "total"
    undefined: str = "no example has a label"

    def is_defined(self, sums: Mapping[str, float]) -> bool:
        """Whether these data have a score at all: something to find in them, or gold values that vary.

        Where they have none, whatever a model says would score the same, and a 0 would stand for nothing.
        """
        if self.name == "pearson":
            return sums["total"] * sums["xx"] - sums["x"] ** 2 > 1e-12 * sums["total"] * sums["xx"]
        return sums[self.counted] > 0

    def example_scores(self, rows: FloatArray) -> FloatArray:
        """The score (0 to 100) of each example taken alone, shape (examples,), of rows (examples, columns).

        So a tagged sentence has its own share of right words, or its own F1 of spans, and a question the mean of its
        exact match and token F1. Where nothing was asked and nothing answered (a sentence without spans in which none
        was predicted) it is 100: all of it is right. Means of these are no benchmark scores where ``score`` is a
        ratio of sums; they serve paired tests between models on the same examples.
        """
        alone = np.asarray(self.score({name: rows[:, i] for i, name in enumerate(self.columns)}), np.float64)
        return np.where(rows.any(axis=1), alone, 100.0)


def metric(name: str) -> Metric:
    """The metric of that name; UnknownNameError, naming a close one, if there is none."""
    if name not in METRICS:
        raise UnknownNameError("metric", name, METRICS)
    return METRICS[name]


def _ratio(numerator: Number, denominator: Number) -> Number:
    """numerator / denominator, 0 where the denominator is 0; floats stay floats."""
    top, bottom = np.asarray(numerator, np.float64), np.asarray(denominator, np.float64)
    result = np.divide(top, bottom, out=np.zeros(np.broadcast(top, bottom).shape), where=bottom != 0)
    return result if result.ndim else float(result)


def _accuracy(sums: Sums) -> Number:
    return 100.0 * _ratio(sums["correct"], sums["total"])


def _accuracy_parts(sums: Sums) -> dict[str, Number]:
    return {"accuracy": _accuracy(sums)}


def _span_f1(sums: Sums) -> Number:
    # 2PR / (P + R) with P = tp/predicted and R = tp/gold, in one fraction.
    return 100.0 * _ratio(2.0 * sums["tp"], sums["predicted"] + sums["gold"])


def _span_parts(sums: Sums) -> dict[str, Number]:
    return {
        "f1": _span_f1(sums),
        "precision": 100.0 * _ratio(sums["tp"], sums["predicted"]),
        "recall": 100.0 * _ratio(sums["tp"], sums["gold"]),
    }


def _squad(sums: Sums) -> Number:
    return 50.0 * _ratio(sums["em"] + sums["f1"], sums["total"])


def _squad_parts(sums: Sums) -> dict[str, Number]:
    return {name: 100.0 * _ratio(sums[name], sums["total"]) for name in ("f1", "em")}


def _squad_v2_parts(sums: Sums) -> dict[str, Number]:
    none = sums["total"] - sums["has"]
    found: dict[str, Number] = {}
    for name in ("f1", "em"):
        found[f"has_ans_{name}"] = 100.0 * _ratio(sums[f"has_{name}"], sums["has"])
        found[f"no_ans_{name}"] = 100.0 * _ratio(sums[name] - sums[f"has_{name}"], none)
    return {**_squad_parts(sums), **found}


def _mean_of(column: str) -> Callable[[Sums], Number]:
    """The mean of a column over ``total``, in percent."""
    return lambda sums: 100.0 * _ratio(sums[column], sums["total"])


def _parts_of(name: str, column: str) -> Callable[[Sums], dict[str, Number]]:
    return lambda sums: {name: _mean_of(column)(sums)}


def _masked_parts(sums: Sums) -> dict[str, Number]:
    return {"accuracy": _accuracy(sums), "nll_nats": _ratio(sums["nll"], sums["total"])}


def _correlation(sums: Sums, prefix: str) -> Number:
    """Pearson's coefficient, -100..100, of the columns with the prefix; 0 where one side does not vary."""
    n, x, y = sums["total"], sums[f"{prefix}x"], sums[f"{prefix}y"]
    xx, yy = n * sums[f"{prefix}xx"], n * sums[f"{prefix}yy"]
    # What is left of a constant by subtraction is rounding: 1e-12 of what was subtracted from.
    spread_x = np.where(xx - x * x > 1e-12 * xx, xx - x * x, 0.0)
    spread_y = np.where(yy - y * y > 1e-12 * yy, yy - y * y, 0.0)
    return 100.0 * _ratio(n * sums[f"{prefix}xy"] - x * y, np.sqrt(spread_x * spread_y))


def _pearson(sums: Sums) -> Number:
    clipped = np.clip(_correlation(sums, ""), 0.0, 100.0)
    return clipped if clipped.ndim else float(clipped)


def _pearson_parts(sums: Sums) -> dict[str, Number]:
    return {"pearson": _correlation(sums, ""), "spearman": _correlation(sums, "r")}


def _r_precision_parts(sums: Sums) -> dict[str, Number]:
    f1 = _span_parts(sums)
    return {
        "r_precision": _mean_of("r_precision")(sums),
        **{f"micro_{name}": value for name, value in f1.items()},
    }


_NO_SPAN = "no gold span in its data"


def _scheme_f1(name: str) -> Metric:
    return Metric(
        name=f"span_f1_{name.lower()}",
        columns=("tp", "predicted", "gold"),
        score=_span_f1,
        parts=_span_parts,
        counted="gold",
        undefined=_NO_SPAN,
        description=f"Micro F1 of entity spans in the scheme {name}, read strictly (seqeval 1.2.2)",
    )


_ALL = (
    Metric(
        name="accuracy",
        columns=("correct", "total"),
        score=_accuracy,
        parts=_accuracy_parts,
        description="Share of right labels, over examples or, in tagging, over words (XTREME, Hu et al. 2020)",
    ),
    Metric(
        name="span_f1",
        columns=("tp", "predicted", "gold"),
        score=_span_f1,
        parts=_span_parts,
        counted="gold",
        undefined=_NO_SPAN,
        description="Micro F1 of entity spans as conlleval counts them (Tjong Kim Sang and De Meulder 2003)",
    ),
    Metric(
        name="squad",
        columns=("em", "f1", "total"),
        score=_squad,
        parts=_squad_parts,
        description="Mean of exact match and token F1 (Rajpurkar et al. 2016), averaged as XTREME's QA score",
    ),
    Metric(
        name="mlqa",
        columns=("em", "f1", "total"),
        score=_squad,
        parts=_squad_parts,
        description="As squad, with answers normalised as MLQA's own scorer does, by language (Lewis et al. 2020)",
    ),
    Metric(
        name="squad_v2",
        columns=("em", "f1", "total", "has_em", "has_f1", "has"),
        score=_squad,
        parts=_squad_v2_parts,
        description="Mean of exact match and token F1 where questions may have no answer (Rajpurkar et al. 2018)",
    ),
    Metric(
        name="retrieval_accuracy",
        columns=("correct", "total"),
        score=_accuracy,
        parts=_accuracy_parts,
        description="Share of queries whose nearest candidate is the right one (Artetxe and Schwenk 2019)",
    ),
    Metric(
        name="chunk_f1",
        columns=("tp", "predicted", "gold"),
        score=_span_f1,
        parts=_span_parts,
        counted="gold",
        undefined=_NO_SPAN,
        description="Micro F1 of runs of tags as XTREME counts them for UD-POS (seqeval 0.0.12; Hu et al. 2020)",
    ),
    Metric(
        name="pair_f1",
        columns=("tp", "predicted", "gold"),
        score=_span_f1,
        parts=_span_parts,
        counted="gold",
        undefined="no pair is to be mined in its data",
        description="F1 of mined sentence pairs (BUCC 2018; Zweigenbaum et al. 2018)",
    ),
    Metric(
        name="reciprocal_rank_at_20",
        columns=("reciprocal", "total"),
        score=_mean_of("reciprocal"),
        parts=_parts_of("map@20", "reciprocal"),
        description="Mean of 1 / rank of the right entity, 0 beyond 20: map@20 of Mewsli-X (Ruder et al. 2021)",
    ),
    Metric(
        name="map_at_20",
        columns=("precision", "total"),
        score=_mean_of("precision"),
        parts=_parts_of("map@20", "precision"),
        description="Mean average precision within the first 20 of the pool, LAReQA in XTREME-R (Ruder et al. 2021)",
    ),
    Metric(
        name="pearson",
        columns=("total", "x", "y", "xx", "yy", "xy", "rx", "ry", "rxx", "ryy", "rxy"),
        score=_pearson,
        parts=_pearson_parts,
        undefined="its gold values are all the same",
        description="Pearson's correlation x 100, below 0 counted as 0 (STS-B in GLUE, Wang et al. 2018); parts keep "
        "the sign, and Spearman's has the ranks of all examples scored together",
    ),
    Metric(
        name="r_precision",
        columns=("r_precision", "total", "tp", "predicted", "gold"),
        score=_mean_of("r_precision"),
        parts=_r_precision_parts,
        description="Mean over examples of the precision of as many labels as are right (mRP of MultiEURLEX, Chalkidis "
        "et al. 2021)",
    ),
    Metric(
        name="masked_accuracy",
        columns=("correct", "total", "nll"),
        score=_accuracy,
        parts=_masked_parts,
        description="Share of masked tokens guessed right; nll_nats is the mean loss per token (Devlin et al. 2019)",
    ),
)

# Those of ``schemes.py``, whose rows these metrics score.
SPAN_SCHEMES = ("IOB1", "IOB2", "IOE1", "IOE2", "BIOES", "BILOU")
METRICS: Mapping[str, Metric] = {item.name: item for item in (*_ALL, *map(_scheme_f1, SPAN_SCHEMES))}
