"""An independent counter of optimizer steps: what ``plan`` says beforehand is what is trained, once.

The counter knows nothing of stilts: a ``sitecustomize`` on PYTHONPATH asks torch to be called after every step of any
optimizer, in the driver and in every worker, and writes one byte per step into a file of the process.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stilts.app.workspace import assemble
from stilts.study.planning import make_plan
from stilts.study.stage import TrainStage
from stilts.study.study import Study
from tests.e2e.studies import environment, opened, stilts, tiny_study
from tests.e2e.watching import counted_steps, processes_with_ray, watched

pytestmark = pytest.mark.slow


def test_steps_trained_are_those_of_the_distinct_train_stages_and_a_second_run_trains_nothing(tmp_path: Path) -> None:
    changes = {
        "intermediates": {"none": None, "mnli": None, "mixed": {"mixture": {"mnli": 0.5, "hellaswag": 0.5}}},
        # The intermediates have one seed and the targets two: each recipe is shared by four fine-tunings.
        "replicates": {"default": {"intermediate_seeds": 1, "target_seeds": 2}},
    }
    study = tiny_study(tmp_path / "study", **changes)
    store, counter, second_counter = tmp_path / "store", tmp_path / "counter", tmp_path / "counter of the second run"
    env = environment(**watched(counter))

    before = stilts("plan", study, "--store", store, "--json", cwd=tmp_path, env=env)
    assert before.returncode == 0, before.stderr
    said = json.loads(before.stdout)
    trained = [line for line in said["stages"] if line["kind"] == "train"]
    plan = make_plan(assemble(Study.load(study)).resolved)
    stages = [stage for stage in plan.stages.values() if isinstance(stage, TrainStage)]
    recipes = {replicate.intermediate_stage for replicate in plan.replicates} - {None}
    fine_tunings = {replicate.target_stage for replicate in plan.replicates} - {None}
    assert len(recipes) == 2 and len(fine_tunings) == 3 * 2 * 2
    assert said["cost"]["train_to_run"] == sum(line["to_run"] for line in trained) == len(stages)
    assert len(stages) == len(recipes) + len(fine_tunings)
    steps = sum(stage.config.steps for stage in stages)
    assert steps == 2 * 30 + 12 * 20
    assert counted_steps(counter) == 0

    first = stilts("run", study, "--store", store, "--tracking-uri", "none", "--json", cwd=tmp_path, env=env)
    assert first.returncode == 0, first.stderr
    report = json.loads(first.stdout)
    assert counted_steps(counter) == steps
    assert report["executed"] == report["done"] == len(plan.stages)
    done = opened(store).done()
    assert {key for key in done if "/" not in key} == {stage.stage_id for stage in stages}
    assert processes_with_ray(counter) >= 2, "the driver and its workers import ray, so the watch works"

    after = stilts("plan", study, "--store", store, "--json", cwd=tmp_path, env=env)
    assert json.loads(after.stdout)["cost"]["to_run"] == 0
    env = environment(**watched(second_counter))
    second = stilts("run", study, "--store", store, "--tracking-uri", "none", "--json", cwd=tmp_path, env=env)
    assert second.returncode == 0, second.stderr
    assert json.loads(second.stdout)["executed"] == 0
    assert counted_steps(counter) == steps and counted_steps(second_counter) == 0
    assert processes_with_ray(second_counter) == 0, "a run with nothing to do started Ray"
    assert opened(store).done() == done
