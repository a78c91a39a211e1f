"""The toy stand-in of a dataset of the catalogue."""

from __future__ import annotations

from stilts.fingerprint import Json
from stilts.tasks.task import ToyLayout

TOY_SIZES = {"train": 2000, "dev": 200, "test": 200}


def toy(generator: str, variant: str, **options: Json) -> ToyLayout:
    """A layout of the usual sizes; ``variant`` keeps two datasets of one generator apart."""
    return ToyLayout(generator=generator, sizes=TOY_SIZES, options={"variant": variant, **options})
