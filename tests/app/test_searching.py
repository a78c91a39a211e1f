"""plan, validate and run refuse a search that cannot be, before they do anything."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stilts.app.costing import planned
from stilts.app.pruned import check_pruning
from stilts.app.running import RunOptions, make_conductor, run
from stilts.app.searching import row_races
from stilts.app.validating import validated
from stilts.app.workspace import assemble
from stilts.errors import StudyError
from stilts.fingerprint import Json
from stilts.ledger.decision import ProposalRecord
from stilts.ledger.records import PROPOSALS, number_part
from stilts.ledger.study_record import write_study as keep_record
from stilts.store import make_store
from stilts.study.planning import make_plan
from stilts.study.study import Study
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
        ({"sampler": "cmaes"}, r'given up.*Write "sampler: tpe"'),
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
    store, path = tmp_path / "store", write_study(tmp_path, {"start_from": "earlier"}, encoder={"toy": True})
    for _ in ("there is no store yet", "there is one"):
        with pytest.raises(StudyError, match="no study of that name"):
            planned(path, str(store))
        make_store(str(store))


def test_validate_looks_at_what_a_study_starts_from_as_far_as_a_store_is_there(tmp_path: Path) -> None:
    store, path = tmp_path / "store", write_study(tmp_path, {"start_from": "earlier"}, encoder={"toy": True})
    field = "intermediates.mnli.search.start_from"
    unchecked = f"Not checked: {field} earlier. There is no store at {store}; --store names the one that has it."
    assert validated(path, str(store))["notes"][0] == unchecked and not store.exists()
    make_store(str(store))
    with pytest.raises(StudyError, match=rf"{field}.*has no study of that name"):
        validated(path, str(store))


def test_validate_holds_earlier_recipes_against_the_search_space(tmp_path: Path) -> None:
    opened = make_store(str(tmp_path / "store"))
    (folder := tmp_path / "earlier").mkdir()
    workspace = assemble(Study.load(write_study(folder, {}, name="earlier", encoder={"toy": True})))
    keep_record(opened, make_plan(workspace.resolved).record)
    drawn = ProposalRecord(number=0, params={"learning_rate": 1e-3})
    PROPOSALS.write(opened, drawn, "earlier", "mnli", number_part(0))
    search = {"start_from": "earlier", "learning_rate": {"low": 0.1, "high": 0.2}}
    path = write_study(tmp_path, search, name="later", encoder={"toy": True})
    with pytest.raises(StudyError, match="no searched recipe whose parameters are of this row's search space"):
        validated(path, opened.url)


@pytest.mark.parametrize("verb", VERBS)
def test_no_study_starts_from_itself(verb: str, tmp_path: Path) -> None:
    path = write_study(tmp_path, {"start_from": "mine"}, name="mine")
    with pytest.raises(StudyError, match=r"start_from.*it is this study itself"):
        VERBS[verb](path, str(tmp_path / "store"))


def test_a_plan_refuses_a_prior_that_is_not_there(tmp_path: Path) -> None:
    store = tmp_path / "store"
    path = tmp_path / "study.yaml"
    fields = study_fields(policy={"name": "select", "priors": ["earlier"]}, encoder={"toy": True})
    path.write_text(json.dumps(fields))
    for _ in ("there is no store yet", "there is one"):
        with pytest.raises(StudyError, match=r'policy\.priors: the store .* has no study "earlier"'):
            planned(str(path), str(store))
        make_store(str(store))


@pytest.mark.parametrize(
    ("objective", "raced_over"),
    [("xnli", ["xnli"]), ("per_target", ["udpos", "xnli"]), ("xtreme_average", ["udpos", "xnli"])],
)
def test_a_race_is_decided_by_the_targets_that_the_search_climbs_by(
    objective: str, raced_over: list[str], tmp_path: Path
) -> None:
    targets = {"udpos": {"languages": ["en"]}, "xnli": {"languages": ["en"]}, "masked_lm": {"languages": ["en"]}}
    search = {"objective": objective, "seeds": 3, "racing": {"policy": "wilcoxon"}}
    workspace = assemble(Study.load(write_study(tmp_path, search, targets=targets)))
    assert row_races(workspace, make_store(str(tmp_path / "store")))["mnli"].columns == tuple(raced_over)


SHORT = {"intermediate": {"steps": 20}, "encoding": {"max_length": 96}}


@pytest.mark.parametrize("evaluate_every", [0, 20, 9])  # 9 of 20 steps: at 0.45 and 0.9
def test_pruning_that_could_never_stop_anything_is_refused(evaluate_every: int, tmp_path: Path) -> None:
    defaults = {**SHORT, "target": {"steps": 20, "evaluate_every": evaluate_every}}
    path = write_study(tmp_path, {}, pruning={"policy": "median"}, defaults=defaults)
    with pytest.raises(StudyError, match=r"no target is evaluated at 0\.25, 0\.5 .* to 5, which is 0\.25 of 20 steps"):
        planned(path, str(tmp_path / "store"))


@pytest.mark.parametrize(
    ("search", "pruning"),
    [({}, {"policy": "median"}), ({"target_steps": {"choices": [8, 20]}}, {"policy": "median", "at_fracs": [0.3]})],
)
def test_pruning_is_accepted_where_a_target_is_evaluated_at_a_fraction(
    search: dict[str, Any], pruning: dict[str, Any], tmp_path: Path
) -> None:
    defaults = {**SHORT, "target": {"steps": 20, "evaluate_every": 10}}
    path = write_study(tmp_path, search, pruning=pruning, defaults=defaults)
    check_pruning(assemble(Study.load(path)))


def test_pruning_without_a_searched_row_is_refused(tmp_path: Path) -> None:
    write_encoder_folder(tmp_path / "tiny")
    path = tmp_path / "study.yaml"
    path.write_text(json.dumps(study_fields(pruning={"policy": "median"})))
    with pytest.raises(StudyError, match="pruning: no row is searched"):
        planned(str(path), str(tmp_path / "store"))


def test_a_plan_counts_the_proposals_that_the_study_still_wants_with_all_their_seeds(tmp_path: Path) -> None:
    store = make_store(str(tmp_path / "store"))
    for number in range(3):
        value: Json = {"number": number, "params": {"learning_rate": 1e-4 * (number + 1)}}
        store.write_record(f"studies/small/proposals/mnli/{number:04d}", value)
    path = write_study(tmp_path, {"proposals": 2, "seeds": 2}, encoder={"toy": True})
    cost, stages = planned(path, str(tmp_path / "store"))
    assert cost.open_proposals == 0
    assert next(line for line in stages if line["name"] == "mnli")["stages"] == 4, "2 proposals under 2 seeds"


@pytest.mark.parametrize("objective", ["per_target", "xtreme_average", ["xnli", "udpos"]])
def test_a_run_counts_to_the_number_that_its_plan_says(objective: Any, tmp_path: Path) -> None:
    store = make_store(str(tmp_path / "store"))
    targets = {"udpos": {"languages": ["en"]}, "xnli": {"languages": ["en"]}, "tatoeba": {"languages": ["qaa"]}}
    path = write_study(tmp_path, {"objective": objective}, encoder={"toy": True}, targets=targets)
    counts = []
    for number in range(3):
        cost, _ = planned(path, store.url)
        workspace = assemble(Study.load(path))
        conductor = make_conductor(workspace, store, RunOptions(store=store.url), on_change=lambda: None)
        progress = conductor.progress()
        assert (progress.total, progress.coming) == (cost.total, cost.later)
        counts.append((cost.total, cost.later))
        drawn = ProposalRecord(row="mnli", number=number, params={"learning_rate": 1e-4 * (number + 1)}, time=1.0)
        PROPOSALS.write(store, drawn, "small", "mnli", number_part(number))
    totals, later = zip(*counts, strict=True)
    assert len(set(totals)) == 1 and sorted(set(later), reverse=True) == list(later), "what is drawn comes no more"


def test_a_policy_that_has_no_target_to_choose_by_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    fields = study_fields(targets={"tatoeba": None}, policy="select", encoder={"toy": True})
    path.write_text(json.dumps(fields))
    with pytest.raises(StudyError, match=r"policy: no target has a selection score"):
        planned(str(path), str(tmp_path / "store"))
