"""Language: English name, script and family of every language of the catalogue, and of the toy ones.

Families are the top-level ones of Glottolog and, for Indo-European, the branch; scripts are ISO 15924 codes. A creole
is listed under the language that most of its words come from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stilts.errors import UnknownNameError
from stilts.tasks.toy import TOY_LANGUAGES


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """A language: BCP-47 code, English name, ISO 15924 script, family."""

    code: str
    name: str
    script: str
    family: str


# One line per language: code, name, script, family.
_TABLE = """
af Afrikaans Latn Germanic
am Amharic Ethi Afro-Asiatic
ar Arabic Arab Afro-Asiatic
az Azerbaijani Latn Turkic
bg Bulgarian Cyrl Slavic
bn Bengali Beng Indo-Aryan
de German Latn Germanic
el Greek Grek Hellenic
en English Latn Germanic
es Spanish Latn Romance
et Estonian Latn Uralic
eu Basque Latn Basque
fa Persian Arab Iranian
fi Finnish Latn Uralic
fr French Latn Romance
gu Gujarati Gujr Indo-Aryan
he Hebrew Hebr Afro-Asiatic
hi Hindi Deva Indo-Aryan
ht Haitian_Creole Latn Romance
hu Hungarian Latn Uralic
id Indonesian Latn Austronesian
it Italian Latn Romance
ja Japanese Jpan Japonic
jv Javanese Latn Austronesian
ka Georgian Geor Kartvelian
kk Kazakh Cyrl Turkic
ko Korean Kore Koreanic
lt Lithuanian Latn Baltic
ml Malayalam Mlym Dravidian
mr Marathi Deva Indo-Aryan
ms Malay Latn Austronesian
my Burmese Mymr Sino-Tibetan
nl Dutch Latn Germanic
pa Punjabi Guru Indo-Aryan
pl Polish Latn Slavic
pt Portuguese Latn Romance
qu Quechua Latn Quechuan
ro Romanian Latn Romance
ru Russian Cyrl Slavic
sw Swahili Latn Atlantic-Congo
ta Tamil Taml Dravidian
te Telugu Telu Dravidian
th Thai Thai Tai-Kadai
tl Tagalog Latn Austronesian
tr Turkish Latn Turkic
uk Ukrainian Cyrl Slavic
ur Urdu Arab Indo-Aryan
vi Vietnamese Latn Austroasiatic
wo Wolof Latn Atlantic-Congo
yo Yoruba Latn Atlantic-Congo
zh Chinese Hans Sino-Tibetan
"""


def _table() -> Mapping[str, Language]:
    rows = [line.split() for line in _TABLE.strip().splitlines()]
    real = {
        code: Language(code=code, name=name.replace("_", " "), script=script, family=family)
        for code, name, script, family in rows
    }
    toys = {
        code: Language(code=code, name=f"toy language {code}", script="Zyyy", family="toy")
        for code in TOY_LANGUAGES
        if code not in real
    }
    return real | toys


LANGUAGES = _table()


def language(code: str) -> Language:
    """The language of that code; raises UnknownNameError with the closest one."""
    if code not in LANGUAGES:
        raise UnknownNameError("language", code, LANGUAGES)
    return LANGUAGES[code]
