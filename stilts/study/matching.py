"""Size matching: rows' training examples cut to one number, drawn by each recipe's seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from stilts.study.stage import MixturePart
from stilts.tasks.view import DataView

SMALLEST, UNMATCHED = "smallest", "none"


def even_limits(sizes: Sequence[int], total: int) -> list[int]:
    """How many examples of each are kept, ``total`` together: equal numbers, but for those that have fewer.

    What cannot be divided goes to the first. All of them where they are no more than ``total``.
    """
    found = [0] * len(sizes)
    left = total
    for count, place in enumerate(sorted(range(len(sizes)), key=lambda at: (sizes[at], -at))):
        found[place] = min(sizes[place], left // (len(sizes) - count))
        left -= found[place]
    return found


def cut(part: MixturePart, limits: Sequence[int], sizes: Sequence[int]) -> MixturePart:
    """The part with at most so many training examples of each view; views that are small enough stay as they are."""
    views = [
        view if limit >= size else replace(view, limit=limit, draw=0)
        for view, limit, size in zip(part.train, limits, sizes, strict=True)
    ]
    return replace(part, train=tuple(view for view in views if view.limit != 0))


def seeded(part: MixturePart, seed: int) -> MixturePart:
    """The part with what is drawn of its data (shuffled labels, which examples stay) drawn by a recipe's seed."""
    train = tuple(_seeded(view, seed) for view in part.train)
    return part if train == part.train else replace(part, train=train)


def _seeded(view: DataView, seed: int) -> DataView:
    shuffled, draw = (None if drawn is None else seed for drawn in (view.shuffled, view.draw))
    return view if (shuffled, draw) == (view.shuffled, view.draw) else replace(view, shuffled=shuffled, draw=draw)
