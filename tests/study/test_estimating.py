"""What names an estimate, which stages a study's estimates need, and how cells are put together from them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stilts.errors import StudyError
from stilts.kinds.learning import learning_of
from stilts.ledger.estimates import cell_estimates, effective_size, seconds_per_cell
from stilts.ledger.results import EstimateResult, EvaluateResult, Result, TrainResult
from stilts.study.config import Keep, TaskConfig, TrainConfig
from stilts.study.estimating import probe_config, why_absent
from stilts.study.plan import Plan
from stilts.study.stage import (
    ESTIMATE_VERSION,
    Estimate,
    EstimateData,
    EstimateStage,
    EvaluateStage,
    StageKind,
    TrainStage,
)
from stilts.tasks.kind import TaskKind
from stilts.tasks.kinds import known_kinds
from tests.ledger.reading import record_from_json, record_to_json
from tests.study.handmade import ENCODER, NLI, QA, TAGS, view
from tests.study.toy_study import parsed, planner

ALL = [estimate.value for estimate in Estimate]


def data(**changes: Any) -> EstimateData:
    fields: dict[str, Any] = {"task": NLI, "config": TaskConfig(), "views": (view(),)}
    return EstimateData(**{**fields, **changes})


def stage(estimate: Estimate = Estimate.LOGME, *of: EstimateData, **changes: Any) -> EstimateStage:
    fields: dict[str, Any] = {"estimate": estimate, "parent": None, "encoder": ENCODER, "data": of or (data(),)}
    return EstimateStage(**{**fields, **changes})


# --- identity ---

# As in test_stage_ids.py: a changed id needs a line in CHANGELOG.md.
GOLDEN = [
    "estimate-logme-mnli-8b463f58bc8c",
    "estimate-embedding-xquad-bbad1f3b93fb",
    "estimate-text_overlap-mnli-udpos-3202232f18c8",
]


def test_golden_ids() -> None:
    overlap = stage(Estimate.TEXT_OVERLAP, data(), data(task=TAGS, views=(view(dataset="udpos"),)))
    assert [stage().stage_id, stage(Estimate.EMBEDDING, data(task=QA)).stage_id, overlap.stage_id] == GOLDEN


@pytest.mark.parametrize(
    "changes",
    [
        {"parent": "train-mnli-000000000000"},
        {"encoder": replace(ENCODER, fingerprint="sha256:other")},
        {"encoder": replace(ENCODER, tokenizer="sha256:other")},
        {"estimate": Estimate.H_SCORE},
        {"data": (data(views=(view(fingerprint="sha256:other"),)),)},
        {"data": (data(views=(view(limit=10),)),)},
        {"data": (data(config=TaskConfig(max_length=64)),)},
        {"data": (data(task=replace(NLI, labels=("no", "yes"))),)},
    ],
)
def test_what_bears_on_the_figure_changes_the_id(changes: dict[str, Any]) -> None:
    assert stage(**changes).stage_id != stage().stage_id


def test_a_new_definition_changes_one_estimate_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {estimate: stage(estimate).stage_id for estimate in Estimate}
    monkeypatch.setitem(ESTIMATE_VERSION, Estimate.LOGME, 2)  # type: ignore[arg-type]
    changed = [estimate for estimate in Estimate if stage(estimate).stage_id != before[estimate]]
    assert changed == [Estimate.LOGME]


@pytest.mark.parametrize("estimate", [Estimate.TEXT_OVERLAP, Estimate.SIZE])
def test_estimates_without_a_model_are_shared_among_encoders(estimate: Estimate) -> None:
    other = stage(estimate, data(config=TaskConfig(max_length=64)), encoder=replace(ENCODER, fingerprint="sha256:x"))
    assert other.stage_id == stage(estimate).stage_id


def test_batches_strides_and_labels_matter_only_where_they_are_seen() -> None:
    assert stage(Estimate.LOGME, data(config=TaskConfig(batch_size=8, doc_stride=9))).stage_id == stage().stage_id
    strided = data(task=QA, config=TaskConfig(doc_stride=9))
    assert stage(Estimate.LOGME, strided).stage_id != stage(Estimate.LOGME, data(task=QA)).stage_id
    relabelled = data(task=replace(NLI, labels=("no", "yes"), trained_as="other"))
    assert stage(Estimate.EMBEDDING, relabelled).payload == stage(Estimate.EMBEDDING).payload


# --- planning ---


def estimates_of(plan: Plan, estimate: str) -> list[str]:
    return list(dict.fromkeys(o.key for o in plan.record.estimates if o.estimate == estimate))


def test_other_stages_keep_their_ids_and_come_without_estimates(folder: Path) -> None:
    plain, with_estimates = planner(folder).plan(), planner(folder, estimates=ALL).plan()
    assert plain.record.estimates == () and not plain.estimating
    assert set(plain.stages) < set(with_estimates.stages)
    added = set(with_estimates.stages) - set(plain.stages)
    assert added == with_estimates.estimating
    order = list(with_estimates.stages)
    for stage_id, each in with_estimates.stages.items():
        assert each.parent is None or order.index(each.parent) < order.index(stage_id)


def test_labels_are_looked_at_through_each_rows_recipe_of_seed_0(folder: Path) -> None:
    plan = planner(folder, estimates=["logme"], replicates={"default": {"count": 2}}).plan()
    outputs = {output.row: plan.stages[output.key] for output in plan.record.estimates}
    assert list(outputs) == ["none", "mnli", "hellaswag"], "udpos alone trains"
    assert outputs["none"].parent is None
    recipe = plan.stages[str(outputs["mnli"].parent)]
    assert isinstance(recipe, TrainStage) and recipe.name == "mnli" and recipe.seed == 0
    (looked_at,) = outputs["mnli"].data  # type: ignore[union-attr]
    assert looked_at.views[0].limit == 1000


def test_datasets_are_embedded_and_counted_once(folder: Path) -> None:
    rows = {"none": None, "mnli": None, "longer": {"task": "mnli", "train": {"steps": 30}}}
    rows["mix"] = {"mixture": {"mnli": 0.5, "hellaswag": 0.5}}
    plan = planner(folder, estimates=["embedding", "size", "text_overlap"], intermediates=rows).plan()
    assert [len(estimates_of(plan, name)) for name in ("embedding", "size", "text_overlap")] == [3, 2, 2]
    mixed = [output for output in plan.record.estimates if output.row == "mix" and output.estimate == "size"]
    assert [output.weight for output in mixed] == [0.5, 0.5]


def test_searched_rows_are_left_out(folder: Path) -> None:
    search = {"learning_rate": {"low": 1e-6, "high": 1e-2, "log": True}, "proposals": 2}
    plan = planner(folder, estimates=ALL, intermediates={"none": None, "mnli": {"search": search}}).plan()
    assert {output.row for output in plan.record.estimates} == {"none", None}


def test_a_probe_is_a_short_fine_tuning_scored_on_select(folder: Path) -> None:
    plan = planner(
        folder,
        estimates=["probe"],
        defaults={"intermediate": {"steps": 20}, "target": {"steps": 500}, "encoding": {"max_length": 96}},
    ).plan()
    keys = estimates_of(plan, "probe")
    assert len(keys) == 3 and all("/select." in key for key in keys)
    scored = plan.stages[keys[1].partition("/")[0]]
    assert isinstance(scored, EvaluateStage) and scored.outputs == (keys[1],)
    short = plan.stages[str(scored.parent)]
    assert isinstance(short, TrainStage) and short.config.steps == 50
    assert plan.stages[str(short.parent)].name == "mnli"
    assert {scored.stage_id, short.stage_id} <= plan.estimating and str(short.parent) not in plan.estimating


def test_a_probe_takes_200_steps_or_a_tenth() -> None:
    long = TrainConfig(steps=10_000, keep=Keep.BEST, evaluate_every=100)
    assert (probe_config(long).steps, probe_config(long).keep, probe_config(long).evaluate_every) == (200, Keep.LAST, 0)
    assert [probe_config(TrainConfig(steps=steps)).steps for steps in (300, 4)] == [30, 1]


def test_estimates_are_run_though_nothing_waits_for_them(folder: Path) -> None:
    plan = planner(folder, estimates=ALL).plan()
    done = {key for each in plan.stages.values() if each.kind is not StageKind.ESTIMATE for key in each.outputs}
    assert set(plan.needed(done)) == {i for i, each in plan.stages.items() if each.kind is StageKind.ESTIMATE}
    gone = {i for i, each in plan.stages.items() if isinstance(each, TrainStage)}
    again = {plan.stages[i].name for i in plan.needed(done, gone) if i in gone}
    assert again == {"mnli", "hellaswag"}, "the recipes whose features are wanted are trained again"


def test_a_plan_of_some_replicates_trains_no_recipe_for_an_estimate(folder: Path) -> None:
    plan = planner(folder, estimates=ALL).plan()
    some = plan.only([replicate for replicate in plan.replicates if replicate.row in ("none", "mnli")])
    assert some.record.stages.keys() == some.stages.keys()
    kept = {(one.row, one.estimate) for one in some.record.estimates}
    assert {row for row, name in kept if name in ("logme", "h_score", "probe")} == {"none", "mnli"}
    free = {(one.row, one.estimate) for one in plan.record.estimates if one.estimate in ("embedding", "text_overlap")}
    assert free and free <= kept
    assert planner(folder).plan().only([]).stages == {}


def test_an_unknown_name_is_an_error_with_the_close_one(folder: Path) -> None:
    with pytest.raises(StudyError, match='Did you mean "logme"') as caught:
        parsed(folder, estimates=["logm"])
    assert "estimates" in str(caught.value) and caught.value.exit_code == 2


def test_a_record_keeps_its_estimates_and_an_older_one_has_none(folder: Path) -> None:
    record = planner(folder, estimates=ALL).plan().record
    written = json.loads(json.dumps(record_to_json(record)))
    assert record_from_json(written) == record_from_json(record_to_json(record))
    assert record_from_json(written).estimates == record.estimates
    del written["estimates"]
    assert record_from_json(written).estimates == ()


# --- cells ---


def result(estimate: str, value: Any) -> Result:
    """What an estimate publishes; a probe is an evaluation."""
    if estimate == Estimate.PROBE:
        return EvaluateResult(score=value, num_items=1, seconds=2.0)
    return EstimateResult(value=value, seconds=2.0)


def results_of(plan: Plan, values: dict[str, Any]) -> dict[str, Result]:
    """A result for every estimate: ``values`` by estimate and learners, else 1."""
    found: dict[str, dict[str, Any]] = {}
    for output in plan.record.estimates:
        each = plan.stages[output.key.partition("/")[0]]
        name = "-".join(part.task.learner for part in each.data) if isinstance(each, EstimateStage) else ""
        value = values.get(f"{output.estimate}-{name}", 1.0)
        found[output.key] = result(output.estimate, value)
    return found


def test_a_mixture_counts_its_tasks_by_weight(folder: Path) -> None:
    rows = {"none": None, "mnli": None, "mix": {"mixture": {"mnli": 0.25, "hellaswag": 0.75}}}
    plan = planner(folder, estimates=["embedding", "text_overlap", "size"], intermediates=rows).plan()
    values = {
        "embedding-mnli": [1.0, 0.0],
        "embedding-hellaswag": [0.0, 1.0],
        "embedding-udpos": [0.0, 2.0],
        "text_overlap-mnli-udpos": 0.4,
        "text_overlap-hellaswag-udpos": 0.8,
        "size-mnli": 100,
        "size-hellaswag": 300,
    }
    found = cell_estimates(plan.record, results_of(plan, values))
    cosines = found[Estimate.EMBEDDING]
    assert cosines["mnli", "udpos"] == 0.0
    assert cosines["mix", "udpos"] == pytest.approx(0.75 / (0.25**2 + 0.75**2) ** 0.5)
    assert ("none", "udpos") not in cosines, "no data, no vector"
    assert found[Estimate.TEXT_OVERLAP] == pytest.approx(
        {("none", "udpos"): 0, ("mnli", "udpos"): 0.4, ("mix", "udpos"): 0.7}
    )
    assert found[Estimate.SIZE] == pytest.approx({("none", "udpos"): 0, ("mnli", "udpos"): 100, ("mix", "udpos"): 400})


@pytest.mark.parametrize(("sizes", "weights", "expected"), [([100, 300], [0.25, 0.75], 400), ([100, 300], [1, 0], 100)])
def test_effective_size(sizes: Sequence[float], weights: Sequence[float], expected: float) -> None:
    assert effective_size(sizes, weights) == pytest.approx(expected)
    assert effective_size([100, 300], [0.5, 0.5]) == pytest.approx(300), "the small task is repeated"


def test_what_is_not_done_or_says_nothing_is_absent(folder: Path) -> None:
    plan = planner(folder, estimates=["logme"]).plan()
    results = results_of(plan, {})
    first, second, _ = list(results)
    results[first] = EstimateResult(value=None)
    del results[second]
    assert list(cell_estimates(plan.record, results)[Estimate.LOGME]) == [("hellaswag", "udpos")]


def test_seconds_count_each_stage_once_and_a_probe_with_its_training(folder: Path) -> None:
    plan = planner(folder, estimates=["embedding", "probe"]).plan()
    results = results_of(plan, {})
    assert seconds_per_cell(plan.record, results, Estimate.EMBEDDING, 2) == pytest.approx(3 * 2.0 / 2)
    for output in plan.record.estimates:
        if output.estimate == "probe":
            results[str(plan.stages[output.key.partition("/")[0]].parent)] = TrainResult(seconds=5.0)
    assert seconds_per_cell(plan.record, results, Estimate.PROBE, 3) == pytest.approx(7.0)
    assert seconds_per_cell(plan.record, {}, Estimate.PROBE, 3) is None


@pytest.mark.parametrize("kind", known_kinds().all(), ids=str)
def test_labels_are_judged_only_where_a_head_would_read_them_from_vectors(kind: TaskKind) -> None:
    judged = {Estimate.LOGME, Estimate.H_SCORE}
    absent = {each for each in Estimate if why_absent(each, kind, has_select=True) is not None}
    assert absent == (set() if learning_of(kind).features else judged)
