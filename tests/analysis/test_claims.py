"""Claims on simulated studies: by chance they are called in at most the nominal share, real effects are found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest

from stilts.analysis import claims as claims_module
from stilts.analysis.claims import ClaimVerdict, Standing, claims_of
from stilts.metrics.group_test import group_test, trend_test
from stilts.metrics.resampling import Side
from stilts.report.claim_words import claim_words, claims_line
from stilts.report.note import markdown_note
from stilts.study.record import Column, Row, StudyRecord
from stilts.tasks.languages import LANGUAGES
from tests.analysis.fake_store import column, record
from tests.analysis.test_lens import XTREME

FAMILY = {code: LANGUAGES[code].family for code in XTREME}
AGGLUTINATIVE = np.array([LANGUAGES[code].morphology == "agglutinative" for code in XTREME], float)
ROWS = ("none", "mnli", "squad")


@dataclass
class Simulated:
    """What claims read of StudyResults, over sides that are given."""

    by_column: Mapping[str, Mapping[str, Side]]
    claims: list[dict[str, Any]]
    columns: tuple[Column, ...] = ()
    record: StudyRecord = field(init=False)

    def __post_init__(self) -> None:
        names = {name: next(iter(rows.values())).languages for name, rows in self.by_column.items()}
        self.columns = tuple(column(name, languages=codes) for name, codes in names.items())
        made = record([Row(name=name) for name in ROWS], self.columns, [])
        self.record = replace(made, settings={"claims": self.claims})
        lines = [
            (row, name, code, float(side.of([code]).mean))
            for name, rows in self.by_column.items()
            for row, side in rows.items()
            for code in side.languages
        ]
        self.language_scores = pd.DataFrame(lines, columns=["row", "column", "language", "score"])

    def sides(self, name: str) -> Mapping[str, Side]:
        return self.by_column[name]

    def column(self, name: str) -> Column:
        return next(each for each in self.columns if each.name == name)

    def once(self, name: str, make: Any) -> Any:
        return make(self)


def study(
    seed: int,
    claims: list[dict[str, Any]],
    *,
    gain: Mapping[str, float] | None = None,
    more: float = 0.0,
    seeds: int = 3,
    columns: int = 2,
    family_sd: float = 1.0,
) -> Simulated:
    """A study whose rows gain so much, and ``more`` in agglutinative languages; families, seeds and items vary."""
    stream = np.random.default_rng(seed)
    found: dict[str, dict[str, Side]] = {f"t{number}": {} for number in range(columns)}
    luck = {row: stream.normal(0.0, 0.5, seeds) for row in ROWS}  # of an intermediate seed, on all targets
    for row in ROWS:
        own = {name: stream.normal(0.0, family_sd) for name in sorted({str(one) for one in FAMILY.values()})}
        kin = np.array([own[str(FAMILY[code])] for code in XTREME]) + stream.normal(0.0, 0.3, len(XTREME))
        # Whom a row suits is told apart from what it gains: over all languages that is ``gain``, and ``more``'s share.
        plus = 0.0 if row == "none" else kin - kin.mean() + more * AGGLUTINATIVE + (gain or {}).get(row, 0.0)
        for number in range(columns):
            items = stream.normal(0.0, 0.5, len(XTREME))
            scores = 60.0 + plus + items + luck[row][:, None] + stream.normal(0.0, 0.4, (seeds, len(XTREME)))
            draws = scores[:, :, None] + stream.normal(0.0, 0.5, (1, len(XTREME), 60))
            told: tuple[int | None, ...] = tuple(range(seeds)) if row != "none" else (None,) * seeds
            found[f"t{number}"][row] = Side(
                intermediate_seeds=told,
                target_seeds=tuple(range(seeds)),
                languages=XTREME,
                scores=scores,
                draws=draws,
            )
    return Simulated(by_column=found, claims=claims)


def verdicts(made: Simulated) -> tuple[ClaimVerdict, ...]:
    return claims_of(made)  # type: ignore[arg-type]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer permutations than for one study, since there are hundreds."""
    monkeypatch.setattr(claims_module, "group_test", partial(group_test, permutations=400))
    monkeypatch.setattr(claims_module, "trend_test", partial(trend_test, permutations=400))


GAIN = {"name": "gains", "gain": {"row": "mnli"}}
SQUAD = {"name": "squad_too", "gain": {"row": "squad", "targets": ["t0"]}}
MORE = {"name": "more", "difference": {"row": "mnli", "group": "morphology:agglutinative"}}
FAR = {"name": "far", "trend": {"row": "mnli", "along": "distance"}, "below": 0}


