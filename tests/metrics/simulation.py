"""Studies with known truth: accuracies with seed effects, shared item difficulties."""

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from stilts.metrics.resampling import LanguageRows, ReplicateRows

BASE = 70.0


def shared_items(stream: np.random.Generator, num_items: int) -> np.ndarray:
    """The latent difficulty of each source item."""
    return stream.standard_normal(num_items)


def cell(
    stream: np.random.Generator,
    difficulty: np.ndarray,
    *,
    score: float,
    seeds: Sequence[tuple[int | None, int | None]],
    target_sd: float = 0.0,
    intermediate_sd: float = 0.0,
    num_languages: int = 5,
) -> list[ReplicateRows]:
    """Replicates whose expected accuracy over items and seeds is close to ``score``, seed effects in points."""
    shifts = {first: stream.normal(0, intermediate_sd) for first, _ in seeds}
    replicates = []
    for intermediate, target in seeds:
        level = (score + shifts[intermediate] + stream.normal(0, target_sd)) / 100
        threshold = NormalDist().inv_cdf(min(max(level, 0.01), 0.99)) * np.sqrt(2)
        languages = {}
        for number in range(num_languages):
            own = stream.standard_normal(len(difficulty))
            correct = (difficulty + own < threshold).astype(float)
            items = np.array([f"q{i}" for i in range(len(difficulty))])
            values = np.column_stack([correct, np.ones(len(difficulty))])
            languages[f"l{number}"] = LanguageRows(items=items, values=values)
        replicates.append(ReplicateRows(intermediate_seed=intermediate, target_seed=target, languages=languages))
    return replicates
