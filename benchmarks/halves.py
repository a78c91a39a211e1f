"""Halves of a recorded matrix: on one settings are chosen, on the other they are judged."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from stilts.analysis.replay.world import BoolArray, World


def half(world: World, *, guided: bool) -> World:
    """The sources and targets of one half, by a hash of their names; no source or target is in both."""
    rows, columns = _first(world.sources, "s"), _first(world.targets, "t")
    return _part(world, rows == guided, columns == guided)


def subset(world: World, num_sources: int, number: int) -> World:
    """A random subset of the sources, all of them where there are no more."""
    kept = np.zeros(len(world.sources), np.bool_)
    kept[np.random.default_rng([77, number]).permutation(len(kept))[:num_sources]] = True
    return _part(world, kept, np.ones(len(world.targets), np.bool_))


def _first(names: Sequence[str], salt: str) -> BoolArray:
    return np.array([int(hashlib.sha256((salt + name).encode()).hexdigest(), 16) % 2 == 0 for name in names])


def _part(world: World, rows: BoolArray, columns: BoolArray) -> World:
    place = np.ix_(rows, columns)
    return replace(
        world,
        sources=tuple(np.array(world.sources, object)[rows]),
        targets=tuple(np.array(world.targets, object)[columns]),
        scores=world.scores[place],
        cell_cost=world.cell_cost[place],
        features=None if world.features is None else world.features[place],
        look=None if world.look is None else world.look[place],
    )
