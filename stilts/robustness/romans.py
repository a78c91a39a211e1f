"""Transliteration: words of other scripts in Latin letters, by the names that Unicode gives letters and by tables.

A rough romanisation, as people type where they lack a keyboard: no standard, and not meant to be read back.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from stilts.robustness.lots import Lot
from stilts.robustness.segments import script_of

_TABLES = dict(
    pair.split(":")
    for pair in (
        "а:a б:b в:v г:g д:d е:e ё:yo ж:zh з:z и:i й:y к:k л:l м:m н:n о:o п:p р:r с:s т:t у:u ф:f х:kh ц:ts ч:ch ш:sh "
        "щ:shch ъ: ы:y ь: э:e ю:yu я:ya і:i ї:yi є:ye ґ:g ә:a ғ:gh қ:q ң:ng ө:o ұ:u ү:u һ:h ј:j љ:lj њ:nj ћ:c ђ:dj "
        "џ:dz ѓ:gj ќ:kj ѕ:dz "
        "α:a β:v γ:g δ:d ε:e ζ:z η:i θ:th ι:i κ:k λ:l μ:m ν:n ξ:x ο:o π:p ρ:r σ:s ς:s τ:t υ:y φ:f χ:ch ψ:ps ω:o "
        "א:a ב:b ג:g ד:d ה:h ו:v ז:z ח:ch ט:t י:y כ:k ך:k ל:l מ:m ם:m נ:n ן:n ס:s ע:a פ:p ף:f צ:ts ץ:ts ק:k ר:r ש:sh "
        "ת:t ا:a أ:a إ:i آ:a ب:b ت:t ث:th ج:j ح:h خ:kh د:d ذ:dh ر:r ز:z س:s ش:sh ص:s ض:d ط:t ظ:z ع:a غ:gh ف:f ق:q ك:k "
        "ک:k ل:l م:m ن:n ه:h ہ:h ھ:h و:w ي:y ی:y ى:a ة:a ء: ئ:y ؤ:w پ:p چ:ch ژ:zh گ:g ٹ:t ڈ:d ڑ:r ں:n ے:e "
        "ა:a ბ:b გ:g დ:d ე:e ვ:v ზ:z თ:t ი:i კ:k ლ:l მ:m ნ:n ო:o პ:p ჟ:zh რ:r ს:s ტ:t უ:u ფ:p ქ:k ღ:gh ყ:q შ:sh ჩ:ch "
        "ც:ts ძ:dz წ:ts ჭ:ch ხ:kh ჯ:j ჰ:h "
        "ա:a բ:b գ:g դ:d ե:e զ:z է:e ը:y թ:t ժ:zh ի:i լ:l խ:kh ծ:ts կ:k հ:h ձ:dz ղ:gh ճ:ch մ:m յ:y ն:n շ:sh ո:o չ:ch "
        "պ:p ջ:j ռ:r ս:s վ:v տ:t ր:r ց:ts ւ:u փ:p ք:k օ:o ֆ:f և:ev"
    ).split()
)
# Sounds of Hangul's initial consonants, vowels and final consonants, in the order of the syllables.
_INITIAL = "g,kk,n,d,tt,r,m,b,pp,s,ss,,j,jj,ch,k,t,p,h".split(",")
_VOWEL = "a,ae,ya,yae,eo,e,yeo,ye,o,wa,wae,oe,yo,u,wo,we,wi,yu,eu,ui,i".split(",")
_FINAL = ",k,k,k,n,n,n,t,l,k,m,l,l,l,p,l,m,p,p,t,t,ng,t,t,k,t,p,t".split(",")
_CONSONANT = re.compile(r"^[^AEIOU]+")
# Scripts whose consonants carry an a, unless a vowel sign or a virama follows.
_WITH_A = frozenset("Deva Beng Guru Gujr Orya Taml Telu Knda Mlym Sinh Mymr Khmr".split())
_VIRAMA = 9


def transliteration(word: str, language: str, draw: Lot) -> str:
    """The word in Latin letters; Han characters, and what is Latin already, stay."""
    found: list[str] = []
    for at, char in enumerate(word):
        said = _said(char)
        script, after = script_of(char), word[at + 1 : at + 2]
        if said is not None and script in _WITH_A and unicodedata.category(char) == "Lo" and _is_bare(said, after):
            said += "a"
        found.append(char if said is None else said.title() if char.isupper() else said)
    out = "".join(found)
    return out or word


def _is_bare(said: str, after: str) -> bool:
    """Whether a consonant's own a is heard: no vowel sign and no virama follows."""
    vowels = bool(after) and unicodedata.category(after) in ("Mn", "Mc") and script_of(after) != ""
    return not vowels and said[-1:] not in "aeiou"


@lru_cache(maxsize=8192)
def _said(char: str) -> str | None:
    """A letter's sound in Latin letters, "" for a mark without one; None for what is not transliterated."""
    if script_of(char) in ("", "Latn", "Hani"):
        return None
    small = char.lower()
    if small in _TABLES:
        return _TABLES[small]
    parted = unicodedata.normalize("NFD", small)
    if 0xAC00 <= ord(char) < 0xD7A4:
        rest, final = divmod(ord(char) - 0xAC00, len(_FINAL))
        initial, vowel = divmod(rest, len(_VOWEL))
        return _INITIAL[initial] + _VOWEL[vowel] + _FINAL[final]
    if len(parted) > 1 and script_of(char) not in ("Ethi", "Kana"):
        return "".join(_said(part) or "" for part in parted)
    return _by_name(char)


def _by_name(char: str) -> str:
    """The sound within a letter's name: ``DEVANAGARI LETTER KA``, ``ETHIOPIC SYLLABLE HU``."""
    name = unicodedata.name(char, "")
    script, kind = script_of(char), name.split(" ")
    if not name or unicodedata.combining(char) == _VIRAMA:
        return ""
    if script in ("Thai", "Laoo"):
        sound = kind[3] if kind[2:3] == ["SARA"] else kind[2] if len(kind) > 2 else ""
        if "SARA" in kind or (kind[0] == "LAO" and "VOWEL" in kind):
            return kind[-1].lower()
        return "" if unicodedata.category(char) == "Mn" else (_CONSONANT.match(sound) or [""])[0].lower()
    if script in ("Kana", "Ethi"):
        return "" if kind[-1] in ("TSU", "MARK") and "SMALL" in kind else kind[-1].lower()
    if "SIGN" in kind and "VOWEL" not in kind:
        return "n" if kind[-1] in ("ANUSVARA", "CANDRABINDU", "BINDI", "TIPPI") else ""
    sound = kind[-1].lower()
    return sound if "VOWEL" in kind or len(sound) < 2 or sound in ("aa", "ii", "uu", "ai", "au") else sound.rstrip("a")
