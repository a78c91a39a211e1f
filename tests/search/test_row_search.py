"""RowSearch over real plans and a real store: what is told to Optuna, by which objective, and where a search starts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import optuna
import pytest

from stilts.app.searching import check_searches, row_searches
from stilts.app.workspace import Workspace, assemble
from stilts.errors import StudyError
from stilts.ledger.decision import Pruned
from stilts.ledger.records import PRUNED
from stilts.ledger.study_record import write_study
from stilts.search.conductor import Conductor
from stilts.search.deciding import Known
from stilts.search.work_source import NoStage
from stilts.store import Store, make_store
from stilts.study.stage import Stage, TrainStage
from stilts.study.study import Study
from tests.study.toy_study import study_fields, write_encoder_folder

RATE = {"low": 1e-6, "high": 1e-2, "log": True}
TARGETS = {"udpos": {"languages": ["en", "qaa"]}, "panx": {"languages": ["en", "qaa"]}}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return make_store(str(tmp_path / "store"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("studies")
    write_encoder_folder(folder / "tiny")
    return folder


def workspace(folder: Path, search: Mapping[str, Any], **changes: Any) -> Workspace:
    rows = {"none": None, "mnli": {"search": {"learning_rate": RATE, "proposals": 3, "sampler": "random", **search}}}
    fields = study_fields(**{"intermediates": rows, "targets": TARGETS, "selection": "target_dev", **changes})
    return assemble(Study.parse(json.dumps(fields), folder / "study.yaml"))


def conductor(subject: Workspace, store: Store) -> Conductor:
    return Conductor(
        resolved=subject.resolved,
        store=store,
        searches=row_searches(subject, store),
        on_plan=lambda plan: write_study(store, plan.record),
    )


def drive(
    subject: Conductor,
    store: Store,
    folder: Path,
    *,
    score: Callable[[str, str], float] = lambda stage, language: 50.0,
    fate: Callable[[Stage], str] = lambda stage: "done",
    at_most: int = 10_000,
) -> int:
    """Runs stages one at a time; ``score`` is by the stage's name and parent's rate, and the language."""
    ran = 0
    while ran < at_most and not isinstance(stage := subject.next_stage(), NoStage):
        ran += 1
        if fate(stage) == "failed":
            subject.failed(stage.stage_id, "ValueError: broken on purpose", will_retry=False)
            continue
        if fate(stage) == "pruned":
            where = {"stage_id": stage.stage_id, "row": "mnli", "column": "udpos", "proposal": 0}
            pruned = Pruned(step=5, steps=10, score=41.5, policy="p", reason="on purpose", **where)  # type: ignore[arg-type]
            PRUNED.write(store, pruned, subject.resolved.study.name, stage.stage_id)
        else:
            publish(subject, stage, store, folder, score)
        state = fate(stage)
        subject.finished(stage.stage_id, {"state": state, "stage_id": stage.stage_id, "executed": True, "seconds": 1.0})
    return ran


def publish(subject: Conductor, stage: Stage, store: Store, folder: Path, score: Callable[[str, str], float]) -> None:
    content = folder / "content"
    content.mkdir(exist_ok=True)
    (content / "file").write_text(stage.stage_id)
    with store.lease(stage.stage_id) as lease:
        for key in stage.outputs:
            language = key.split(".")[1].split("-")[0] if "/" in key else ""
            result: dict[str, Any] = {"seconds": 2.0, "num_items": 1, "score": score(rate_of(subject, stage), language)}
            store.publish(key, content, payload={}, result=result, lease=lease)


def rate_of(subject: Conductor, stage: Stage) -> str:
    """``none``, or the learning rate of the recipe that an evaluated model comes from."""
    for replicate in subject.plan.replicates:
        if replicate.evaluate_stage == stage.stage_id and replicate.intermediate_stage is not None:
            recipe = subject.plan.stages[replicate.intermediate_stage]
            assert isinstance(recipe, TrainStage)
            return f"{recipe.config.learning_rate}/{replicate.intermediate_seed}"
    return "none"


def trials(store: Store, aim: str, name: str = "small") -> list[optuna.trial.FrozenTrial]:
    return optuna.load_study(study_name=f"{name}/mnli/{aim}", storage=f"sqlite:///{store.url}/optuna.db").trials


def proposals(store: Store, name: str = "small") -> list[dict[str, Any]]:
    values = [store.read_record(record) for record in store.records(f"studies/{name}/proposals/mnli/")]
    return [value for value in values if isinstance(value, dict)]


def by_rate(rate: str, language: str) -> float:
    """``none`` scores 50 everywhere; a recipe gains its rate in hundredths in English and loses 1 in the other."""
    if rate == "none":
        return 50.0
    return 50.0 + 100 * float(rate.partition("/")[0]) if language == "en" else 49.0


# --- objectives ---


def test_several_objectives_are_told_with_all_values(folder: Path, store: Store, tmp_path: Path) -> None:
    search = {"objective": ["gain", "languages_hurt"], "sampler": "tpe", "proposals": 6}
    subject = conductor(workspace(folder, search), store)
    drive(subject, store, tmp_path, score=by_rate)
    told = trials(store, "gain+languages_hurt")
    assert len(told) == 6 and all(trial.state.name == "COMPLETE" for trial in told)
    for trial in told:
        gain, hurt = trial.values
        assert gain == pytest.approx((100 * trial.params["learning_rate"] - 1.0) / 2)
        assert hurt == 1.0
    study = optuna.load_study(study_name="small/mnli/gain+languages_hurt", storage=f"sqlite:///{store.url}/optuna.db")
    assert [direction.name for direction in study.directions] == ["MAXIMIZE", "MINIMIZE"]
    (best,) = study.best_trials
    assert best.values[0] == max(trial.values[0] for trial in told)


def test_an_average_is_told_once_every_target_is_scored(folder: Path, store: Store, tmp_path: Path) -> None:
    subject = conductor(workspace(folder, {"objective": "xtreme_average", "proposals": 1}), store)
    seen = []
    while drive(subject, store, tmp_path, at_most=1):
        seen.append([trial.state.name for trial in trials(store, "xtreme_average")])
    done = seen.index(["COMPLETE"])
    assert ["RUNNING"] in seen[:done] and seen[done:] == [["COMPLETE"]] * len(seen[done:])
    assert trials(store, "xtreme_average")[0].value == 50.0


def test_of_two_targets_each_study_is_told_of_every_recipe(folder: Path, store: Store, tmp_path: Path) -> None:
    drive(conductor(workspace(folder, {}), store), store, tmp_path, score=by_rate)
    assert [len(trials(store, target)) for target in ("udpos", "panx")] == [3, 3]


# --- seeds ---


def test_the_told_value_is_the_mean_over_seeds_and_follows_later_ones(
    folder: Path, store: Store, tmp_path: Path
) -> None:
    subject = conductor(workspace(folder, {"objective": "udpos", "proposals": 1}), store)
    drive(subject, store, tmp_path, score=lambda rate, language: 60.0 + 10 * int(rate[-1] == "1"))
    (trial,) = trials(store, "udpos")
    assert trial.value == 60.0
    search, plan = subject.searches["mnli"], subject.plan
    first = next(r for r in plan.replicates if r.proposal == 0 and r.column == "udpos")
    later = [_later_seed(first, number) for number in (1, 2)]
    grown = _with_replicates(plan, later)
    for number, replicate in enumerate(later):
        done = {key for by in replicate.outputs.values() for key in by.values()}
        for key in done:
            _publish_score(store, key, tmp_path, 70.0 + 20 * number)
        search.tell(Known(plan=grown, whole=grown, done=set(store.done())))
        assert trials(store, "udpos")[0].value == pytest.approx([65.0, 220 / 3][number])
    (trial,) = trials(store, "udpos")
    assert trial.state.name == "COMPLETE" and trial.user_attrs["stilts_number"] == 0


def _later_seed(replicate: Any, seed: int) -> Any:
    from dataclasses import replace

    outputs = {use: {c: f"{key}-{seed}" for c, key in by.items()} for use, by in replicate.outputs.items()}
    return replace(
        replicate, intermediate_seed=seed, evaluate_stage=f"{replicate.evaluate_stage}-{seed}", outputs=outputs
    )


def _with_replicates(plan: Any, more: list[Any]) -> Any:
    from dataclasses import replace

    return replace(plan, record=replace(plan.record, replicates=(*plan.record.replicates, *more)))


def _publish_score(store: Store, key: str, folder: Path, score: float) -> None:
    content = folder / "content"
    with store.lease(key.split("/")[0]) as lease:
        store.publish(key, content, payload={}, result={"seconds": 1.0, "num_items": 1, "score": score}, lease=lease)


def test_a_recipe_that_another_study_trained_is_told_though_nothing_runs(
    folder: Path, store: Store, tmp_path: Path
) -> None:
    drive(conductor(workspace(folder, {"objective": "udpos"}, name="first"), store), store, tmp_path)
    second = conductor(workspace(folder, {"objective": "udpos"}, name="second"), store)
    assert drive(second, store, tmp_path) == 0
    assert [trial.state.name for trial in trials(store, "udpos", "second")] == ["COMPLETE"] * 3


# --- failures and pruning ---


def test_after_a_run_with_failures_nothing_is_running(folder: Path, store: Store, tmp_path: Path) -> None:
    def fate(stage: Stage) -> str:
        return "failed" if isinstance(stage, TrainStage) and stage.name == "mnli" else "done"

    subject = conductor(workspace(folder, {"proposals": 4}), store)
    drive(subject, store, tmp_path, fate=fate)
    for target in ("udpos", "panx"):
        assert [trial.state.name for trial in trials(store, target)] == ["FAIL"] * 4


def test_a_run_that_is_broken_off_leaves_nothing_running(folder: Path, store: Store, tmp_path: Path) -> None:
    subject = conductor(workspace(folder, {"objective": "udpos"}), store)
    while "RUNNING" not in [trial.state.name for trial in _trials_or_none(store)]:
        assert drive(subject, store, tmp_path, at_most=1)
    subject.searches["mnli"].close()
    assert [trial.state.name for trial in trials(store, "udpos")] == ["FAIL"]
    drive(conductor(workspace(folder, {"objective": "udpos"}), store), store, tmp_path)
    assert [trial.state.name for trial in trials(store, "udpos")] == ["COMPLETE"] * 3


def _trials_or_none(store: Store) -> list[optuna.trial.FrozenTrial]:
    try:
        return trials(store, "udpos")
    except KeyError:
        return []


def test_a_pruned_recipe_is_told_as_pruned_with_its_last_score(folder: Path, store: Store, tmp_path: Path) -> None:
    wanted = workspace(folder, {"objective": "udpos", "proposals": 2})
    subject = conductor(wanted, store)

    def fate(stage: Stage) -> str:
        places = [r for r in subject.plan.replicates if r.target_stage == stage.stage_id]
        return "pruned" if any(r.proposal == 0 and r.column == "udpos" for r in places) else "done"

    drive(subject, store, tmp_path, fate=fate)
    for again in (False, True):
        if again:
            (Path(store.url) / "optuna.db").unlink()
            conductor(wanted, store)
        pruned, complete = sorted(trials(store, "udpos"), key=lambda trial: trial.user_attrs["stilts_number"])
        assert (pruned.state.name, pruned.intermediate_values) == ("PRUNED", {5: 41.5})
        assert complete.state.name == "COMPLETE"


# --- reasons and warm starts ---


def test_every_proposal_says_why(folder: Path, store: Store, tmp_path: Path) -> None:
    drive(conductor(workspace(folder, {"objective": "udpos"}), store), store, tmp_path, score=by_rate)
    reasons = [value["reason"] for value in proposals(store)]
    assert reasons[0] == "Drawn by random for udpos, which knows 0 scored recipes."
    assert reasons[1].startswith(
        "Drawn by random for udpos, which knows 1 scored recipe; the best so far, number 0, has "
    )


def test_a_warm_start_proposes_the_best_recipes_of_an_earlier_study(folder: Path, store: Store, tmp_path: Path) -> None:
    earlier = workspace(folder, {"proposals": 5}, name="earlier")
    drive(conductor(earlier, store), store, tmp_path, score=by_rate)
    rates = sorted((value["params"]["learning_rate"] for value in proposals(store, "earlier")), reverse=True)
    later = workspace(folder, {"objective": "gain", "proposals": 7, "start_from": "earlier"}, name="later")
    drive(conductor(later, store), store, tmp_path, score=by_rate, at_most=3)
    drive(conductor(later, store), store, tmp_path, score=by_rate)
    found = proposals(store, "later")
    assert [value["params"]["learning_rate"] for value in found[:2]] == rates[:2]
    assert found[0]["from"].startswith("earlier/mnli/") and "place 1 there" in found[0]["reason"]
    assert len(found) == 7 and not any(value["from"] for value in found[2:])
    assert len({json.dumps(value["params"]) for value in found}) == 7
    assert len(trials(store, "gain", "later")) == 7


def test_a_warm_start_needs_a_study_with_recipes_that_fit(folder: Path, store: Store, tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"no study of that name"):
        check_searches(workspace(folder, {"start_from": "erlier"}), store)
    earlier = workspace(folder, {"proposals": 2}, name="earlier")
    drive(conductor(earlier, store), store, tmp_path, score=by_rate)
    for search, why in (
        ({"learning_rate": {"low": 0.1, "high": 0.2}}, "no searched recipe"),
        ({"warmup_frac": {"low": 0.1, "high": 0.2}}, "no searched recipe"),
        ({"proposals": 2}, "a third of 2"),
    ):
        with pytest.raises(StudyError, match=why):
            check_searches(workspace(folder, {"start_from": "earlier", **search}), store)
    with pytest.raises(StudyError, match="this study itself"):
        check_searches(workspace(folder, {"start_from": "earlier"}, name="earlier"), store)


# --- what is refused when a study is looked at ---


@pytest.mark.parametrize(
    ("search", "changes", "why"),
    [
        ({"objective": "report"}, {}, "oracle"),
        ({"objective": "language:qaa"}, {"selection": "english_dev"}, "English alone"),
        ({"objective": "udpso"}, {}, 'Did you mean "udpos"'),
        ({"sampler": "cmaes"}, {}, r'given up.*Write "sampler: tpe"'),
        ({"sampler": "grid"}, {}, "continuous"),
        ({"sampler": "annealing"}, {}, "no sampler has that name"),
    ],
)
def test_a_search_that_cannot_be_is_refused_before_anything_runs(
    search: dict[str, Any], changes: dict[str, Any], why: str, folder: Path
) -> None:
    with pytest.raises(StudyError, match=why) as caught:
        check_searches(workspace(folder, search, **changes))
    assert "intermediates.mnli.search." in caught.value.asked


def test_none_has_no_gain_over_itself(folder: Path) -> None:
    search = {"target_learning_rate": RATE, "proposals": 2, "objective": "gain"}
    with pytest.raises(StudyError, match="over itself"):
        check_searches(workspace(folder, {}, intermediates={"none": {"search": search}}))


@pytest.mark.parametrize("selection", ["report", "oracle"])
def test_a_study_cannot_select_on_report(selection: str, folder: Path) -> None:
    with pytest.raises(StudyError, match=r"selection.*oracle.*english_dev or target_dev"):
        workspace(folder, {}, selection=selection)


# --- proposals that were set aside ---


@pytest.mark.parametrize("sampler", ["random", "tpe"])
@pytest.mark.parametrize("lost", [0, 1, 4])
def test_a_proposal_that_was_set_aside_is_drawn_again_as_it_was(
    sampler: str, lost: int, folder: Path, store: Store, tmp_path: Path
) -> None:
    subject = workspace(folder, {"sampler": sampler, "proposals": 5})
    drive(conductor(subject, store), store, tmp_path, score=by_rate)
    before = [(each["number"], each["params"]) for each in proposals(store)]
    store.delete_record(f"studies/small/proposals/mnli/{lost:04d}")
    assert drive(conductor(subject, store), store, tmp_path, score=by_rate) == 0
    assert [(each["number"], each["params"]) for each in proposals(store)] == before
