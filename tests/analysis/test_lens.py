"""The language lens on studies with known gains; no store is filled but in the last test."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from stilts.analysis.lens import DISTANCE, PRETRAINING, TOKENS, Lens, language_lens
from stilts.analysis.results import StudyResults
from stilts.errors import InputError, UnknownNameError
from stilts.ledger.records import FERTILITY
from stilts.metrics.group_test import Status
from stilts.store.documents import Bodies
from stilts.study.record import Column, Row, StudyRecord
from stilts.tasks.languages import LANGUAGES
from tests.analysis.fake_store import FakeStore, column, evaluate, record, replicate

XTREME = tuple(
    (
        "en af ar bg bn de el es et eu fa fi fr he hi hu id it ja jv ka kk ko ml mr ms my nl pt ru sw ta te th tl tr "
        "ur vi yo zh"
    ).split()
)
ROWS = ("none", "mnli", "squad")
Scores = Mapping[tuple[str, str], Mapping[str, float]]


@dataclass
class Results:
    """What the lens reads of a StudyResults: scores by (row, column) and language, and who was chosen."""

    columns: tuple[Column, ...]
    scores: Scores
    chosen: Mapping[str, str | None]
    fertility: Any = None
    record: StudyRecord = field(init=False)

    def __post_init__(self) -> None:
        self.record = record([Row(name=name) for name in ROWS], self.columns, [])
        self.store = SimpleNamespace(record_bodies=self._read)
        lines = [(*cell, code, score) for cell, by in self.scores.items() for code, score in by.items()]
        self.language_scores = pd.DataFrame(lines, columns=["row", "column", "language", "score"])
        self._answers = tuple(
            SimpleNamespace(target=name, row=row, chosen=row, oracle=None) for name, row in self.chosen.items()
        )

    def _read(self, names: Sequence[str]) -> Bodies:
        (name,) = names
        assert name == FERTILITY.name("study")
        return Bodies(good={} if self.fertility is None else {name: json.dumps(self.fertility).encode()})

    def once(self, name: str, make: object) -> Any:
        assert name == "answers"
        return self._answers

    def column(self, name: str) -> Column:
        return StudyResults.column(self, name)  # type: ignore[arg-type]


def lens(results: Results, **given: Any) -> Lens:
    return language_lens(results, permutations=499, **given)  # type: ignore[arg-type]


def study(gain: Mapping[str, float], **given: Any) -> Results:
    """One target, ``udpos``, in which mnli gains what is given over 50 points."""
    own = column("udpos", languages=tuple(gain))
    base = dict.fromkeys(gain, 50.0)
    scores = {("none", "udpos"): base, ("mnli", "udpos"): {code: 50.0 + value for code, value in gain.items()}}
    return Results(columns=(own,), scores=scores, chosen={"udpos": "mnli"}, **given)


def noise(seed: int, languages: tuple[str, ...] = XTREME, sd: float = 0.5) -> dict[str, float]:
    return dict(zip(languages, np.random.default_rng(seed).normal(0.0, sd, len(languages)), strict=True))


def measured(ratios: Mapping[str, float | None]) -> dict[str, Any]:
    counts = {"tokens": 10, "words": 5, "source": "annotated words"}
    lines = {code: {**counts, "tokens_per_word": ratio} for code, ratio in ratios.items()}
    return {"tokenizer": "t", "languages": lines}


def test_every_language_but_english_has_a_line_with_what_is_known_of_it() -> None:
    found = lens(study(noise(1), fertility=measured({"tr": 2.5})), by="morphology")
    assert len(found.table) == len(found.points) == len(XTREME) - 1
    [turkish] = [point for point in found.points if point.language == "tr"]
    assert (turkish.column, turkish.row, turkish.group) == ("udpos", "mnli", "agglutinative")
    assert (turkish.family, turkish.genus, turkish.script, turkish.tokens_per_word) == ("Turkic", "Turkic", "Latn", 2.5)
    assert turkish.gain == pytest.approx(noise(1)["tr"])
    assert any("English is left out" in note for note in found.notes)


def test_a_planted_difference_is_found_and_an_absent_one_states_what_it_could_have_seen() -> None:
    gain = {c: value + 4.0 * (LANGUAGES[c].script == "Latn") for c, value in noise(2).items()}
    by_script = lens(study(gain), by="script")
    assert by_script.test is not None
    [latin] = [item for item in by_script.test.differences if item.group == "Latin"]
    assert latin.status is Status.DECIDED
    assert latin.adjusted == pytest.approx(4.0, abs=0.7)
    assert (latin.num_families, latin.num_languages) == (7, 19)
    by_morphology = lens(study(noise(3)), by="morphology")
    assert by_morphology.test is not None
    [found] = [item for item in by_morphology.test.differences if item.group == "agglutinative"]
    assert found.status is Status.UNDECIDED
    assert found.smallest_visible is not None and 0 < found.smallest_visible < 2


def test_families_are_described_and_nothing_is_claimed_of_them() -> None:
    found = lens(study({c: v + 9.0 * (LANGUAGES[c].family == "Uralic") for c, v in noise(4).items()}), by="family").test
    assert found is not None
    assert {item.status for item in found.differences} == {Status.DESCRIPTIVE}
    means = {item.group: item for item in found.means}
    assert means["Uralic"].mean > 8
    assert (means["Uralic"].num_languages, means["Uralic"].num_families) == (3, 1)


def test_languages_of_an_unknown_group_are_named_and_left_out() -> None:
    found = lens(study(noise(5)), by="morphology")
    assert found.test is not None
    assert sum(item.num_languages for item in found.test.means) == len(XTREME) - 1 - 4
    assert "morphology is not known for bn, id, ms, my: left out of the comparison" in found.notes


def test_covariates_and_what_is_said_of_them() -> None:
    ratios = {code: 1.0 + index / 10 for index, code in enumerate(XTREME)}
    found = lens(study(noise(6), fertility=measured(ratios)), by="script")
    assert found.covariates == (PRETRAINING, TOKENS)
    assert "not in CC-100, counted with 0.05 GiB: yo" in found.notes
    without = lens(study(noise(6)), by="script")
    assert without.covariates == (PRETRAINING,)
    assert any(note.startswith("tokens per word were not measured") for note in without.notes)
    lacking = lens(study(noise(6), fertility=measured({**ratios, "zh": None, "ja": None})), by="script")
    assert "tokens per word is taken at its mean for ja, zh, where it is not known" in lacking.notes
    few = lens(study(noise(6), fertility=measured({"tr": 2.0, "de": 1.5})), by="script")
    assert few.covariates == (PRETRAINING,)
    assert any(note.startswith("tokens per word is no covariate") for note in few.notes)


def test_a_difference_that_is_the_covariate_s_is_not_the_group_s() -> None:
    ratios = {c: 3.0 if LANGUAGES[c].script == "Latn" else 1.0 for c in XTREME}
    noisy = {c: ratio + value for (c, ratio), value in zip(ratios.items(), noise(7, sd=0.05).values(), strict=True)}
    gain = {c: 5.0 * noisy[c] + value for c, value in noise(8, sd=0.5).items()}
    found = lens(study(gain, fertility=measured(noisy)), by="script")
    plain = lens(study(gain), by="script")
    assert found.test is not None and plain.test is not None
    assert [d.status for d in plain.test.differences if d.group == "Latin"] == [Status.DECIDED]
    assert [d.status for d in found.test.differences if d.group == "Latin"] == [Status.UNDECIDED]


def test_gains_that_follow_distance_show_in_the_correlation() -> None:
    gain = {c: value - 10.0 * (LANGUAGES[c].distance or 0.5) for c, value in noise(9, sd=0.2).items()}
    found = {item.name: item.trend for item in lens(study(gain)).correlations}
    assert set(found) == {DISTANCE, PRETRAINING}
    assert found[DISTANCE].status is Status.DECIDED
    assert found[DISTANCE].correlation is not None and found[DISTANCE].correlation < -0.8
    assert found[DISTANCE].num_languages == sum(LANGUAGES[c].distance is not None for c in XTREME) - 1


def two_targets() -> Results:
    easy, hard = column("easy", languages=("de", "fr", "tr")), column("hard", languages=("tr", "zh"))
    scores: Scores = {
        ("none", "easy"): {"de": 50, "fr": 50, "tr": 50},
        ("mnli", "easy"): {"de": 60, "fr": 61, "tr": 62},
        ("squad", "easy"): {"de": 50, "fr": 50, "tr": 50},
        ("none", "hard"): {"tr": 30, "zh": 30},
        ("mnli", "hard"): {"tr": 31, "zh": 31},
        ("squad", "hard"): {"tr": 28, "zh": 26},
    }
    return Results(columns=(easy, hard), scores=scores, chosen={"easy": "mnli", "hard": "squad"})


def test_targets_are_pooled_without_rewarding_the_easy_one() -> None:
    found = lens(two_targets(), by="language")
    assert [(p.language, p.column, p.row, p.gain) for p in found.table][-2:] == [
        ("tr", "hard", "squad", -2.0),
        ("zh", "hard", "squad", -4.0),
    ]
    pooled = {point.language: point for point in found.points}
    level = (11 - 3) / 2
    assert pooled["de"].gain == pytest.approx(level - 1)
    assert pooled["tr"].gain == pytest.approx(level + 1)
    assert pooled["zh"].gain == pytest.approx(level - 1)
    assert (pooled["tr"].column, pooled["tr"].row) == (None, None)
    assert pooled["de"].row == "mnli"


def test_a_target_or_a_row_can_be_named() -> None:
    found = lens(two_targets(), column="hard", row="mnli")
    assert [(point.language, point.gain) for point in found.points] == [("tr", 1.0), ("zh", 1.0)]
    assert (found.column, found.row) == ("hard", "mnli")
    with pytest.raises(UnknownNameError, match='Did you mean "hard"'):
        lens(two_targets(), column="herd")
    with pytest.raises(UnknownNameError, match='Did you mean "mnli"'):
        lens(two_targets(), row="mnil")
    with pytest.raises(UnknownNameError, match="grouping"):
        lens(two_targets(), by="continent")
    with pytest.raises(InputError, match="it has no gain"):
        lens(two_targets(), row="none")


def test_targets_without_a_gain_are_named() -> None:
    results = two_targets()
    results.chosen = {"easy": "none", "hard": None}
    results.__post_init__()
    found = lens(results)
    assert found.table == found.points == ()
    assert found.test is None
    assert found.correlations == ()
    assert "easy: the best row is none, which has no gain" in found.notes
    assert "hard: nothing is done yet" in found.notes


def test_a_language_outside_the_table_is_named_and_left_out() -> None:
    found = lens(study({"de": 1.0, "tlh": 2.0}))
    assert [point.language for point in found.points] == ["de"]
    assert "not in the table of languages, left out: tlh" in found.notes


def test_toy_languages_claim_nothing() -> None:
    found = lens(study({"qaa": 1.0, "qab": 2.0, "qac": 3.0, "qad": 4.0}))
    assert found.test is not None
    assert [item.group for item in found.test.means] == ["toy"]
    assert found.test.differences == ()
    assert (found.covariates, found.correlations) == ((), ())


def test_a_lens_is_json() -> None:
    value = lens(study(noise(10)), by="resource").to_json()
    assert json.loads(json.dumps(value, allow_nan=False)) == value


def test_from_a_store_to_the_lens(tmp_path: Path) -> None:
    store, target = FakeStore(tmp_path), column("xnli", languages=("en", "de", "sw", "zh"))
    items = [replicate("none", target, None, 1), replicate("mnli", target, 1, 1)]
    evaluate(store, items[0], 60)
    evaluate(store, items[1], 70, languages={"sw": 55})
    made = record([Row(name="none"), Row(name="mnli")], [target], items)
    store.notes["studies/study/fertility"] = measured({"de": 1.5, "sw": 2.0})
    found = language_lens(StudyResults(record=made, store=store, draws=50), by="family", permutations=99)  # type: ignore[arg-type]
    gains = {point.language: point.gain for point in found.points}
    assert gains == {"de": pytest.approx(10), "sw": pytest.approx(-5), "zh": pytest.approx(10)}
    assert [point.tokens_per_word for point in found.points] == [1.5, 2.0, None]


def test_a_probe_is_no_target_of_the_lens() -> None:
    probe = replace(column("masked_lm"), kind="masked_lm", select_languages=())
    plain = study(noise(1))
    scores = {**plain.scores, ("none", "masked_lm"): {"de": 30.0}, ("mnli", "masked_lm"): {"de": 20.0}}
    with_probe = Results(columns=(*plain.columns, probe), scores=scores, chosen=plain.chosen)
    assert {point.column for point in lens(with_probe).table} == {"udpos"}
    assert any("masked_lm" in note for note in lens(with_probe, column="masked_lm").notes)
    assert [point.language for point in lens(with_probe, column="masked_lm", row="mnli").table] == ["de"]
