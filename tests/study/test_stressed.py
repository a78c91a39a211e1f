"""Studies that stress their models: one stage beside each evaluation, ids of all others as they were."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stilts.errors import InputError, StudyError
from stilts.study.plan import Plan
from stilts.study.planning import make_plan
from stilts.study.stage import EvaluateStage
from stilts.study.stage_names import stage_names
from tests.study.toy_study import resolved, write_encoder_folder

KEYBOARD = {"perturb": "keyboard", "strength": 0.3, "seed": 1}
TARGETS = {"udpos": {"languages": ["en", "qaa"]}, "xquad": {"languages": ["en", "qaa"]}, "tatoeba": None}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_encoder_folder(tmp_path / "tiny")
    return tmp_path


def planned(folder: Path, *stresses: dict[str, Any], **changes: Any) -> Plan:
    given = {"robustness": list(stresses)} if stresses else {}
    return make_plan(resolved(folder, **{"targets": TARGETS, **given, **changes}))


def stressed(plan: Plan) -> list[EvaluateStage]:
    found = [stage for stage in plan.stages.values() if isinstance(stage, EvaluateStage)]
    return [stage for stage in found if any(item.stress for item in stage.items)]


def test_nothing_is_trained_for_it_and_all_other_ids_stay(folder: Path) -> None:
    before, after = planned(folder), planned(folder, KEYBOARD)
    new = after.stages.keys() - before.stages.keys()
    assert before.stages.keys() <= after.stages.keys()
    assert new == {stage.stage_id for stage in stressed(after)} and len(new) == len(after.replicates) == 9
    for one in after.replicates:
        stage = after.stages[one.scoring_stages[1]]
        assert stage.parent == after.stages[one.evaluate_stage].parent
        assert after.all_of(one)[-2:] == one.scoring_stages and after.of(one)[-1] == one.evaluate_stage
        assert set(one.stressed) == {"keyboard 0.3 seed 1"}
        assert set(one.stressed["keyboard 0.3 seed 1"]) == set(one.outputs["report"])
        assert stage_names(after.record)[stage.stage_id].startswith("stressed scores of")
    assert all(not one.stressed for one in before.replicates)
    assert planned(folder, KEYBOARD).only(after.replicates[:1]).stages.keys() >= set(after.replicates[0].scoring_stages)


def test_one_more_stress_is_scored_alone(folder: Path) -> None:
    first = planned(folder, KEYBOARD)
    more = planned(folder, KEYBOARD, {"perturb": "swap"}, {"attack": "characters", "targets": ["udpos"], "queries": 8})
    assert first.keys <= more.keys and first.stages.keys() == more.stages.keys()
    done = first.keys
    needed = more.needed(done)
    assert set(needed) >= {stage.stage_id for stage in stressed(more)}
    [udpos] = {len(stage.items) for stage in stressed(more) if stage.name == "udpos"}
    assert udpos == 6, "two perturbations and an attack in two languages"


@pytest.mark.parametrize(
    "change", [{"strength": 0.4}, {"seed": 2}, {"perturb": "swap"}, {"limit": 7}], ids=lambda change: next(iter(change))
)
def test_what_is_altered_is_in_its_key(folder: Path, change: dict[str, Any]) -> None:
    one, other = (planned(folder, stress).replicates[0].stressed for stress in (KEYBOARD, {**KEYBOARD, **change}))
    keys = [set(next(iter(some.values())).values()) for some in (one, other)]
    assert keys[0].isdisjoint(keys[1])


def test_a_dictionary_is_pinned_and_english_is_not_switched(folder: Path) -> None:
    plan = planned(folder, {"perturb": "code_switch", "dictionary": "translation", "targets": ["udpos"]})
    items = [item for stage in stressed(plan) for item in stage.items]
    assert {item.view.language for item in items} == {"qaa"}
    assert all(item.stress and item.stress.dictionary and "dictionary" in item.stress.payload() for item in items)


def test_sentences_are_added_to_paragraphs_only(folder: Path) -> None:
    plan = planned(folder, {"perturb": "distractors"})
    assert {stage.name for stage in stressed(plan)} == {"xquad"}


@pytest.mark.parametrize(
    ("stress", "told"),
    [
        ({"perturb": "distractors", "targets": ["udpos"]}, "no paragraph"),
        ({"perturb": "diacritics"}, "no diacritics"),
        ({"attack": "characters", "targets": ["tatoeba"]}, "loss of single examples"),
        ({"perturb": "keyboard", "targets": ["nothing"]}, 'no target "nothing"'),
        ({"perturb": "keyboard", "attack": "characters"}, "one of perturb and attack"),
        ({"perturb": "keyboard", "queries": 5}, "queries are an attack's"),
        ({"perturb": "code_switch"}, "needs a dictionary"),
        ({"perturb": "code_switch", "dictionary": "nothing"}, "nothing"),
    ],
)
def test_what_cannot_be_meant_is_told(folder: Path, stress: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told) as caught:
        planned(folder, stress)
    assert "robustness" in str(caught.value) or isinstance(caught.value, StudyError)
