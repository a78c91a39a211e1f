"""Estimate stages that really run: alone through run_stage, and a whole toy study with its score card."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from stilts.analysis.results import StudyResults
from stilts.analysis.score_card import score_card
from stilts.app.workspace import assemble
from stilts.cli.main import app
from stilts.errors import InputError
from stilts.execute.run_stage import run_stage
from stilts.ledger.census import take_census
from stilts.ledger.study_record import all_studies, write_study
from stilts.report.sections.estimates import estimates_section
from stilts.report.sections.material import Material
from stilts.scheduling.sequential import run_sequentially
from stilts.search.conductor import Conductor
from stilts.search.selecting.features import features
from stilts.store import Store, make_store
from stilts.store.retention import WeightsUse, drop_weights
from stilts.study.plan import Plan
from stilts.study.stage import Estimate, EstimateData, EstimateStage, StageKind, TrainStage
from stilts.study.study import Study
from stilts.training.run_config import RunConfig
from tests.e2e.studies import tiny_study
from tests.training.tiny import encoder_ref, part, run_config

ALL = [estimate.value for estimate in Estimate]
ROWS, COLUMNS = ("none", "mnli", "panx", "mix"), ("xnli", "udpos")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return make_store(str(tmp_path / "store"))


def estimate(folder: Path, which: Estimate, *names: str) -> EstimateStage:
    parts = [part(name, limit=24) for name in names]
    data = tuple(EstimateData(task=each.task, config=each.config, views=each.train) for each in parts)
    return EstimateStage(estimate=which, parent=None, encoder=encoder_ref(folder), data=data)


@pytest.mark.on_device
@pytest.mark.parametrize(
    ("which", "names"),
    [
        (Estimate.LOGME, ["mnli"]),
        (Estimate.H_SCORE, ["udpos"]),
        (Estimate.EMBEDDING, ["squad"]),
        (Estimate.TEXT_OVERLAP, ["mnli", "udpos"]),
        (Estimate.SIZE, ["mnli"]),
    ],
)
def test_an_estimate_is_worked_out_once(tiny_encoder: Path, store: Store, which: Estimate, names: list[str]) -> None:
    stage, run = estimate(tiny_encoder, which, *names), run_config(tiny_encoder)
    first, second = run_stage(stage, store, run), run_stage(stage, store, run)
    assert (first.executed, second.executed) == (True, False)
    result = store.result(stage.stage_id)
    assert (result["kind"], result["estimate"]) == ("estimate", which.value)
    assert float(str(result["seconds"])) > 0 and np.all(np.isfinite(np.asarray(result["value"], float)))
    assert store.payload(stage.stage_id) == stage.payload


def test_size_counts_examples(tiny_encoder: Path, store: Store) -> None:
    stage = estimate(tiny_encoder, Estimate.SIZE, "mnli")
    run_stage(stage, store, run_config(tiny_encoder))
    assert store.result(stage.stage_id)["value"] == 24


def test_random_weights_are_nothing_to_look_at(tiny_encoder: Path, store: Store) -> None:
    stage = estimate(tiny_encoder, Estimate.LOGME, "mnli")
    toy = replace(stage, encoder=replace(stage.encoder, location={"toy": 1}))
    with pytest.raises(InputError, match="random weights"):
        run_stage(toy, store, run_config(tiny_encoder))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Store, Plan, list[str]]:
    """A study's file, its store, its plan, and the stages in the order in which they ended."""
    folder = tmp_path_factory.mktemp("study")
    path = tiny_study(
        folder,
        estimates=ALL,
        intermediates={
            "none": None,
            "mnli": None,
            "panx": None,
            "mix": {"mixture": {"mnli": 0.5, "panx": 0.5}},
        },
        defaults={
            "intermediate": {"steps": 6, "learning_rate": 1e-3, "limit": 64},
            "target": {"steps": 10, "learning_rate": 1e-3, "limit": 64},
            "encoding": {"max_length": 96, "batch_size": 8, "layer": 1},
            "limits": {"select": 24, "report": 24},
        },
    )
    workspace, store, ended = assemble(Study.load(path)), make_store(str(folder / "store")), list[str]()
    source = Conductor(resolved=workspace.resolved, store=store, on_change=ended.append)
    report = run_sequentially(source, store=store, configured=lambda held: RunConfig(threads=1, roots=workspace.roots))
    assert not report.failed
    write_study(store, source.plan.record)
    return path, store, source.plan, ended


