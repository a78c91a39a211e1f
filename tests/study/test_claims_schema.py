"""Claims in study files: what may be claimed, and that the record keeps it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stilts.errors import InputError
from stilts.study.claims_schema import Claim
from stilts.study.planning import make_plan
from tests.ledger.reading import record_from_json, record_to_json
from tests.study.toy_study import parsed, resolved

CLAIM: dict[str, Any] = {"name": "helps", "gain": {"row": "mnli", "targets": ["udpos"], "languages": ["family:Turkic"]}}


def test_the_record_keeps_claims_and_ids_do_not_know_them(folder: Path) -> None:
    plan = make_plan(resolved(folder, claims=[CLAIM]))
    kept = record_from_json(record_to_json(plan.record)).settings["claims"]

    assert isinstance(kept, list) and Claim.model_validate(kept[0]) == Claim.model_validate(CLAIM)
    assert set(plan.stages) == set(make_plan(resolved(folder)).stages)


@pytest.mark.parametrize(
    ("claim", "told"),
    [
        ({"name": "x"}, "one of gain"),
        ({**CLAIM, "difference": {"row": "mnli", "group": "family:Turkic"}}, "one of gain"),
        ({**CLAIM, "above": 0, "below": 1}, "not both"),
        ({"name": "x", "gain": {"row": "nobody"}}, "nobody"),
        ({"name": "x", "gain": {"row": "mnli", "over": "mnli"}}, "both mnli"),
        ({"name": "x", "gain": {"row": "mnli", "targets": ["nowhere"]}}, "nowhere"),
        ({"name": "x", "difference": {"row": "mnli", "group": "Turkic"}}, "group"),
        ({"name": "x", "drop": {"row": "mnli", "under": "keyboard 0.3"}}, "no stress has that name"),
        ({"name": "x", "trend": {"row": "mnli", "along": "distance"}, "above": 0.5}, "no other threshold"),
    ],
)
def test_what_cannot_be_meant_is_refused(claim: dict[str, Any], told: str, folder: Path) -> None:
    with pytest.raises(InputError, match=told):
        parsed(folder, claims=[claim])


def test_two_claims_have_two_names(folder: Path) -> None:
    with pytest.raises(InputError, match=r"claims\[1\]\.name: helps is there twice"):
        parsed(folder, claims=[CLAIM, CLAIM])


PUBLISHED: dict[str, Any] = {"source": "Somebody 2020", "gains": {"mnli": 7.5}, "targets": ["udpos"]}


def test_published_figures_are_kept_and_ids_do_not_know_them(folder: Path) -> None:
    plan = make_plan(resolved(folder, published=[PUBLISHED]))

    assert record_from_json(record_to_json(plan.record)).settings["published"] == [PUBLISHED]
    assert set(plan.stages) == set(make_plan(resolved(folder)).stages)


@pytest.mark.parametrize(
    ("published", "told"),
    [
        ({"source": "x"}, "gains, best"),
        ({**PUBLISHED, "gains": {"nobody": 1.0}}, "nobody"),
        ({**PUBLISHED, "targets": ["nowhere"]}, "nowhere"),
    ],
)
def test_published_figures_name_what_is_there(published: dict[str, Any], told: str, folder: Path) -> None:
    with pytest.raises(InputError, match=told):
        parsed(folder, published=[published])
