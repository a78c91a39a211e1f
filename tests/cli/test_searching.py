"""plan, validate and run refuse a search that cannot be, before they do anything."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stilts.cli.api import RunOptions, run
from stilts.cli.inspect import planned, validated
from stilts.errors import StudyError
from tests.study.toy_study import study_fields, write_encoder_folder

RATE = {"low": 1e-6, "high": 1e-2, "log": True}
VERBS: dict[str, Callable[[str, str], Any]] = {
    "plan": planned,
    "validate": lambda study, store: validated(study),
    "run": lambda study, store: run(study, RunOptions(store=store, tracking="none", local=True)),
}


def write_study(folder: Path, search: dict[str, Any], **changes: Any) -> str:
    write_encoder_folder(folder / "tiny")
    rows = {"mnli": {"search": {"learning_rate": RATE, "proposals": 3, **search}}}
    path = folder / "study.yaml"
    path.write_text(json.dumps(study_fields(intermediates=rows, **changes)))
    return str(path)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    ("search", "why"),
    [
        ({"objective": "worst_language"}, "English alone has selection scores"),
        ({"objective": ["gain", "oracle"]}, "never advised"),
        ({"sampler": "cmaes", "objective": ["gain", "udpos"]}, "several objectives"),
        ({"sampler": "grid"}, "continuous range"),
        ({"racing": {"policy": "wilcoxon"}}, "search.racing: search.seeds is 1"),
    ],
)
def test_every_verb_refuses_a_search_that_cannot_be(
    verb: str, search: dict[str, Any], why: str, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    with pytest.raises(StudyError, match=why):
        VERBS[verb](write_study(tmp_path, search), str(store))
    assert not store.exists()


def test_a_plan_refuses_to_start_from_a_study_that_the_store_lacks(tmp_path: Path) -> None:
    store = tmp_path / "store"
    store.mkdir()
    with pytest.raises(StudyError, match="no study of that name"):
        planned(write_study(tmp_path, {"start_from": "earlier"}, encoder={"toy": True}), str(store))
