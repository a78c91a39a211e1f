"""Made-up matrices with fidelities of known structure, to try a policy's rules on before a recorded table sees them."""

from __future__ import annotations

import numpy as np

from stilts.analysis.replay.world import World

# Size of a cheap score's error, in spreads of the truth between sources, summed over all fidelities below the full one.
ERRORS = {"calm": 0.2, "uneven": 0.35, "rare": 0.3, "rows": 0.35, "tails": 0.3, "all": 0.35, "rough": 0.7, "far": 0.35}
_SOURCES, _TARGETS, _FIDELITIES = 40, 24, 5


def made_up(kind: str, number: int) -> World:
    """A world of 40 x 24 x 5 fidelities, each twice the price of the one below; a key of ``ERRORS`` says its trouble.

    ``uneven``: errors differ between targets; ``rare``: few cells are far better than their row and column say;
    ``rows``: much of the error is a source's own; ``tails``: errors of Student's distribution with 3 degrees of
    freedom; ``all``: these four; ``rough``: large errors; ``far``: two families, whose distance varies by target.
    """
    draw = np.random.default_rng([number, sum(map(ord, kind))])
    latent, taste = draw.normal(size=(_SOURCES, 3)), draw.normal(size=(3, _TARGETS)) / np.sqrt(3)
    shape = (_SOURCES, _TARGETS)
    truth = 0.8 * draw.normal(size=(_SOURCES, 1)) + 0.7 * latent @ taste + 0.4 * draw.normal(size=shape)
    if kind in ("rare", "all"):
        truth += (draw.random(shape) < 0.04) * draw.exponential(1.5, shape)
    if kind == "far":
        other = draw.integers(0, 2, (_SOURCES, 1)) != draw.integers(0, 2, (1, _TARGETS))
        truth -= other * np.exp(draw.normal(0.7, 0.7, _TARGETS))
    uneven = 0.8 if kind in ("uneven", "all") else 0.0
    size = ERRORS[kind] / np.sqrt(_FIDELITIES - 1) * np.exp(uneven * draw.normal(size=_TARGETS))
    error = np.zeros((*shape, _FIDELITIES))
    for k in range(_FIDELITIES - 2, -1, -1):
        own = draw.standard_t(3, shape) / np.sqrt(3) if kind in ("tails", "all") else draw.normal(size=shape)
        row = (0.8 if kind in ("rows", "all") else 0.4) * draw.normal(size=(_SOURCES, 1))
        error[:, :, k] = error[:, :, k + 1] + size * (row + 0.8 * own + 0.3 * draw.normal() * latent @ taste)
    below = _FIDELITIES - 1 - np.arange(_FIDELITIES)
    late = -0.3 * np.abs(draw.normal(size=(1, _TARGETS, 1))) * below
    level, spread = draw.uniform(40, 85, (_TARGETS, 1)), draw.uniform(3, 9, (_TARGETS, 1))
    scores = np.clip(level + spread * (truth[:, :, None] + error + late), 1.0, 99.9)
    return World(
        name=kind,
        sources=tuple(f"s{i:02}" for i in range(_SOURCES)),
        targets=tuple(f"t{i:02}" for i in range(_TARGETS)),
        fidelities=tuple(2.0**k for k in range(_FIDELITIES)),
        scores=scores[:, :, None, :],
        cell_cost=np.broadcast_to(0.5**below, scores.shape).copy(),
    )
