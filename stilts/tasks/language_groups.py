"""Groups of languages: by family, script, morphology, resources, or each by itself."""

from __future__ import annotations

from stilts.errors import UnknownNameError
from stilts.tasks.language_codes import known_language

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


def group_of(code: str, by: str) -> str:
    """The readable name of a language's group: ``"Turkic"``, ``"Cyrillic"``, ``"agglutinative"``, ``"class 3"``.

    ``by`` is one of ``GROUPINGS``; UnknownNameError else. Toy languages are all ``"toy"`` but for ``language``.
    Codes that the table does not hold, and fields that are None, are in the group ``"not known"``.
    """
    if by not in GROUPINGS:
        raise UnknownNameError("grouping", by, GROUPINGS)
    found = known_language(code)
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
