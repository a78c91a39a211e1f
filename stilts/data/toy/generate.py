"""Examples of a generator: which items make up a split, told in one language."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping

from stilts.data.toy.generators import GENERATORS, Draft
from stilts.errors import InputError, UnknownNameError
from stilts.fingerprint import Json
from stilts.seeds import derive_seed
from stilts.tasks.example import Example
from stilts.tasks.toy import MIXED, TOY_LANGUAGES, TOY_VERSION

# Of ten equal shares of all facts, by hash: which split holds which.
_SHARES: Mapping[str, frozenset[int]] = {
    "train": frozenset(range(6)),
    "dev": frozenset({6, 7}),
    "test": frozenset({8, 9}),
}
SPLITS = tuple(_SHARES)
OPTIONS = ("variant", "num_choices", "num_facts", "switch_frac", "unanswerable_frac", "role", "labels")


def generate(*, generator: str, split: str, language: str, size: int, options: Mapping[str, Json]) -> list[Example]:
    """The first ``size`` examples of a split, told in the language; item ``<generator>/<split>/<i>`` everywhere.

    The i-th item says the same in every language. No two splits share facts, whatever their options. ``options``:
    ``variant`` (text; another draw of items, as for two datasets of one generator), ``num_choices``, ``num_facts``,
    ``switch_frac``, ``unanswerable_frac``, ``role`` and ``labels`` (see ``generators``). UnknownNameError for an
    unknown generator, split, language or option.
    """
    _check(generator, split, language, size, options)
    drafts = zip(range(size), _drafts(generator, split, options), strict=False)
    return [draft.tell(f"{generator}/{split}/{i}", language) for i, draft in drafts]


def _drafts(generator: str, split: str, options: Mapping[str, Json]) -> Iterator[Draft]:
    """The items of the split in order, none with the facts of an earlier one."""
    variant = str(options.get("variant", ""))
    seen: set[str] = set()
    index = 0
    while True:
        rng = random.Random(derive_seed(TOY_VERSION, generator, variant, split, index))
        draft = GENERATORS[generator](rng, options)
        while draft.key in seen or derive_seed("share", draft.key) % 10 not in _SHARES[split]:
            draft = GENERATORS[generator](rng, options)
        seen.add(draft.key)
        index += 1
        yield draft


def _check(generator: str, split: str, language: str, size: int, options: Mapping[str, Json]) -> None:
    if generator not in GENERATORS:
        raise UnknownNameError("toy generator", generator, GENERATORS)
    if split not in _SHARES:
        raise UnknownNameError("toy split", split, SPLITS)
    if language not in (*TOY_LANGUAGES, MIXED):
        raise UnknownNameError("toy language", language, TOY_LANGUAGES)
    for name in options:
        if name not in OPTIONS:
            raise UnknownNameError("toy option", name, OPTIONS)
    if size < 0:
        raise InputError(f"toy split {split}", f"a size of {size}", next_step="Write a whole number, 0 or more")
