"""The toy stand-in of a dataset of the catalogue."""

from __future__ import annotations

from stilts.fingerprint import Json
from stilts.tasks.task import ToyLayout
from stilts.tasks.toy import TOY_PRETRAINING

TOY_SIZES = {"train": 6000, "dev": 200, "test": 300}


def toy(generator: str, variant: str, **options: Json) -> ToyLayout:
    """A layout of the usual sizes; ``variant`` keeps two datasets of one generator apart."""
    return ToyLayout(generator=generator, sizes=TOY_SIZES, options={"variant": variant, **options})


def toy_text(generator: str) -> ToyLayout:
    """The texts that the toy encoder is pretrained on."""
    return ToyLayout(
        generator=generator,
        sizes={"train": TOY_PRETRAINING.num_texts},
        options={"variant": generator, "switch_frac": TOY_PRETRAINING.switch_frac[generator]},
    )
