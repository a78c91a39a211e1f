"""Choice: which recipe stands for each objective of a searched row."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stilts.errors import SelectionError
from stilts.search.choice import choose, columns_of, in_cells
from stilts.study.record import Column

LANGUAGES = ("en", "fi", "et")


def column(name: str, *, select: tuple[str, ...] = LANGUAGES, kind: str = "tagging") -> Column:
    return Column(
        name=name, task=name, kind=kind, metric="accuracy", group="", languages=LANGUAGES, select_languages=select
    )


XNLI, UDPOS, TATOEBA, PROBE = (
    column("xnli"),
    column("udpos"),
    column("tatoeba", select=()),
    column("probe", kind="masked_lm"),
)
COLUMNS = (XNLI, UDPOS, TATOEBA, PROBE)


def scored(**targets: tuple[float, ...]) -> dict[str, dict[str, float]]:
    return {name: dict(zip(LANGUAGES, scores, strict=False)) for name, scores in targets.items()}


# Proposal 0 is best in English and on XNLI, 1 in the Uralic languages, 2 on UD-POS.
SCORES = {
    0: scored(xnli=(90.0, 30.0, 30.0), udpos=(60.0, 10.0, 10.0)),
    1: scored(xnli=(40.0, 50.0, 50.0), udpos=(30.0, 40.0, 40.0)),
    2: scored(xnli=(50.0, 40.0, 40.0), udpos=(50.0, 60.0, 20.0)),
}
NONE = scored(xnli=(45.0, 45.0, 45.0), udpos=(35.0, 35.0, 35.0))


def numbers(
    *objectives: str, selection: str = "target_dev", scores: Mapping[int, Mapping[str, Mapping[str, float]]] = SCORES
) -> dict[str, int]:
    found = choose(objectives, COLUMNS, selection, scores, NONE)
    return {name: choice.proposal for name, choice in found.items()}


def test_per_target_every_column_has_its_own_and_what_chooses_nothing_the_best_elsewhere() -> None:
    # Above the means of the row, xnli 46.7 and udpos 35.6, proposal 2 stands by -3.3 and +7.8, 0 by +3.3 and -8.9.
    assert numbers("per_target") == {"xnli": 0, "udpos": 2, "tatoeba": 2, "probe": 2}


@pytest.mark.parametrize(
    ("objective", "proposal"),
    [
        ("xtreme_average", 2),
        ("gain", 2),
        ("worst_language", 1),
        ("family:Uralic", 1),
        ("language:en", 0),
        ("languages_hurt", 1),
        ("udpos", 2),
    ],
)
def test_what_was_searched_for_chooses(objective: str, proposal: int) -> None:
    assert numbers(objective) == {objective: proposal}


def test_several_objectives_have_a_recipe_each_and_the_first_stands_in_the_cells() -> None:
    chosen = numbers("family:Uralic", "language:en")
    assert chosen == {"family:Uralic": 1, "language:en": 0}
    names = [one.name for one in COLUMNS]
    assert in_cells(tuple(chosen), names, chosen) == dict.fromkeys(names, 1)
    assert columns_of(tuple(chosen), names, "language:en") == tuple(names)
    assert columns_of(("per_target",), names, "xnli") == ("xnli",)


def test_what_lacks_a_score_is_not_chosen_and_equals_go_to_the_first() -> None:
    lacking = {number: by for number, by in SCORES.items() if number != 2} | {2: scored(udpos=(99.0, 99.0, 99.0))}
    assert numbers("xtreme_average", scores=lacking) == {"xtreme_average": 1}
    equal = {3: SCORES[0], 1: SCORES[0]}
    assert numbers("xtreme_average", scores=equal) == {"xtreme_average": 1}
    assert numbers("per_target", scores={}) == {}


def test_a_gain_waits_for_the_baseline() -> None:
    assert choose(("gain",), COLUMNS, "target_dev", SCORES, {"xnli": NONE["xnli"]}) == {}


def test_english_alone_chooses_no_languages() -> None:
    with pytest.raises(SelectionError, match="English alone"):
        numbers("family:Uralic", selection="english_dev")


@given(st.dictionaries(st.integers(0, 30), st.floats(0, 100), min_size=1))
def test_a_lone_target_is_won_by_its_highest_score(by_number: dict[int, float]) -> None:
    scores = {number: scored(xnli=(score,) * 3) for number, score in by_number.items()}
    (won,) = set(numbers("xnli", scores=scores).values())
    highest = max(sum(by["xnli"].values()) / 3 for by in scores.values())
    assert sum(scores[won]["xnli"].values()) / 3 == highest
