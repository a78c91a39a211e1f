"""Effects that the shipped studies ask for, built into simulated scores: found where they are, not where they are not.

An effect on agglutinative languages alone is in ``test_claims.py``, one of domains in ``test_factors.py``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from stilts.analysis.claims import Standing
from stilts.analysis.encoders import EncoderFigure, SizeEffect, size_effects
from stilts.metrics.resampling import Side
from stilts.metrics.uncertainty import gain_interval
from tests.analysis.fake_store import LANGUAGES
from tests.analysis.test_claims import FAMILY, Simulated, study, verdicts
from tests.analysis.test_lens import XTREME

# Whether an intermediate in a family's own language serves the family, and whether an intermediate harms.
OWN_FAMILY = {"name": "own", "gain": {"row": "squad", "over": "mnli", "languages": ["family:Dravidian"]}, "above": 0}
HARMS = {"name": "harms", "gain": {"row": "mnli"}, "below": 0}
IN_FAMILY = np.array([FAMILY[code] == "Dravidian" for code in XTREME], float)
WEIGHTS = {"base": 278_000_000, "large": 560_000_000, "xl": 3_500_000_000, "xxl": 10_700_000_000}
DROP, STRESSES = "drop under keyboard 0.3", ("xnli", "panx")


def for_the_family(made: Simulated, more: float) -> Simulated:
    """The study whose row squad gains so much more in the languages of one family."""
    for sides in made.by_column.values():
        for values in (sides["squad"].scores.T, sides["squad"].draws.transpose(1, 2, 0)):
            values += more * IN_FAMILY.reshape(-1, *(1,) * (values.ndim - 1))
    return made


def own_family(seed: int, effect: float) -> Simulated:
    return for_the_family(study(seed, [OWN_FAMILY], family_sd=0.0), effect)


def harmful(seed: int, effect: float) -> Simulated:
    return study(seed, [HARMS], gain={"mnli": -effect})


@pytest.mark.parametrize("made", [own_family, harmful], ids=lambda one: one.__name__)
def test_a_claim_about_it_is_decided_where_it_is_there_and_hardly_elsewhere(made: Any) -> None:
    nulls = [verdicts(made(seed, 0.0))[0] for seed in range(200)]
    assert sum(one.standing is not Standing.UNDECIDED for one in nulls) <= 18

    effect = 1.5 * float(np.median([one.smallest_visible for one in nulls if one.smallest_visible is not None]))
    found = [verdicts(made(seed, effect))[0].standing for seed in range(300, 400)]
    assert found.count(Standing.SUPPORTED) >= 80 and Standing.NOT_SUPPORTED not in found


def drops(seed: int, per_tenfold: float) -> tuple[SizeEffect, ...]:
    """What stress costs encoders of four sizes on two targets: ten points, so much less per tenfold weights."""
    stream = np.random.default_rng(seed)
    figures = []
    for name, weights in WEIGHTS.items():
        for column in STRESSES:
            drop = 10.0 - per_tenfold * (np.log10(weights) - 9.0)
            luck = stream.normal(0.0, 0.6, (3, 1))
            clean, stressed = (side(60.0 - lost + luck, stream) for lost in (0.0, drop))
            value = gain_interval(clean, stressed)
            figures.append(
                EncoderFigure(
                    study=name, encoder=name, weights=weights, what=DROP, row="none", column=column, value=value
                )
            )
    return size_effects(figures)


def side(means: Any, stream: np.random.Generator) -> Side:
    scores = means + stream.normal(0.0, 0.6, (3, len(LANGUAGES)))
    draws = scores[:, :, None] + stream.normal(0.0, 0.5, (1, len(LANGUAGES), 60))
    return Side(intermediate_seeds=(None,) * 3, target_seeds=(0, 1, 2), languages=LANGUAGES, scores=scores, draws=draws)


def test_a_drop_that_falls_with_size_is_found_and_one_that_does_not_is_not() -> None:
    nulls = [drops(seed, 0.0) for seed in range(200)]
    assert sum(any(one.clear for one in found) for found in nulls) <= 18

    effect = 1.5 * float(np.median([found[0].smallest_visible for found in nulls]))
    found = [drops(seed, effect)[0] for seed in range(300, 400)]
    assert sum(one.clear and one.slope.estimate < 0 for one in found) >= 80


def test_the_family_that_is_built_in_is_spoken() -> None:
    assert 2 <= IN_FAMILY.sum() < len(XTREME)
