"""Language: what is known of every language of the catalogue, and of the toy ones; groups of languages for the lens.

The languages: XTREME's 40, XTREME-R's 50, XCOPA, Mewsli-X, MasakhaNER 1.0 and 2.0, AmericasNLI, MultiEURLEX and the
rest of CC-100. ``language_table.py`` holds the lines, ``typology.py`` the distances. What is not known, or not agreed
on, is None. Sources, by field:

* ``code``, ``name``: BCP-47 tag and English name (IANA language subtag registry). ``no`` is Bokmal, ``zh`` Mandarin in
  simplified characters, ``pa`` Eastern Punjabi, ``ku`` Kurmanji. ``nah``, Nahuatl, is a group: no one ISO 639-3 code.
* ``iso639_3``: the individual language meant, for joins; Ethnologue's choice of a standard variety for macrolanguages
  (``ar`` arb, ``fa`` pes, ``sw`` swh), Cusco for ``qu``, Mezquital for ``oto``.
* ``script``: ISO 15924, the script of the benchmarks' texts.
* ``family``: the top family of Glottolog (as urielplus 1.3.2 bundles it). Basque is an isolate, Esperanto
  ``constructed``. A creole stands with the language that most of its words come from, as in Glottolog.
* ``genus``: WALS (2020.4, github.com/cldf-datasets/wals). Latin and Esperanto are not in WALS.
* ``morphology``: how bound inflection is built, not how much of it there is: ``agglutinative``, ``fusional``,
  ``isolating``, and ``introflexive`` (roots and patterns, as in Semitic) as a fourth type of its own, as in Gerz et al.
  2018 (EMNLP, D18-1029). Polysynthesis says how many morphemes a word holds and not how they are joined: the
  polysynthetic languages here (Guarani, Nahuatl, Wixarika, Raramuri, Ashaninka) stand as ``agglutinative``. Assigned by
  hand from general descriptions and not copied from a database. None where descriptions disagree: Indonesian and
  Malay (isolating or agglutinative), Burmese, Bambara (the same), Armenian, Bengali, Assamese, Odia, Sinhala
  (agglutinating nouns, fusional verbs), Cushitic, Hausa and several languages of West Africa and of the Americas.
* ``resource``: classes 0 to 5 of Joshi et al. 2020 (ACL, 2020.acl-main.560), by name in their list. None: the name was
  not found in classes 1 to 5, and class 0 was not looked through, but for Wixarika.
* ``cc100_gib``: GiB of text in CC-100, what XLM-R was pretrained on (Conneau et al. 2020, arXiv 1911.02116, table 6).
  The two rows of Chinese are added, so are those of Burmese; romanised rows are left out. None: not in that table.
* ``distance`` and its kin: see ``typology.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stilts.errors import UnknownNameError
from stilts.tasks.language_table import TABLE
from stilts.tasks.toy import TOY_LANGUAGES
from stilts.tasks.typology import distances_from_english

GROUPINGS = ("language", "family", "script", "morphology", "resource")
NOT_KNOWN = "not known"

# English names of ISO 15924 codes; Hans and Jpan hold other scripts inside, and stay apart.
_SCRIPTS = dict(
    pair.split(":")
    for pair in (
        "Arab:Arabic Armn:Armenian Beng:Bengali Cyrl:Cyrillic Deva:Devanagari Ethi:Ethiopic Geor:Georgian Grek:Greek "
        "Gujr:Gujarati Guru:Gurmukhi Hans:Han Hebr:Hebrew Jpan:Japanese Khmr:Khmer Knda:Kannada Kore:Korean Laoo:Lao "
        "Latn:Latin Mlym:Malayalam Mymr:Myanmar Orya:Odia Sinh:Sinhala Taml:Tamil Telu:Telugu Thai:Thai"
    ).split()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """A language; the module's docstring says what each field means and where it comes from.

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
        return self.family == "toy"


def _table() -> Mapping[str, Language]:
    distances = distances_from_english()
    real = [_language(line.split(), distances) for line in TABLE.strip().splitlines()]
    found = {each.code: each for each in real}
    toys = {
        code: Language(code=code, name=f"toy language {code}", script="Zyyy", family="toy")
        for code in TOY_LANGUAGES
        if code not in found
    }
    return found | toys


def _language(fields: list[str], distances: Mapping[str, tuple[float | None, ...]]) -> Language:
    words = [None if value == "-" else value.replace("_", " ") for value in fields]
    code, name, iso639_3, script, family, genus, morphology, resource, cc100 = words
    assert code and name and script and family  # The table is ours, and a test reads every line of it.
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


def group_of(code: str, by: str) -> str:
    """The readable name of a language's group: ``"Turkic"``, ``"Cyrillic"``, ``"agglutinative"``, ``"class 3"``.

    ``by`` is one of ``GROUPINGS``; UnknownNameError else. Toy languages are all ``"toy"`` but for ``language``.
    Codes that the table does not hold, and fields that are None, are in the group ``"not known"``.
    """
    if by not in GROUPINGS:
        raise UnknownNameError("grouping", by, GROUPINGS)
    found = LANGUAGES.get(code)
    if by == "language":
        return found.name if found else code
    if found is None:
        return NOT_KNOWN
    if found.is_toy:
        return "toy"
    if by == "resource":
        return NOT_KNOWN if found.resource is None else f"class {found.resource}"
    if by == "script":
        return _SCRIPTS.get(found.script, found.script)
    return (found.family if by == "family" else found.morphology) or NOT_KNOWN
