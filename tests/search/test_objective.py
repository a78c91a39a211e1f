"""Objectives by name: what they need, what they are, and what the selection rule refuses."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest

from stilts.errors import SelectionError, UnknownNameError
from stilts.search.objective import make_aims


@dataclass(frozen=True, kw_only=True)
class Column:
    name: str
    kind: str = "classification"
    group: str = "classification"
    select_languages: tuple[str, ...] = ("en", "de", "fi")


DEV = (
    Column(name="xnli"),
    Column(name="udpos", kind="tagging", select_languages=("en", "et", "tr")),
    Column(name="tatoeba", kind="retrieval", group="retrieval", select_languages=("fi",)),
    Column(name="masked_lm", kind="masked_lm"),
)
ENGLISH = (
    Column(name="xnli", select_languages=("en",)),
    Column(name="udpos", kind="tagging", select_languages=("en",)),
    Column(name="tatoeba", kind="retrieval", group="retrieval", select_languages=()),
)
SCORES = {
    "xnli": {"en": 80.0, "de": 70.0, "fi": 60.0},
    "udpos": {"en": 90.0, "et": 50.0, "tr": 40.0},
    "tatoeba": {"fi": 30.0},
}
NONE = {
    "xnli": {"en": 79.0, "de": 71.0, "fi": 61.0},
    "udpos": {"en": 90.0, "et": 40.0, "tr": 41.0},
    "tatoeba": {"fi": 25.0},
}


@pytest.mark.parametrize(
    ("name", "targets", "value"),
    [
        ("xtreme_average", ("xnli", "udpos", "tatoeba"), (70.0 + 60.0 + 30.0) / 3),
        ("without_retrieval", ("xnli", "udpos"), 65.0),
        ("worst_language", ("xnli", "udpos", "tatoeba"), (60.0 + 40.0 + 30.0) / 3),
        ("gain", ("xnli", "udpos", "tatoeba"), (-1 / 3 + 3.0 + 5.0) / 3),
        ("languages_hurt", ("xnli", "udpos", "tatoeba"), 2.0),
        ("udpos", ("udpos",), 60.0),
        ("language:fi", ("xnli", "tatoeba"), 45.0),
        ("family:Uralic", ("xnli", "udpos", "tatoeba"), (60.0 + 50.0 + 30.0) / 3),
    ],
)
def test_each_objective_has_its_targets_and_its_value(name: str, targets: tuple[str, ...], value: float) -> None:
    (aim,) = make_aims(name, DEV, "target_dev")
    assert aim.name == name and aim.targets == targets
    (found,) = aim.values(SCORES, NONE) or ()
    assert found == pytest.approx(value)
    assert aim.directions == (("minimize",) if name == "languages_hurt" else ("maximize",))
    assert aim.over_none == (name in ("gain", "languages_hurt"))


def test_per_target_is_one_aim_for_each_that_has_a_selection_score() -> None:
    assert [aim.name for aim in make_aims("per_target", DEV, "target_dev")] == ["xnli", "udpos", "tatoeba"]
    aims = make_aims("per_target", ENGLISH, "english_dev")
    assert [(aim.name, aim.is_target) for aim in aims] == [("xnli", True), ("udpos", True)]
    assert make_aims("xtreme_average", ENGLISH, "english_dev")[0].targets == ("xnli", "udpos")


def test_several_objectives_are_one_aim_with_several_values() -> None:
    (aim,) = make_aims(("gain", "languages_hurt"), DEV, "target_dev")
    assert (aim.name, aim.directions) == ("gain+languages_hurt", ("maximize", "minimize"))
    assert aim.values(SCORES, NONE) == (pytest.approx(2.5556, abs=1e-4), 2.0)
    points = [(1.0, 3.0), (2.0, 3.0), (0.5, 1.0), (2.0, 1.0), (3.0, 4.0)]
    assert aim.ranks(points) == [2, 1, 1, 0, 0]


def test_ranks_of_one_objective_follow_its_direction() -> None:
    (hurt,), (gain,) = (make_aims(name, DEV, "target_dev") for name in ("languages_hurt", "gain"))
    assert hurt.ranks([(2.0,), (1.0,), (2.0,)]) == [1, 0, 1]
    assert gain.ranks([(2.0,), (1.0,), (2.0,)]) == [0, 1, 0]


def test_a_score_that_is_no_number_gives_no_value() -> None:
    for name in ("worst_language", "languages_hurt"):
        (aim,) = make_aims(name, DEV, "target_dev")
        assert aim.values({**SCORES, "tatoeba": {"fi": math.nan}}, NONE) is None
    assert aim.values(SCORES, {**NONE, "xnli": {**NONE["xnli"], "de": math.nan}}) is None


@pytest.mark.parametrize("name", ["worst_language", "languages_hurt", "language:en", "family:Uralic"])
def test_english_dev_refuses_what_looks_at_languages(name: str) -> None:
    with pytest.raises(SelectionError, match=r"English alone.*target_dev"):
        make_aims(name, ENGLISH, "english_dev")


@pytest.mark.parametrize("name", ["report", "oracle"])
def test_choosing_on_report_is_refused_with_the_reason(name: str) -> None:
    with pytest.raises(SelectionError, match=r"oracle.*never advised"):
        make_aims(name, DEV, "target_dev")


def test_what_has_no_selection_score_is_refused() -> None:
    for columns in ((), ENGLISH[2:], DEV[3:]):
        with pytest.raises(SelectionError, match="selection score"):
            make_aims("per_target", columns, "english_dev")
    with pytest.raises(SelectionError, match="selection score"):
        make_aims("tatoeba", ENGLISH, "english_dev")
    with pytest.raises(SelectionError, match="selection score"):
        make_aims("without_retrieval", DEV[2:], "target_dev")


def test_names_that_mean_nothing_are_explained() -> None:
    with pytest.raises(UnknownNameError, match='Did you mean "gain"'):
        make_aims("gains", DEV, "target_dev")
    with pytest.raises(UnknownNameError, match="en, et, fi, tr"):
        make_aims("language:yo", DEV, "target_dev")
    with pytest.raises(UnknownNameError, match='Did you mean "Uralic"'):
        make_aims("family:Ural", DEV, "target_dev")
    with pytest.raises(SelectionError, match="one Optuna study per target"):
        make_aims(["per_target", "gain"], DEV, "target_dev")
