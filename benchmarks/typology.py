"""Prints the lines of ``stilts/tasks/typology.txt``: how far each language of the table is from English in URIEL.

    python3.11 -m venv /tmp/uriel && /tmp/uriel/bin/pip install urielplus==1.3.2
    PYTHONPATH=. /tmp/uriel/bin/python benchmarks/typology.py [--pairs]

With ``--pairs`` those of ``stilts/tasks/distances.txt``: the syntactic distance of each language from each before it.

urielplus writes into its own package folder, so give it an environment of its own. It answers from the data that it
brings; nothing is downloaded. Each figure is urielplus's angular distance (2 / pi times the angle between the feature
vectors, over features known for both languages), followed by the number of those features. URIEL knows some languages
better under the code of their macrolanguage (Quechua, Malay, Latvian); of the two, the one with more features counts.
"""

from __future__ import annotations

import contextlib
import io
import logging
import sys
from pathlib import Path
from typing import Any

from stilts.tasks.listed import listed_in

KINDS = {"syntactic": "S_", "phonological": "P_", "inventory": "INV_"}
ENGLISH = "eng"
TABLE = Path(__file__).parents[1] / "stilts" / "tasks" / "languages.txt"
# A distance over fewer features says more of what happens to be known than of the language.
MIN_FEATURES = 20
# ISO 639-3 macrolanguages of the table's languages.
MACROLANGUAGES = dict(
    pair.split(":")
    for pair in (
        "als:sqi arb:ara ayr:aym azj:aze bos:hbs cmn:zho ekk:est gaz:orm gug:grn hrv:hbs khk:mon kmr:kur lvs:lav "
        "nob:nor npi:nep ory:ori pbu:pus pes:fas plt:mlg quz:que srp:hbs swh:swa twi:aka uzn:uzb ydd:yid zsm:msa"
    ).split()
)


def main() -> None:
    """Prints one line per language: code, then distance and number of features for each of ``KINDS``."""
    uriel = _uriel()
    if "--pairs" in sys.argv[1:]:
        return print_pairs(uriel)
    for line in listed_in(TABLE):
        code, _, iso639_3 = line.split()[:3]
        print(" ".join([f"{code:3}", *(_figure(uriel, iso639_3, kind) for kind in KINDS)]))


def print_pairs(uriel: Any) -> None:
    """Prints one line per language: code, then its distance in thousandths from each language before it."""
    kind, before = "syntactic", []
    for line in listed_in(TABLE):
        code, _, iso639_3 = line.split()[:3]
        codes = dict.fromkeys([iso639_3, MACROLANGUAGES.get(iso639_3, iso639_3)])
        best = max(codes, key=lambda one: len(_known(uriel, one, kind)))
        own = _known(uriel, best, kind)
        figures = [
            f"{1000 * float(uriel.new_distance(kind, best, other)):.0f}" if len(own & known) >= MIN_FEATURES else "-"
            for other, known in before
        ]
        print(f"{code}:{','.join(figures)}", flush=True)
        before.append((best, own))


def _uriel() -> Any:
    from urielplus import urielplus  # type: ignore[import-not-found]

    logging.disable(logging.CRITICAL)
    with contextlib.redirect_stdout(io.StringIO()):
        found = urielplus.URIELPlus()
        found.set_cache(False)
    return found


def _figure(uriel: Any, iso639_3: str, kind: str) -> str:
    """``0.358/76``: the distance and its number of features, or ``-/12`` where these are too few."""
    english = _known(uriel, ENGLISH, kind)
    codes = [iso639_3, MACROLANGUAGES.get(iso639_3, iso639_3)]
    best = max(codes, key=lambda code: len(_known(uriel, code, kind) & english))
    shared = len(_known(uriel, best, kind) & english)
    if shared < MIN_FEATURES:
        return f"{'-':>5}/{shared:<3}"
    return f"{float(uriel.new_distance(kind, ENGLISH, best)):.3f}/{shared:<3}"


def _known(uriel: Any, iso639_3: str, kind: str) -> set[str]:
    """The features of that kind for which any source knows the language's value."""
    languages = list(uriel.get_typological_languages_array())
    if iso639_3 not in languages:
        return set()
    values = uriel.get_typological_data_array()[languages.index(iso639_3)]
    names = [str(name) for name in uriel.get_typological_features_array()]
    return {name for name, row in zip(names, values, strict=True) if name.startswith(KINDS[kind]) and (row >= 0).any()}


if __name__ == "__main__":
    main()
