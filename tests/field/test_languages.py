"""Languages as people declare them: files that are missing, paths for all, codes of every sort."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.field.brought import brought, counts, pair_lines, refused, split_files, taken, text_lines


@pytest.mark.parametrize("language", ["sw", "zh-Hant", "pt-BR", "quy"])
def test_a_declared_language_without_its_file_is_told(tmp_path: Path, language: str) -> None:
    study = brought(tmp_path, split_files(pair_lines), languages=("en", "de", language))
    refused(study, f'language "{language}"', f"test-{language}", "no such file", "Languages there: en, de")


@pytest.mark.parametrize("readable", ["sw", "zh-Hant"])
def test_it_may_be_left_out_on_purpose(tmp_path: Path, readable: str) -> None:
    study = brought(
        tmp_path, split_files(pair_lines), languages=("en", "de", readable), target={"languages": ["en", "de"]}
    )
    assert counts(taken(study)) == {"en": 12, "de": 12}


def test_a_file_that_the_language_is_called_otherwise_in_is_told(tmp_path: Path) -> None:
    """``codes`` says how; without the file of that name the path is in the message."""
    study = brought(
        tmp_path,
        split_files(pair_lines, ("en", "deu")),
        paths={"test": "test-{code}"},
        codes={"en": "en", "de": "ger"},
    )
    refused(study, "test-ger", 'language "de"')


def test_a_language_without_a_code_takes_its_own(tmp_path: Path) -> None:
    files = split_files(pair_lines, ("en", "deu", "sw"))
    study = brought(tmp_path, files, languages=("en", "de", "sw"), paths={"test": "test-{code}"}, codes={"de": "deu"})
    assert counts(taken(study)) == {"en": 12, "de": 12, "sw": 12}


@pytest.mark.parametrize("path", ["test-en", "test-{Lang}", "test-{language}", "test-{lng}", "{split}-{lang}", "{}"])
def test_a_path_that_tells_no_language_from_another_is_refused(tmp_path: Path, path: str) -> None:
    files = split_files(pair_lines)
    message = refused(brought(tmp_path, files, paths={"test": path}), f'"{path}"')
    assert "one file for 2 languages (en, de)" in message if "{" not in path else "stands for nothing" in message


def test_a_path_for_one_language_needs_no_placeholder(tmp_path: Path) -> None:
    study = brought(
        tmp_path, split_files(pair_lines), languages=("de",), paths={"train": "train-en", "test": "test-de"}
    )
    assert counts(taken(study)) == {"de": 12}


def test_every_one_of_several_paths_tells_the_language(tmp_path: Path) -> None:
    study = brought(tmp_path, split_files(pair_lines), paths={"test": "test-{lang} | test-en"})
    refused(study, 'path "test-en"', "one file for 2 languages")


@pytest.mark.parametrize(
    "code", ["zh-Hant", "sr-Latn", "pt-BR", "pt-br", "zh-hans", "de-AT", "en-US", "cmn", "iw", "fil"]
)
def test_bcp_47_tags_are_languages(tmp_path: Path, code: str) -> None:
    study = brought(tmp_path, split_files(pair_lines, ("en", code)), languages=("en", code))
    assert counts(taken(study)) == {"en": 12, code: 12}


@pytest.mark.parametrize(
    ("code", "better"),
    [
        ("zh_CN", "zh-CN"),
        ("pt_BR", "pt-BR"),
        ("eng_Latn", "eng_Latn"),
        ("zh@Hant", "zh-Hant"),
        ("en (US)", "en-US"),
        ("sr:Latn", "sr-Latn"),
        ("pt+BR", "pt-BR"),
        ("English", "English"),
        ("Deutsch", "Deutsch"),
        ("en/us", "en-US"),
        (" de", "de"),
        ("xx-yy-zz", "xx-yy-zz"),
        ("a" * 30, "a" * 30),
        ("", "language"),
    ],
)
def test_what_is_no_tag_is_refused_before_anything_is_read(tmp_path: Path, code: str, better: str) -> None:
    study = brought(tmp_path, split_files(pair_lines), languages=("en", code))
    refused(study, "datasets.mine", code, better)


def test_codes_read_what_is_no_tag(tmp_path: Path) -> None:
    names = {"en": "eng_Latn", "zh-Hant": "zh@Hant", "en-US": "en (US)", "sr-Latn": "sr:Latn"}
    files = split_files(pair_lines, tuple(names.values()))
    study = brought(tmp_path, files, languages=tuple(names), paths={"test": "test-{code}"}, codes=names)
    assert counts(taken(study)) == dict.fromkeys(names, 12)


@pytest.mark.parametrize("code", ["en (US)", "zh_CN", "eng_Latn"])
def test_a_key_of_codes_is_a_tag_too(tmp_path: Path, code: str) -> None:
    """It would apply to no language, and nobody would be told."""
    study = brought(
        tmp_path, split_files(pair_lines), languages=("en", "de"), paths={"test": "test-{code}"}, codes={code: "de"}
    )
    refused(study, "codes", code)


@pytest.mark.parametrize(
    "languages",
    [
        ("en", "de", "de"),
        ("en", "de", "deu"),
        ("en", "de", "ger"),
        ("en", "zh-Hans", "zh-hans"),
        ("en", "pt-BR", "pt-br"),
        ("en", "he", "iw"),
        ("en", "id", "in"),
        ("en", "EN"),
    ],
)
def test_a_language_that_stands_there_twice_is_refused(tmp_path: Path, languages: tuple[str, ...]) -> None:
    study = brought(tmp_path, split_files(pair_lines, languages), languages=languages)
    refused(
        study, "datasets.mine", f'"{languages[-1]}"', "twice" if len(set(languages)) < len(languages) else "same as"
    )


def test_a_target_names_a_language_once(tmp_path: Path) -> None:
    study = brought(tmp_path, split_files(pair_lines), target={"languages": ["en", "de", "de"]})
    refused(study, "targets.mine", "de")


def test_two_scripts_of_a_language_are_two(tmp_path: Path) -> None:
    languages = ("en", "zh-Hans", "zh-Hant", "sr", "sr-Latn")
    study = brought(tmp_path, split_files(text_lines, languages), reader="text_tsv", languages=languages)
    assert counts(taken(study)) == dict.fromkeys(languages, 12)
