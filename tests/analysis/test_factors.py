"""Factors on simulated studies: what a design cannot tell is refused, built-in effects are found, chance is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from stilts.analysis.factors import Factor, FactorEffect, Factors, factors_of
from stilts.metrics.resampling import Side
from stilts.report.sections.factors import effects_data, factor_lines, factor_notes
from stilts.study.record import Row, StudyRecord
from tests.analysis.fake_store import LANGUAGES, column, record

# The design of search_spaces/domain_and_scale.yaml: row, domain, kind.
WHOLE = (
    ("qnli", "encyclopedic", "classification"),
    ("squad", "encyclopedic", "span_qa"),
    ("qqp", "web", "classification"),
    ("snli", "captions", "classification"),
    ("hellaswag", "captions", "multiple_choice"),
    ("cosmosqa", "commonsense", "multiple_choice"),
    ("casehold", "legal", "multiple_choice"),
    ("medmcqa", "medical", "multiple_choice"),
)
# Six data sets of three domains in one kind of task.
ONE_KIND = tuple(
    (f"{domain}{number}", domain, "classification") for domain in ("web", "legal", "captions") for number in range(2)
)


class Simulated:
    """What factors read of StudyResults, over sides that are given."""

    def __init__(self, made: StudyRecord, by_column: Mapping[str, Mapping[str, Side]]) -> None:
        self.record, self.by_column = made, by_column

    def sides(self, name: str) -> Mapping[str, Side]:
        return self.by_column[name]

    def once(self, name: str, make: Any) -> Any:
        return make(self)


def study(
    seed: int,
    rows: tuple[tuple[str, str, str], ...],
    effects: Mapping[str, float] | None = None,
    *,
    sizes: Mapping[str, int] | None = None,
    more: tuple[Row, ...] = (),
    seeds: int = 3,
    columns: int = 2,
    own_sd: float = 0.0,
    per_tenfold: float = 0.0,
) -> Factors | None:
    """A study whose rows gain what the words of their domain and kind bring; ``own_sd`` is what data sets differ by."""
    stream = np.random.default_rng(seed)
    found: dict[str, dict[str, Side]] = {f"t{number}": {} for number in range(columns)}
    for name, domain, kind in (("none", "", ""), *rows):
        brings = sum((effects or {}).get(word, 0.0) for word in (name, domain, kind)) + stream.normal(0.0, own_sd)
        brings += per_tenfold * np.log10((sizes or {}).get(name, 1000))
        luck = stream.normal(0.0, 0.5, seeds)
        for number in range(columns):
            scores = 50.0 + brings + luck[:, None] + stream.normal(0.0, 0.5, (seeds, len(LANGUAGES)))
            draws = scores[:, :, None] + stream.normal(0.0, 0.5, (1, len(LANGUAGES), 60))
            found[f"t{number}"][name] = Side(
                intermediate_seeds=tuple(range(seeds)) if name != "none" else (None,) * seeds,
                target_seeds=tuple(range(seeds)),
                languages=LANGUAGES,
                scores=scores,
                draws=draws,
            )
    described = [
        Row(name=name, mixture={name: 1.0}, kinds=(kind,), num_examples=(sizes or {}).get(name, 1000))
        for name, _, kind in rows
    ]
    made = replace(
        record([Row(name="none"), *described, *more], [column(name) for name in found], []),
        training_data={name: [name] for name, *_ in rows},
        datasets={name: {"domain": f"{domain}: texts"} for name, domain, _ in rows},
    )
    return factors_of(Simulated(made, found))  # type: ignore[arg-type]


def factors(*words: Any, **more: Any) -> Factors:
    found = study(*words, **more)
    assert found is not None
    return found


def effect(found: Factors, level: str, target: str | None = None) -> FactorEffect:
    (one,) = [one for one in found.effects if (one.level, one.target) == (level, target)]
    return one


def test_the_shipped_design_joins_all_domains_and_says_which_only_by_a_chain() -> None:
    found = factors(1, WHOLE)
    levels = {level.name: level for level in found.levels}

    assert not any(level.refused for level in found.levels) and found.spare == 0
    assert levels["legal"].met == ("captions", "commonsense", "medical") and levels["legal"].within == (
        "multiple_choice",
    )
    notes = " ".join(factor_notes(found))
    assert "By a chain of rows alone" in notes and "; legal with encyclopedic, web; " in notes
    assert "No row is left to check that effects add up" in notes


def test_a_domain_that_cannot_be_told_from_its_kind_is_refused() -> None:
    found = factors(
        1, (*WHOLE[:4], ("casehold", "legal", "multiple_choice"), ("medmcqa", "medical", "multiple_choice"))
    )
    levels = {level.name: level for level in found.levels}

    assert levels["legal"].against == ("medical",) and set(levels["legal"].refused) == {
        "encyclopedic",
        "web",
        "captions",
    }
    assert levels["multiple_choice"].against == ()
    assert "Refused: legal (casehold) against encyclopedic, web, captions" in " ".join(factor_lines(found))
    assert not any(one.level == "multiple_choice" for one in found.effects)


def test_one_domain_alone_in_its_kind_has_no_effect_at_all() -> None:
    found = factors(1, (*WHOLE[:4], ("ncbi_disease", "medical", "tagging")), {"medical": 30.0})

    assert {level.name for level in found.levels if not level.against} == {"medical", "tagging"}
    assert "medical" not in {one.level for one in found.effects}


def test_built_in_effects_come_back() -> None:
    found = factors(1, WHOLE, {"legal": -6.0, "multiple_choice": 4.0})

    legal, choice = effect(found, "legal"), effect(found, "multiple_choice")
    assert legal.value.estimate == pytest.approx(-6.0, abs=1.0) and legal.clear
    assert choice.value.estimate == pytest.approx(4.0, abs=1.2) and choice.clear
    assert effect(found, "legal", "t0").value.estimate == pytest.approx(-6.0, abs=1.2)
    said = " ".join(factor_lines(found))
    assert "The domain bears on the mean over targets" in said and "legal -6" in said.replace("\N{MINUS SIGN}", "-")
    assert len(effects_data(found)) == len(found.effects) == 3 * len(found.levels)


def test_what_ten_times_the_examples_bring_is_told_where_sizes_differ() -> None:
    sizes = {name: 1000 * 10**number for number, (name, *_) in enumerate(ONE_KIND)}
    found = factors(1, ONE_KIND, sizes=sizes, per_tenfold=3.0)

    (size,) = [one for one in found.effects if one.factor is Factor.SIZE and one.target is None]
    assert size.value.estimate == pytest.approx(3.0, abs=0.6) and size.clear and not found.size_refused
    assert "all rows have the same size (1,000 examples)" in " ".join(factor_lines(factors(1, ONE_KIND)))
    alias = dict.fromkeys([name for name, domain, _ in ONE_KIND if domain == "web"], 10)
    assert factors(1, ONE_KIND, sizes=alias).size_refused == "it cannot be told from domain and kind"


def test_rows_without_one_domain_and_kind_are_left_out_with_the_reason() -> None:
    mixed = Row(name="both", mixture={"qnli": 0.5, "qqp": 0.5}, kinds=("classification",))
    control = Row(name="shuffled", mixture={"qnli": 1.0}, kinds=("classification",), control="shuffled_labels")
    found = factors(1, WHOLE, more=(mixed, control))

    assert found.left_out == {"both": "of encyclopedic and web", "shuffled": "a control"}
    assert study(1, WHOLE[:2]) is None


def test_one_seed_claims_nothing() -> None:
    found = factors(1, WHOLE, {"legal": -30.0}, seeds=1)

    assert not any(one.clear for one in found.effects)
    assert "some cells have one seed" in " ".join(factor_lines(found))


@pytest.mark.parametrize(("rows", "own_sd"), [(WHOLE, 0.0), (ONE_KIND, 0.0), (ONE_KIND, 2.0)])
def test_nothing_is_called_where_nothing_is_built_in(rows: tuple[tuple[str, str, str], ...], own_sd: float) -> None:
    called = sum(any(one.clear for one in factors(seed, rows, own_sd=own_sd).effects) for seed in range(200))

    assert called <= 18, "5 % of 200, and what chance adds to that in one of a hundred such tests"


def test_an_effect_beyond_what_is_visible_is_found() -> None:
    visible = [effect(factors(seed, WHOLE), "legal").smallest_visible for seed in range(40)]
    built_in = {"legal": 1.5 * float(np.median(visible))}
    found = [effect(factors(seed, WHOLE, built_in), "legal") for seed in range(100, 200)]

    assert sum(one.clear and one.value.estimate > 0 for one in found) >= 80
