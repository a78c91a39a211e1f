"""Language: what is known of every language of the catalogue, and of the toy ones.

``languages.txt`` says what each field means and where it comes from, ``typology.txt`` holds the distances. What is not
known, or not agreed on, is None.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from stilts.errors import UnknownNameError
from stilts.tasks.listed import listed_in
from stilts.tasks.toy import TOY_LANGUAGES

TOY_FAMILY = "toy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """A language; ``languages.txt`` says what each field means and where it comes from.

    ``distance`` is the syntactic distance from English, 0 to 1; ``distance_phonological`` and ``distance_inventory``
    are of sounds. ``resource`` is 0 to 5, most last. ``cc100_gib`` is in GiB.
    """

    code: str
    name: str
    script: str
    family: str
    iso639_3: str | None = None
    genus: str | None = None
    morphology: str | None = None
    resource: int | None = None
    cc100_gib: float | None = None
    distance: float | None = None
    distance_phonological: float | None = None
    distance_inventory: float | None = None

    @property
    def is_toy(self) -> bool:
        """Whether it is one of the artificial languages."""
        return self.family == TOY_FAMILY


def _table() -> Mapping[str, Language]:
    distances = _distances()
    real = [_language(line.split(), distances) for line in _lines("languages.txt")]
    found = {each.code: each for each in real}
    toys = {
        code: Language(code=code, name=f"toy language {code}", script="Zyyy", family=TOY_FAMILY)
        for code in TOY_LANGUAGES
        if code not in found
    }
    return found | toys


def _lines(name: str) -> tuple[str, ...]:
    return listed_in(Path(__file__).with_name(name))


def _distances() -> Mapping[str, tuple[float | None, ...]]:
    """Language code -> syntactic, phonological and inventory distance from English; None where too little is known."""
    lines = (line.split() for line in _lines("typology.txt"))
    return {code: tuple(_distance(figure) for figure in figures) for code, *figures in lines}


def _distance(figure: str) -> float | None:
    value = figure.partition("/")[0]
    return None if value == "-" else float(value)


def _language(fields: list[str], distances: Mapping[str, tuple[float | None, ...]]) -> Language:
    words = [None if value == "-" else value.replace("_", " ") for value in fields]
    code, name, iso639_3, script, family, genus, morphology, resource, cc100 = words
    assert code and name and script and family  # The file is ours, and a test reads every line of it.
    syntactic, phonological, inventory = distances.get(code, (None, None, None))
    return Language(
        code=code,
        name=name,
        script=script,
        family=family,
        iso639_3=iso639_3,
        genus=genus,
        morphology=morphology,
        resource=None if resource is None else int(resource),
        cc100_gib=None if cc100 is None else float(cc100),
        distance=syntactic,
        distance_phonological=phonological,
        distance_inventory=inventory,
    )


LANGUAGES = _table()


def language(code: str) -> Language:
    """The language of that code; raises UnknownNameError with the closest one."""
    if code not in LANGUAGES:
        raise UnknownNameError("language", code, LANGUAGES)
    return LANGUAGES[code]


@cache
def _pairs() -> Mapping[frozenset[str], float]:
    """The syntactic distance of two languages, where enough is known of both."""
    lines = [line.partition(":") for line in _lines("distances.txt")]
    codes = [code for code, *_ in lines]
    return {
        frozenset((code, other)): int(figure) / 1000
        for code, _, figures in lines
        for other, figure in zip(codes, figures.split(","), strict=False)
        if figure not in ("", "-")
    }


def syntactic_distance(one: str, other: str) -> float | None:
    """How far two languages of the table are from each other, 0 to 1; None where too little is known of them."""
    return 0.0 if one == other else _pairs().get(frozenset((one, other)))
