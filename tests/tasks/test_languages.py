from __future__ import annotations

from pathlib import Path

import pytest

from stilts.errors import UnknownNameError
from stilts.tasks import languages
from stilts.tasks.language_groups import GROUPINGS, NOT_KNOWN, group_of
from stilts.tasks.languages import LANGUAGES, language
from stilts.tasks.listed import listed_in
from stilts.tasks.registry import default_registry
from stilts.tasks.toy import MIXED, TOY_LANGUAGES

REAL = [each for each in LANGUAGES.values() if not each.is_toy]
BENCHMARKS = {
    "XTREME": "af ar bg bn de el en es et eu fa fi fr he hi hu id it ja jv ka kk ko ml mr ms my nl pt ru sw ta te th "
    "tl tr ur vi yo zh",
    "XTREME-R": "az gu ht lt pa pl qu ro uk wo",
    "XCOPA": "et ht id it qu sw ta th tr vi zh",
    "Mewsli-X": "ar de en es fa ja pl ro ta tr uk",
    "MasakhaNER": "am bbj bm ee fon ha ig lg luo mos ny pcm rw sn sw tn tw wo xh yo zu",
    "AmericasNLI": "ay bzd cni gn hch nah oto qu shp tar",
    "MultiEURLEX": "bg cs da de el en es et fi fr hr hu it lt lv mt nl pl pt ro sk sl sv",
}


@pytest.mark.parametrize("name", BENCHMARKS)
def test_every_language_of_the_benchmark_is_there(name: str) -> None:
    assert set(BENCHMARKS[name].split()) <= LANGUAGES.keys()


def test_every_language_of_the_catalogue_is_there() -> None:
    codes = {c for dataset in default_registry().datasets() for split in dataset.languages.values() for c in split}
    assert codes - {MIXED} <= LANGUAGES.keys()


def test_every_language_of_the_shared_texts_is_there(shared: Path) -> None:
    plain = {path.stem for path in (shared / "text" / "plain").iterdir()}
    parallel = {path.stem for path in (shared / "text" / "parallel").iterdir()}
    treebanks = {path.name for path in (shared / "data" / "ud").iterdir()}
    assert plain | parallel | treebanks <= LANGUAGES.keys()


def test_the_table_is_whole() -> None:
    lines, distances = (
        [line.split() for line in listed_in(Path(languages.__file__).with_name(name))]
        for name in ("languages.txt", "typology.txt")
    )
    assert all(len(line) == 9 for line in lines)
    assert len({line[0] for line in lines}) == len(lines) == len(REAL) >= 110
    codes = [line[0] for line in lines]
    assert codes == sorted(codes) == [line[0] for line in distances]
    assert all(len(line) == 4 and all("/" in figure for figure in line[1:]) for line in distances)
    for each in REAL:
        assert len(each.script) == 4 and each.script.istitle(), each.code
        assert each.iso639_3 is None or len(each.iso639_3) == 3, each.code
        assert each.resource in (None, 0, 1, 2, 3, 4, 5), each.code
        assert each.cc100_gib is None or 0 < each.cc100_gib <= 301, each.code
        assert each.morphology in (None, "agglutinative", "fusional", "isolating", "introflexive"), each.code
    joined = [each.iso639_3 for each in REAL if each.iso639_3]
    assert len(set(joined)) == len(joined)


def test_a_genus_lies_in_one_family_and_families_are_top_families() -> None:
    by_genus: dict[str, set[str]] = {}
    for each in REAL:
        by_genus.setdefault(each.genus or each.code, set()).add(each.family)
    assert [genus for genus, families in by_genus.items() if len(families) > 1] == []
    assert {language(code).family for code in ("de", "fr", "ru", "hi", "fa", "el", "lt", "ga")} == {"Indo-European"}
    assert language("fi").family == language("hu").family != language("tr").family


def test_distances_are_sane() -> None:
    english = language("en")
    assert (english.distance, english.distance_phonological, english.distance_inventory) == (0, 0, 0)
    for each in REAL:
        found = (each.distance, each.distance_phonological, each.distance_inventory)
        assert all(value is None or 0 <= value <= 1 for value in found), each.code

    def distance(code: str) -> float:
        found = language(code).distance
        assert found is not None
        return found

    assert distance("sv") < distance("fi") < distance("ja")
    assert distance("de") < distance("ru") < distance("tr")
    assert distance("nl") < distance("hi")
    known = [each for each in REAL if each.distance is not None]
    assert len(known) > 100


def test_groups_have_readable_names() -> None:
    found = [group_of("ru", by) for by in GROUPINGS]
    assert found == ["Russian", "Indo-European", "Cyrillic", "fusional", "class 4"]
    assert [group_of("qaa", by) for by in GROUPINGS[1:]] == ["toy"] * 4
    assert group_of("luo", "resource") == NOT_KNOWN
    assert group_of("tlh", "family") == NOT_KNOWN
    assert group_of("tlh", "language") == "tlh"
    assert {group_of(each.code, "script") for each in REAL} & {each.script for each in REAL} == {"Thai"}
    with pytest.raises(UnknownNameError, match='Did you mean "family"'):
        group_of("ru", "famly")


def test_toy_languages_claim_nothing_of_real_ones() -> None:
    for code in set(TOY_LANGUAGES) - {"en"}:
        toy = language(code)
        assert toy.is_toy
        assert (toy.morphology, toy.resource, toy.cc100_gib, toy.distance) == (None, None, None, None)


def test_distances_between_languages_are_symmetric_and_those_from_english_agree() -> None:
    for each in REAL:
        found = languages.syntactic_distance("en", each.code)
        assert (found is None) == (each.distance is None), each.code
        if found is not None and each.distance is not None and each.code != "en":
            assert abs(found - each.distance) <= 0.0011, each.code
    assert languages.syntactic_distance("tr", "az") == languages.syntactic_distance("az", "tr")
    near, far = languages.syntactic_distance("tr", "az"), languages.syntactic_distance("tr", "en")
    assert near is not None and far is not None and near < far
    assert languages.syntactic_distance("tr", "tr") == 0.0 and languages.syntactic_distance("tr", "xx") is None
