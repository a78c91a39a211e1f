"""Pools and thresholds of an evaluation: whose candidates are asked, and what a threshold was chosen on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from stilts.app.workspace import assemble
from stilts.execute import searching
from stilts.execute.run_stage import run_stage
from stilts.ledger.examples import EXAMPLES_FILE
from stilts.metrics.metric import metric
from stilts.store import Store, make_store
from stilts.study.planning import make_plan
from stilts.study.stage import EvaluateStage, TrainStage
from stilts.study.study import Study
from tests.training.tiny import run_config


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return make_store(str(tmp_path / "store"))


def stages(encoder: Path, selection: str = "english_dev", **targets: Any) -> list[Any]:
    """The stages of a study of the row ``none`` on toy data, parents first."""
    study = {
        "name": "small",
        "encoder": {"path": encoder.name},
        "data": {"source": "toy"},
        "selection": selection,
        "defaults": {
            "intermediate": {"steps": 2},
            "target": {"steps": 4, "learning_rate": 1e-3, "limit": 64},
            "encoding": {"max_length": 96, "batch_size": 8, "layer": 1},
            "limits": {"select": 60, "report": 60},
        },
        "intermediates": {"none": None},
        "targets": targets,
    }
    workspace = assemble(Study.parse(json.dumps(study), encoder.parent / "study.yaml"))
    return list(make_plan(workspace.resolved).stages.values())


def evaluation(found: list[Any]) -> EvaluateStage:
    return next(stage for stage in found if isinstance(stage, EvaluateStage))


def results(stage: EvaluateStage, store: Store) -> dict[tuple[str, str], Any]:
    pairs = zip(stage.items, stage.outputs, strict=True)
    return {(item.use.value, item.view.language): store.result(key) for item, key in pairs}


@pytest.mark.on_device
def test_a_threshold_comes_from_dev_where_dev_chooses_nothing_else(
    tiny_encoder: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    zero_shot = evaluation(stages(tiny_encoder, bucc2018={"languages": ["qaa"]}))
    assert [item.use.value for item in zero_shot.items] == ["report"]
    run_stage(zero_shot, store, run_config(tiny_encoder))
    report = results(zero_shot, store)["report", "qaa"]
    assert report["calibration"]["on"]["split"] == "dev" and report["calibration"]["threshold"] > 0
    by_dev = evaluation(stages(tiny_encoder, "target_dev", bucc2018={"languages": ["qaa"]}))
    assert by_dev.stage_id == zero_shot.stage_id and set(zero_shot.outputs) < set(by_dev.outputs)
    run_stage(by_dev, store, run_config(tiny_encoder))
    chosen = results(by_dev, store)["select", "qaa"]
    assert chosen["calibration"] == report["calibration"], "what the select scores say is what report used"

    # A threshold that is published with the select scores is read, and not chosen a second time.
    def fail(*_: object) -> None:
        raise AssertionError("scored again")

    monkeypatch.setattr(searching, "score_view", fail)
    again = searching.Searches(stage=by_dev, store=store, scorer=None, prepared=None)  # type: ignore[arg-type]
    assert again.of(by_dev.items[-1]).threshold == report["calibration"]["threshold"]


def test_examples_of_mined_pairs_add_up(tiny_encoder: Path, store: Store) -> None:
    stage = evaluation(stages(tiny_encoder, bucc2018={"languages": ["qaa", "qab"]}))
    run_stage(stage, store, run_config(tiny_encoder))
    for key in stage.outputs:
        table = pq.read_table(store.fetch(key) / EXAMPLES_FILE)
        sums = {name: sum(table[name].to_pylist()) for name in ("tp", "predicted", "gold")}
        assert sums == store.result(key)["stats"] and sums["gold"] > 0
        said = [line for text in table["prediction"].to_pylist() for line in text.splitlines()]
        assert len(said) == len(set(said)) == sums["predicted"]
        assert store.result(key)["score"] == pytest.approx(float(metric("pair_f1").score(sums)))


@pytest.mark.on_device
@pytest.mark.parametrize("name", ["lareqa", "mewslix"])
def test_a_dual_encoder_is_trained_and_asked_one_pool(name: str, tiny_encoder: Path, store: Store) -> None:
    found = stages(tiny_encoder, **{name: {"languages": ["qaa", "qab"]}})
    train = next(stage for stage in found if isinstance(stage, TrainStage))
    stage = evaluation(found)
    run_stage(train, store, run_config(tiny_encoder))
    run_stage(stage, store, run_config(tiny_encoder))
    scored = results(stage, store)
    assert set(scored) == {("select", "en"), ("report", "qaa"), ("report", "qab")}
    key = stage.outputs[-1]
    table = pq.read_table(store.fetch(key) / EXAMPLES_FILE)
    rankings = [json.loads(text) for text in table["prediction"].to_pylist()]
    right = [json.loads(text) for text in table["truth"].to_pylist()]
    assert {len(ranking) for ranking in rankings} == {20}
    # XQuAD-R's stand-in answers in both languages; each of Mewsli-X's entities is described once.
    assert {len(names) for names in right} == ({2} if name == "lareqa" else {1})
    assert table.num_rows == store.result(key)["num_items"] == 60


def test_a_language_more_changes_the_pool_and_so_every_output(tiny_encoder: Path) -> None:
    few = evaluation(stages(tiny_encoder, lareqa={"languages": ["qaa", "qab"]}))
    more = evaluation(stages(tiny_encoder, lareqa={"languages": ["qaa", "qab", "qac"]}))
    assert few.stage_id == more.stage_id
    reported = {key for key in few.outputs if "/report." in key}
    assert reported and not reported & set(more.outputs)
    assert {key for key in few.outputs if "/select." in key} < set(more.outputs)


@pytest.mark.on_device
def test_a_pool_is_embedded_once(tiny_encoder: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    found = stages(tiny_encoder, lareqa={"languages": ["qaa", "qab"]})
    asked: list[int] = []
    real = searching.embedded_pool

    def counted(*args: Any) -> Any:
        asked.append(1)
        return real(*args)

    monkeypatch.setattr(searching, "embedded_pool", counted)
    for stage in found:
        run_stage(stage, store, run_config(tiny_encoder))
    assert len(asked) == 1
