"""Codes of languages: BCP 47 tags, and the base language that rules go by."""

from __future__ import annotations

import pytest

from stilts.errors import InputError
from stilts.tasks.language_codes import base_language, check_languages, known_language
from stilts.tasks.language_groups import group_of
from stilts.tasks.registry import default_registry


@pytest.mark.parametrize(
    ("code", "base"),
    [
        *(("zh", "zh"), ("zh-Hans", "zh"), ("zho", "zh"), ("cmn-Hans-CN", "zh"), ("zh-Hant-TW", "zh")),
        *(("de-AT", "de"), ("deu", "de"), ("swh", "sw"), ("arb", "ar"), ("pes", "fa"), ("iw", "he"), ("nb", "no")),
        *(
            ("fil", "tl"),
            ("tl", "tl"),
            ("EN", "en"),
            ("en-US", "en"),
            ("qaa", "qaa"),
            ("mul", "mul"),
            ("no tag!", "no tag!"),
        ),
    ],
)
def test_the_base_language_is_the_table_s_code(code: str, base: str) -> None:
    assert base_language(code) == base


def test_what_is_known_of_a_language_holds_for_its_tags_in_their_own_script() -> None:
    assert group_of("de-AT", "family") == group_of("de", "family") == "Indo-European"
    assert group_of("zh-Hant", "family") == group_of("zh", "family")
    latin = known_language("sr-Latn")
    assert latin is not None and (latin.script, latin.code) == ("Latn", "sr-Latn")
    assert known_language("tlh") is None and group_of("tlh", "family") == "not known"


@pytest.mark.parametrize(
    "code",
    [
        "en (US)",
        "sr:Latn",
        "pt+BR",
        "zh@Hant",
        "zh_Hans",
        "pt_XX",
        "eng_Latn",
        "english",
        "a" * 30,
        "x1",
        "a/b",
        "",
        "../de",
        "zz",
    ],
)
def test_what_is_no_tag_is_refused_by_name(code: str) -> None:
    with pytest.raises(InputError, match="it is no BCP 47 tag") as refused:
        check_languages("dataset", ["en", code])
    assert f'"{code[:60]}"' in str(refused.value)


def test_what_is_nearly_a_tag_is_told_how_to_write_it() -> None:
    with pytest.raises(InputError, match=r"Write 'zh-Hant'; what the files call it stands under codes"):
        check_languages("dataset", ["zh_Hant"])


@pytest.mark.parametrize("codes", [["en", "de", "de"], ["zh", "zho"], ["de", "deu"], ["he", "iw"]])
def test_a_language_stands_once(codes: list[str]) -> None:
    with pytest.raises(InputError, match="listed"):
        check_languages("dataset", codes)


def test_scripts_and_regions_of_one_language_are_several() -> None:
    check_languages("dataset", ["zh-Hans", "zh-Hant", "pt-BR", "pt-PT", "x-mine", "qaa"])


def test_the_catalogue_s_codes_are_tags() -> None:
    for dataset in default_registry().datasets():
        for split, codes in dataset.languages.items():
            check_languages(f"{dataset.name}/{split}", codes)
