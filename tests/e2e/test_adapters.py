"""Studies whose rows and targets train adapters, from file to matrix: run, tidied, gone on with, handed out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import transformers

from stilts.analysis.champion import pinned_stages
from stilts.app.exporting import export_model
from stilts.app.places import load_record
from stilts.app.running import RunOptions, run, tidy
from stilts.errors import InputError, StoreError
from stilts.execute.origins import are_there, weights_of
from stilts.store import Store
from tests.e2e.studies import opened, scores, stilts, study_fields, tiny_study

pytestmark = pytest.mark.slow
LORA = {"adapter": {"rank": 4, "alpha": 8, "dropout": 0.1}}


def fields(way: str, **more: Any) -> dict[str, Any]:
    usual = study_fields()["defaults"]
    defaults = {
        **usual,
        "intermediate": {**usual["intermediate"], **LORA},
        "target": {**usual["target"], **LORA, "parent_adapter": way},
    }
    return {"name": f"lora-{way}", "defaults": defaults, **more}


def ran(file: Path, store: Path) -> Store:
    report = run(str(file), RunOptions(store=str(store), local=True, tracking="none", threads=1))
    assert not report.failed
    return opened(store)


def of(file: Path, store: Store, row: str, column: str) -> dict[str, float]:
    record = load_record(str(file), store)
    (cell,) = (one for one in record.replicates if (one.row, one.column) == (row, column))
    return {language: float(str(store.result(key)["score"])) for language, key in cell.outputs["report"].items()}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder where three studies ran in one store: merged, stacked, dropped."""
    folder = tmp_path_factory.mktemp("lora")
    for way in ("merge", "stack", "drop"):
        ran(tiny_study(folder, **fields(way)), folder / "store")
    return folder


def test_three_ways_are_three_columns_of_results_and_share_their_rows(place: Path) -> None:
    store = opened(place / "store")
    records = [load_record(str(place / f"lora-{way}.yaml"), store) for way in ("merge", "stack", "drop")]
    cells = [{(one.row, one.column): one for one in record.replicates} for record in records]
    assert len({each["mnli", "udpos"].intermediate_stage for each in cells}) == 1
    assert len({each["mnli", "udpos"].target_stage for each in cells}) == 3
    assert len({each["none", "udpos"].target_stage for each in cells}) == 1
    dropped = place / "lora-drop.yaml"
    assert of(dropped, store, "mnli", "udpos") == of(dropped, store, "none", "udpos"), "the control is the baseline"


def test_champions_stay_whole_and_all_else_goes(place: Path) -> None:
    store = opened(place / "store")
    for way in ("merge", "stack", "drop"):
        tidy(str(place / f"lora-{way}.yaml"), store)
    pinned = pinned_stages(store)
    assert pinned and all(are_there(stage, store) for stage in pinned)
    needed = {each for stage in pinned for each in weights_of(stage, store).stages}
    trained = {key for key in store.done() if key.startswith("train-")}
    assert {stage for stage in trained if not store.gone(stage)} == needed


def test_a_grown_study_trains_again_what_its_evaluations_rest_on(place: Path, tmp_path: Path) -> None:
    file = tiny_study(tmp_path, **fields("stack"))
    store = ran(file, tmp_path / "store")
    record = load_record(str(file), store)
    (cell,) = (one for one in record.replicates if (one.row, one.column) == ("mnli", "udpos"))
    assert cell.intermediate_stage and cell.target_stage
    before = scores(store)
    for stage in (cell.intermediate_stage, cell.target_stage):
        store.drop_files(stage, "test")
    targets = {"xnli": {"languages": ["en", "qaa"]}, "udpos": {"languages": ["en", "qaa", "qab"]}}
    grown = tiny_study(tmp_path, **fields("stack", targets=targets))
    after = scores(ran(grown, tmp_path / "store"))
    assert {key: after[key] for key in before} == before and len(after) > len(before)


def test_a_model_below_which_weights_are_gone_is_told_and_brought_back(place: Path, tmp_path: Path) -> None:
    file = tiny_study(tmp_path, **fields("merge"))
    store = ran(file, tmp_path / "store")
    record = load_record(str(file), store)
    (cell,) = (one for one in record.replicates if (one.row, one.column) == ("mnli", "udpos"))
    assert cell.intermediate_stage and cell.target_stage
    where = {"row": "mnli", "seed": "i0/t0"}
    export_model(str(file), store, "udpos", tmp_path / "again", **where, rebuild=True)  # type: ignore[arg-type]
    store.drop_files(cell.intermediate_stage, "test")
    assert not store.gone(cell.target_stage)
    with pytest.raises(StoreError, match=f"an adapter, and those of {cell.intermediate_stage}"):
        export_model(str(file), store, "udpos", tmp_path / "a", **where)  # type: ignore[arg-type]
    export_model(str(file), store, "udpos", tmp_path / "b", **where, rebuild=True)  # type: ignore[arg-type]
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("again", "b")]
    assert weights[0] == weights[1]


def test_the_command_line_hands_out_the_adapter_and_says_what_it_takes(place: Path, tmp_path: Path) -> None:
    from peft import PeftModel

    file, store = place / "lora-merge.yaml", place / "store"
    words = ["export", file, "--target", "udpos", "--row", "mnli", "--seed", "i0/t0", "--store", store]
    done = stilts(*words, "--rebuild", "--model", "peft", "--adapter", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "peft"
    assert not (folder / "model.safetensors").exists()
    config = transformers.AutoConfig.from_pretrained(folder)
    bare = transformers.AutoModelForTokenClassification.from_config(config)
    assert PeftModel.from_pretrained(bare, str(folder)).num_labels == 17
    card = (folder / "README.md").read_text()
    assert "PeftModel.from_pretrained" in card and "tiny" in card
    planned = stilts("plan", file, "--store", store, cwd=tmp_path)
    assert "an adapter of rank 4 at query, value trains 1,024 weights" in " ".join(planned.stdout.split())


def test_full_weights_have_no_adapter_to_hand_out(tmp_path: Path) -> None:
    file = tiny_study(tmp_path, targets={"udpos": {"languages": ["en", "qaa"]}})
    store = ran(file, tmp_path / "store")
    with pytest.raises(InputError, match="Leave --adapter out"):
        export_model(str(file), store, "udpos", tmp_path / "a", adapter=True)
    assert not (tmp_path / "a").exists()