def test_estimates_come_before_the_cells_of_their_row(finished: tuple[Path, Store, Plan, list[str]]) -> None:
    _, _, plan, ended = finished
    first_cell = ended.index(next(r.evaluate_stage for r in plan.replicates if r.row == "none"))
    early = [i for i in ended[:first_cell] if plan.stages[i].kind is StageKind.ESTIMATE]
    of_none = [i for i, each in plan.stages.items() if each.kind is StageKind.ESTIMATE and each.parent is None]
    assert set(of_none) <= set(early)


def test_features_are_whole_where_they_can_be(finished: tuple[Path, Store, Plan, list[str]]) -> None:
    _, store, plan, _ = finished
    names, values = features(plan, store, ROWS, (*COLUMNS, "other"))
    assert names == tuple(ALL) and values.shape == (4, 3, 6)
    absent = np.isnan(values)
    assert absent[:, 2].all() and not absent[1:, :2].any()
    assert [name for name, gone in zip(names, absent[0, 0], strict=True) if gone] == ["embedding"]
    size, overlap = names.index("size"), names.index("text_overlap")
    assert values[:, 0, size] == pytest.approx(np.log10([1, 65, 65, 129]))
    assert values[1, 0, overlap] == 1.0, "xnli trains on mnli"
    assert values[3, 1, overlap] == pytest.approx(values[1:3, 1, overlap].mean())


def test_the_card_the_section_and_the_verb_say_the_same(finished: tuple[Path, Store, Plan, list[str]]) -> None:
    path, store, plan, _ = finished
    results = StudyResults(record=plan.record, store=store, draws=20)
    card = score_card(results)
    assert [line.name for line in card.lines] == [*ALL, "best_on_others", "one_seed", "random"]
    assert all(line.targets == COLUMNS for line in card.lines) and card.notes == ()
    section = estimates_section(Material(results=results))
    assert section is not None and [picture.name for picture in section.pictures] == ["estimates"]
    assert len(section.tables["estimates"]) == 2 * len(card.lines)
    said = CliRunner().invoke(app, ["estimates", str(path), "--store", str(path.parent / "store"), "--json"])
    assert said.exit_code == 0, said.output
    assert json.loads(said.stdout)["estimates"] == json.loads(json.dumps([line.to_json() for line in card.lines]))
    told = CliRunner().invoke(app, ["estimates", str(path), "--store", str(path.parent / "store")])
    assert told.exit_code == 0 and "text_overlap" in told.stdout
    wrong = CliRunner().invoke(app, ["estimates", str(path), "--against", "oracle"])
    assert isinstance(wrong.exception, InputError)


def test_the_weights_of_probes_and_of_what_is_looked_at_go_in_the_end(
    finished: tuple[Path, Store, Plan, list[str]],
) -> None:
    _, store, plan, _ = finished
    census = take_census(store, [plan.record], frozenset())
    probes = [i for i in plan.estimating if isinstance(plan.stages[i], TrainStage)]
    assert len(probes) == 8 and all(census.weights[i].uses == {WeightsUse.TARGET} for i in probes)
    trained = {i for i, stage in plan.stages.items() if isinstance(stage, TrainStage)}
    assert {drop.key for drop in drop_weights(census)} == trained
    # An estimate that is still to be worked out keeps the weights of its row.
    logme = next(o.key for o in plan.record.estimates if o.estimate == "logme" and o.row == "mnli")
    kept = replace(census, done=census.done - {logme})
    assert trained - {drop.key for drop in drop_weights(kept)} == {plan.stages[logme].parent}


def test_a_record_that_is_read_from_the_store_counts_probes_too(finished: tuple[Path, Store, Plan, list[str]]) -> None:
    _, store, plan, _ = finished
    stored = all_studies(store).values
    assert list(stored) == [plan.record.name]
    found = take_census(store, stored.values(), frozenset()).weights
    assert found == take_census(store, [plan.record], frozenset()).weights and found