def test_nothing_is_called_where_nothing_is_built_in(quick: None) -> None:
    called = 0
    for seed in range(200):
        found = verdicts(study(seed, [GAIN, SQUAD, MORE, FAR]))
        assert all(one.effect is not None for one in found)
        called += any(one.standing is not Standing.UNDECIDED for one in found)

    assert called <= 18, "5 % of 200, and what chance adds to that in one of a hundred such tests"


@pytest.mark.parametrize(("claim", "built_in"), [(GAIN, "gain"), (MORE, "more")])
def test_an_effect_beyond_what_is_visible_is_found(claim: dict[str, Any], built_in: str, quick: None) -> None:
    visible = [verdicts(study(seed, [claim]))[0].smallest_visible for seed in range(40)]
    effect = 1.5 * float(np.median([one for one in visible if one is not None]))
    given: dict[str, Any] = {"gain": {"mnli": effect}} if built_in == "gain" else {"more": effect}
    found = [verdicts(study(seed, [claim], **given))[0].standing for seed in range(100, 200)]

    assert found.count(Standing.SUPPORTED) >= 80
    assert Standing.NOT_SUPPORTED not in found


def test_the_side_of_the_threshold_decides() -> None:
    claims = [
        {**GAIN, "name": "up", "above": 0},
        {**GAIN, "name": "down", "below": 0},
        {**GAIN, "name": "far_up", "above": 90},
        {"name": "no_worse", "gain": {"row": "squad", "over": "mnli"}, "above": -40},
    ]
    found = {one.name: one for one in verdicts(study(1, claims, gain={"mnli": 20.0}))}

    assert {name: one.standing for name, one in found.items()} == {
        "up": Standing.SUPPORTED,
        "down": Standing.NOT_SUPPORTED,
        "far_up": Standing.NOT_SUPPORTED,
        "no_worse": Standing.SUPPORTED,
    }
    up = found["up"]
    assert up.effect == pytest.approx(20.0, abs=2.0) and up.low is not None and up.low > 15
    assert (up.num_seeds, up.num_languages, up.num_targets) == (3, len(XTREME), 2)


def test_p_values_of_all_claims_are_adjusted_together() -> None:
    one = verdicts(study(5, [GAIN], gain={"mnli": 1.5}))[0]
    five = verdicts(study(5, [{**GAIN, "name": f"c{number}"} for number in range(5)], gain={"mnli": 1.5}))[0]

    assert one.p_adjusted is not None and five.p_adjusted == pytest.approx(min(1.0, 5 * one.p_adjusted))
    assert one.smallest_visible is not None and five.smallest_visible is not None
    assert five.smallest_visible > one.smallest_visible


def test_what_cannot_be_tested_is_undecided_with_the_reason() -> None:
    few = {"name": "few", "difference": {"row": "mnli", "group": "family:Turkic"}}
    (alone,) = verdicts(study(0, [GAIN], gain={"mnli": 30.0}, seeds=1))
    found = verdicts(study(0, [few, {"name": "none", "gain": {"row": "mnli", "languages": ["xx"]}}]))
    lacking = study(0, [GAIN])
    del lacking.by_column["t1"]["mnli"]  # type: ignore[attr-defined]

    assert {one.standing for one in (alone, *found, *verdicts(lacking))} == {Standing.UNDECIDED}
    assert "one seed" in alone.reason and alone.effect is not None
    assert "families" in found[0].reason or "family" in found[0].reason
    assert "no target is scored in xx" in found[1].reason
    assert "mnli or none is not done on t1" in verdicts(lacking)[0].reason


def test_english_is_no_part_of_a_difference() -> None:
    (found,) = verdicts(study(0, [MORE]))

    assert found.num_languages == len(XTREME) - 1


def test_words_say_effect_interval_threshold_and_what_would_have_been_seen() -> None:
    found = verdicts(study(1, [{**GAIN, "above": 0}, FAR], gain={"mnli": 20.0}))

    said = claim_words(found[0])
    assert said.startswith("gains is supported: +") and "95 % interval +" in said and "claimed above 0" in said
    assert f"3 seeds, {len(XTREME)} languages, 2 targets" in said and "would have been found" in said
    assert claim_words(found[1]).startswith("far is undecided: correlation")
    assert claims_line(found).startswith("Claims supported: gains (+")


def test_the_note_begins_with_the_claims() -> None:
    made = study(1, [GAIN], gain={"mnli": 20.0})
    cells = pd.DataFrame(columns=["row", "column", "state", "score"])

    first = markdown_note(replace(made.record, rows=(), columns=()), cells, [], verdicts(made)).splitlines()[0]

    assert first.startswith("Claims supported: gains")
