"""Codes of languages: BCP 47 tags as people write them, checked, and the base language that rules go by.

``zh-Hans``, ``zho`` and ``cmn-Hans-CN`` are Chinese for a metric's rules, for families and for typology; what stands in
a table is what was declared. The tags are read by langcodes: the IANA registry's subtags, and their old and long forms.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from stilts.errors import InputError
from stilts.tasks.languages import LANGUAGES, Language
from stilts.tasks.toy import MIXED

_TAG = re.compile(r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*")
# The longest tag that RFC 5646 asks software to take (section 4.4.1).
_LONGEST = 35
# What languages.txt calls otherwise than the registry: Tagalog, as XTREME does, and Norwegian, which is Bokmal there.
_OURS = {"fil": "tl", "nb": "no"}


@cache
def base_language(code: str) -> str:
    """The code without script and region, as ``languages.txt`` has it: ``zh`` of ``zho``, ``cmn`` or ``zh-Hans``.

    A code that is no tag is itself.
    """
    if code in LANGUAGES:
        return code
    from langcodes import standardize_tag

    if not _is_tag(code):
        return code
    base = str(standardize_tag(code.lower(), macro=True)).split("-")[0]
    return _OURS.get(base, base)


def known_language(code: str) -> Language | None:
    """What is known of the base language, in the script that the code names; None where it is not in the table."""
    found = LANGUAGES.get(base_language(code))
    if found is None or code in LANGUAGES:
        return found
    from langcodes import Language as Tag

    return replace(found, code=code, script=Tag.get(code).script or found.script)


def check_languages(where: str, codes: Sequence[str]) -> None:
    """Raises InputError, naming it, for a code that is no BCP 47 tag, and for a language that stands there twice."""
    seen: dict[str, str] = {}
    for code in codes:
        check_tag(where, code)
        standard = _standard(code)
        if standard in seen:
            raise _twice(where, code, seen[standard])
        seen[standard] = code


def check_tag(where: str, code: str) -> None:
    """Raises InputError, naming it, for a code that is no BCP 47 tag."""
    if not _is_tag(code):
        raise _no_tag(where, code)


def _is_tag(code: str) -> bool:
    if code in LANGUAGES or code == MIXED:
        return True
    from langcodes import tag_is_valid
    from langcodes.tag_parser import LanguageTagError

    try:
        return bool(_TAG.fullmatch(code)) and len(code) <= _LONGEST and bool(tag_is_valid(code))
    except LanguageTagError:
        return False


def _standard(code: str) -> str:
    if code in LANGUAGES or code == MIXED:
        return code
    from langcodes import standardize_tag

    return str(standardize_tag(code))


def _no_tag(where: str, code: str) -> InputError:
    near = re.sub(r"[^A-Za-z0-9]+", "-", code).strip("-")
    known = _standard(near) if _is_tag(near) else ""
    tag = known or "sw"
    return InputError(
        f'{where}, language "{code[:60]}"',
        "it is no BCP 47 tag, such as sw or zh-Hant",
        "Rules of metrics, families of languages and names of results go by the tag",
        f"Write {repr(known) if known else 'its tag'}; what the files call it stands under codes "
        f"({{{tag}: {code[:60]!r}}}), for {{code}} in their paths",
    )


def _twice(where: str, code: str, other: str) -> InputError:
    return InputError(
        f'{where}, language "{code}"',
        "it is listed twice" if code == other else f'it is the same as "{other}", which is listed too',
        "It would count twice in every mean",
        "Take one of the two out",
    )
