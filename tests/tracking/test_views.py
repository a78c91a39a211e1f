"""What is shown of a study, without MLflow."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from stilts.fingerprint import Json, digest
from stilts.study.record import Row
from stilts.tasks.bounded_yaml import parsed_yaml
from stilts.tracking.run_view import RunStatus, RunView, metric_name
from stilts.tracking.views import run_views
from tests.tracking.fake_store import (
    START,
    FakeStore,
    Shape,
    fail,
    filled,
    publish_evaluations,
    publish_replicate,
    seen,
    study,
)


def by_name(views: list[RunView]) -> dict[str, RunView]:
    return {view.name: view for view in views}


def test_parent_comes_first_then_recipes_then_replicates() -> None:
    kinds = [view.tags["stilts.kind"] for view in run_views(seen(*filled(Shape())))]
    assert kinds == ["study", "recipe"] + ["replicate"] * 4


def test_views_do_not_depend_on_the_order_of_publication() -> None:
    record, store = filled(Shape())
    turned = FakeStore(dict(reversed(store.results.items())), dict(reversed(store.payloads.items())))
    assert list(run_views(seen(record, store))) == list(run_views(seen(record, turned)))


def test_an_empty_store_shows_only_the_parent() -> None:
    (parent,) = run_views(seen(study(Shape()), FakeStore()))
    assert parent.status is RunStatus.PARTIAL
    assert parent.points == ()


def test_gain_is_the_distance_to_the_mean_of_the_done_replicates_of_none() -> None:
    record, store = filled(Shape(seeds=3))
    views = by_name(list(run_views(seen(record, store))))
    baselines = [views[f"none > xnli / t{seed}"].latest() for seed in range(3)]
    mnli = views["mnli > xnli / i0 t1"].latest()
    assert mnli["gain"] == pytest.approx(mnli["score"] - sum(each["score"] for each in baselines) / 3)
    mean_sw = sum(each["score.sw"] for each in baselines) / 3
    assert mnli["gain.sw"] == pytest.approx(mnli["score.sw"] - mean_sw)
    assert "gain" not in views["none > xnli / t0"].latest()


def test_score_is_the_mean_over_languages_and_waits_for_the_last_of_them() -> None:
    record, store = filled(Shape(rows=("none",)))
    whole = by_name(list(run_views(seen(record, store))))["none > xnli / t0"].latest()
    assert whole["score"] == pytest.approx(sum(whole[f"score.{lang}"] for lang in ("en", "de", "sw")) / 3)
    partial = FakeStore()
    publish_evaluations(partial, record.replicates[0], only=("en", "de"))
    view = by_name(list(run_views(seen(record, partial))))["none > xnli / t0"]
    assert view.status is RunStatus.PARTIAL
    assert view.ended_ms is None
    assert "score" not in view.latest()
    assert {"score.en", "score.de", "select.en"} <= view.latest().keys()


def test_curve_has_steps_and_times_between_start_and_end() -> None:
    views = by_name(list(run_views(seen(*filled(Shape())))))
    loss = [point for point in views["mnli / i0"].points if point.name == "training.loss"]
    assert [point.step for point in loss] == [0, 20, 40, 60, 80]
    assert loss[0].time_ms == START * 1000
    assert loss[-1].time_ms == (START + 48) * 1000


def test_gpu_hours_count_only_what_ran_on_a_gpu() -> None:
    views = by_name(list(run_views(seen(*filled(Shape())))))
    assert views["mnli / i0"].latest()["spent.gpu_hours"] == 0
    assert views["mnli > xnli / i0 t0"].latest()["spent.gpu_hours"] == pytest.approx(4 * 2 / 3600)


def test_failed_and_pruned_stages_are_shown_with_their_reason() -> None:
    record, store = filled(Shape(rows=("none",)))
    first, second = record.replicates
    for key in [key for use in first.outputs.values() for key in use.values()]:
        del store.results[key]
    fail(store, first.evaluate_stage)
    assert second.target_stage is not None
    store.results = {key: value for key, value in store.results.items() if not key.startswith(second.evaluate_stage)}
    del store.results[second.target_stage]
    where = {"stage_id": second.target_stage, "row": "none", "column": "udpos", "proposal": 0}
    facts = {"step": 5, "steps": 9, "score": 41.0, "policy": "halving", "reason": "last of four", "time": START}
    pruned: dict[str, Json] = {**where, **facts}
    store.kept[f"studies/{record.name}/pruned/{second.target_stage}"] = dict(pruned)
    views = by_name(list(run_views(seen(record, store))))
    assert views["none > xnli / t0"].status is RunStatus.FAILED
    assert views["none > xnli / t0"].tags["error"] == "out of memory"
    assert views["none > udpos / t0"].status is RunStatus.PRUNED
    assert views["none > udpos / t0"].tags["pruned_because"] == "last of four"
    assert views["little"].status is RunStatus.FAILED


def test_a_study_whose_intermediate_failed_is_settled_and_failed() -> None:
    record, store = study(Shape()), FakeStore()
    for replicate in record.replicates:
        if replicate.intermediate_stage is None:
            publish_replicate(store, replicate)
        else:
            fail(store, replicate.intermediate_stage)
    views = by_name(list(run_views(seen(record, store))))
    assert views["little"].status is RunStatus.FAILED
    assert views["mnli / i0"].status is RunStatus.FAILED
    assert "mnli > xnli / i0 t0" not in views


def test_a_study_with_proposals_to_come_is_partial() -> None:
    record, store = filled(Shape())
    rows = (*record.rows, Row(name="mix", searched=True, num_proposals=6))
    parent = next(iter(run_views(seen(replace(record, rows=rows), store))))
    assert parent.status is RunStatus.PARTIAL


def test_an_untrained_target_has_a_run_without_training() -> None:
    record, store = filled(Shape(rows=("none",), columns=("tatoeba",)))
    bare = replace(record.replicates[0], target_stage=None, target_seed=None)
    views = by_name(list(run_views(seen(replace(record, replicates=(bare,)), store))))
    view = views["none > tatoeba"]
    assert view.status is RunStatus.DONE
    assert "training.loss" not in view.latest()
    assert all(each.context == "evaluation" for each in view.inputs)


def test_params_and_inputs_name_both_trainings() -> None:
    view = by_name(list(run_views(seen(*filled(Shape())))))["mnli > xnli / i0 t0"]
    assert view.params["training.intermediate.task.mnli.weight"] == "1.0"
    assert view.params["training.target.learning_rate"] == "1e-05"
    assert view.params["training.target.task.xnli.batch_size"] == "32"
    assert {(each.name, each.context) for each in view.inputs} >= {
        ("xnli.train", "training"),
        ("xnli.report", "evaluation"),
        ("xnli.select", "evaluation"),
    }


def test_one_input_names_the_data_of_all_languages_with_full_digests() -> None:
    record, store = filled(Shape())
    inputs = {each.name: each for each in by_name(list(run_views(seen(record, store))))["mnli > xnli / i0 t0"].inputs}
    source = json.loads(inputs["xnli.report"].source)
    keys = record.replicates[0].outputs["report"]
    assert source["views"] == {lang: digest(store.payloads[key]["view"]) for lang, key in keys.items()}
    assert source["datasets"] == ["xnli-data/test"]
    assert len(inputs["xnli.report"].digest) == 12


def test_the_data_of_a_use_are_named_once_all_its_languages_are_there() -> None:
    record, store = study(Shape(rows=("none",))), FakeStore()
    publish_evaluations(store, record.replicates[0], only=("en", "de"))
    view = by_name(list(run_views(seen(record, store))))["none > xnli / t0"]
    assert [each.name for each in view.inputs] == ["xnli.select"]


def test_a_train_result_that_says_what_it_read_names_its_datasets() -> None:
    record, store = filled(Shape())
    stage = record.replicates[0].target_stage
    assert stage is not None
    (view,) = store.payloads[stage]["mixture"][0]["train"]  # type: ignore[index,call-overload]
    store.results[stage]["data"] = {str(view): {"dataset": "mnli", "split": "train"}}
    inputs = {each.name: each for each in by_name(list(run_views(seen(record, store))))["none > xnli / t0"].inputs}
    assert json.loads(inputs["xnli.train"].source)["datasets"] == ["mnli/train"]


def test_machine_and_cost_metrics_come_from_what_was_recorded() -> None:
    views = by_name(list(run_views(seen(*filled(Shape())))))
    recipe, replicate = views["mnli / i0"].latest(), views["mnli > xnli / i0 t0"].latest()
    assert recipe["training.cpu_peak_memory_gib"] == 0.5
    assert recipe["training.tokens_per_second"] == pytest.approx(1000 / 58.5)
    assert recipe["spent.compute_seconds"] == recipe["training.seconds"] == 58.5
    assert replicate["spent.evaluate_seconds"] == 8  # three languages of report, one of select
    assert replicate["spent.compute_seconds"] == 66.5


def test_config_is_yaml_of_every_stage_that_is_done() -> None:
    record, store = filled(Shape())
    views = by_name(list(run_views(seen(record, store))))
    config = parsed_yaml(views["mnli > xnli / i0 t0"].config, Path("config.yaml"), begins="")
    replicate = next(each for each in record.replicates if each.replicate_id == "mnli>xnli/i0/t0")
    assert config["intermediate"]["stage_id"] == replicate.intermediate_stage
    assert config["target"]["config"]["learning_rate"] == 1e-5
    assert config["target"]["execution"] == {"device": "cpu", "threads": 1}
    assert config["data"]["report"]["shared"] == {"dataset": "xnli-data", "split": "test"}
    assert config["data"]["report"]["languages"]["sw"]["language"] == "sw"
    assert list(parsed_yaml(views["mnli / i0"].config, Path("config.yaml"), begins="")) == ["intermediate"]
    assert "intermediate" not in parsed_yaml(views["none > xnli / t0"].config, Path("config.yaml"), begins="")


def test_metric_names_hold_only_what_mlflow_allows() -> None:
    assert metric_name("score", "zh-Hant", "a/b(c):d") == "score.zh-Hant.a_b_c__d"
    allowed = re.compile(r"[A-Za-z0-9/. _:\-]+")
    for view in run_views(seen(*filled(Shape()))):
        assert all(allowed.fullmatch(name) for name in [*view.latest(), *view.params])


def test_a_run_says_on_which_nodes_and_devices_and_for_which_jobs_its_results_were_made() -> None:
    record, store = filled(Shape())
    [one] = [each for each in record.replicates if each.replicate_id.startswith("none>xnli")]
    for number, key in enumerate(sorted(store.results)):
        if key == one.target_stage or key.startswith(f"{one.evaluate_stage}/"):
            ran = {"job": f"study-{number % 2}", "node": "worker-1", "device_name": "NVIDIA H200"}
            store.results[key] = {**store.results[key], "execution": ran}
    views = by_name(list(run_views(seen(record, store))))
    tags = views["none > xnli / t0"].tags
    assert {name: tags[name] for name in ("ray_job", "node", "device")} == {
        "ray_job": "study-0, study-1",
        "node": "worker-1",
        "device": "NVIDIA H200",
    }
    assert "node" not in views["none > udpos / t0"].tags


def test_scores_under_a_stress_stand_beside_the_plain_ones_with_what_an_attack_took() -> None:
    record, store = filled(Shape(rows=("none",), seeds=2))
    first, *others = record.replicates
    stage, label = first.evaluate_stage.replace("evaluate-", "evaluate-stressed-"), "characters attack 0.3"
    keys = {code: f"{stage}/{key.partition('/')[2]}" for code, key in first.outputs["report"].items()}
    for code, key in keys.items():
        told: dict[str, Json] = {**store.results[first.outputs["report"][code]], "score": 10.0}
        store.results[key] = {**told, "parts": {"accuracy": 10.0, "attack_success": 60.0, "queries": 12.5}}
    facts = {"kind": "evaluate", "name": first.column, "parent": first.target_stage, "outputs": list(keys.values())}
    asked = replace(
        record,
        replicates=(replace(first, stressed={label: keys}), *others),
        stages={**record.stages, stage: facts},  # type: ignore[dict-item]
    )
    views = by_name(list(run_views(seen(asked, store))))
    shown = views["none > xnli / t0"].latest()
    assert shown["stressed.characters attack 0.3"] == shown["stressed.characters attack 0.3.sw"] == 10.0
    assert shown["attack_success.characters attack 0.3.en"] == 60.0
    assert shown["queries.characters attack 0.3.de"] == 12.5
    assert not any(name.startswith("stressed") for name in views["none > xnli / t1"].latest())
    del store.results[keys["sw"]]
    partial = by_name(list(run_views(seen(asked, store))))["none > xnli / t0"]
    assert partial.status is RunStatus.DONE, "a replicate does not wait for what stresses it"
    assert "stressed.characters attack 0.3" not in partial.latest()
