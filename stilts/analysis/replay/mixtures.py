"""What a mixture's composition, ``af:100;ar:5000``, says of each target before anything is trained."""

from __future__ import annotations

import numpy as np

from stilts.analysis.replay.world import FloatArray


def composition(mixture: str) -> dict[str, float]:
    """Examples by language (or task) of a mixture written ``name:examples;...``; {} where it is not written so."""
    parts = [part.rpartition(":") for part in mixture.split(";") if part.strip()]
    try:
        return {name.strip(): float(count) for name, _, count in parts if name.strip()}
    except ValueError:
        return {}


def composition_features(mixtures: tuple[str, ...], targets: tuple[str, ...]) -> FloatArray | None:
    """Features (mixtures, targets, 2): log10 of one plus the target's own examples, and of all others together."""
    parts = [composition(mixture) for mixture in mixtures]
    if not any(parts):
        return None
    own = np.array([[part.get(target, 0.0) for target in targets] for part in parts])
    total = np.array([sum(part.values()) for part in parts])[:, None]
    out: FloatArray = np.log10(1 + np.stack([own, np.maximum(total - own, 0.0)], axis=2))
    return out
