"""From a study that ran to a model that plain transformers and MLflow load, through the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from stilts.analysis.champion import champion_stages, pinned_stages
from stilts.analysis.results import StudyResults
from stilts.app.champions import champions
from stilts.app.exporting import export_model
from stilts.app.places import load_record
from stilts.app.running import RunOptions, run
from stilts.errors import SelectionError, StoreError, StudyError, UnknownNameError
from stilts.store.store import Store
from tests.e2e.studies import opened, stilts, tiny_study

pytestmark = pytest.mark.slow
ROW_AND_SEED = {"row": "mnli", "seed": "i0/t0"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """A study that ran, with its weights tidied as always."""

    file: str
    folder: Path
    store: Store


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder = tmp_path_factory.mktemp("export")
    targets = {
        "xnli": {"languages": ["en", "qaa"]},
        "udpos": {"languages": ["en", "qaa"]},
        "tatoeba": {"languages": ["qaa"]},
    }
    study = tiny_study(folder / "study", targets=targets)
    report = run(str(study), RunOptions(store=str(folder / "store"), local=True, tracking="none", threads=1))
    assert not report.failed
    return Ran(file=str(study), folder=folder, store=opened(folder / "store"))


def weights(folder: Path) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = load_file(folder / "model.safetensors")
    return found


def test_the_champion_is_exported_by_the_command_line(ran: Ran, tmp_path: Path) -> None:
    import transformers

    words = ["export", ran.file, "--target", "udpos", "--model", "out/udpos", "--store", ran.store.url, "--json"]
    done = stilts(*words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    value, folder = json.loads(done.stdout), tmp_path / "out" / "udpos"
    record = load_record(ran.file, ran.store)
    assert value["stage"] == champion_stages(StudyResults(record=record, store=ran.store))["udpos"]
    model = transformers.AutoModelForTokenClassification.from_pretrained(folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    assert model(**tokenizer("a b c", return_tensors="pt")).logits.shape[-1] == 17
    card = (folder / "README.md").read_text()
    assert value["replicate"] in card and f"`{value['stage']}`" in card
    assert (folder / "little.yaml").read_text() == Path(ran.file).read_text()
    again = stilts(*words, cwd=tmp_path)
    assert again.returncode == 2 and "the folder is not empty" in again.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["udpos"]


def test_champions_keep_their_weights_and_others_can_be_trained_again(ran: Ran, tmp_path: Path) -> None:
    record = load_record(ran.file, ran.store)
    kept = pinned_stages(ran.store)
    own = champion_stages(StudyResults(record=record, store=ran.store))
    assert kept == set(own.values()) and not any(map(ran.store.gone, kept))
    other = next(each for each in record.replicates if each.column == "xnli" and each.target_stage not in kept)
    seed = other.replicate_id.partition("/")[2]
    with pytest.raises(StoreError, match=rf"--row {other.row} --seed {seed} --model DIR --rebuild"):
        export_model(ran.file, ran.store, "xnli", tmp_path / "a", row=other.row, seed=seed)
    assert not (tmp_path / "a").exists()
    export_model(ran.file, ran.store, "xnli", tmp_path / "a", row=other.row, seed=seed, rebuild=True)
    assert other.target_stage is not None
    ran.store.drop_files(other.target_stage, "to train it once more")
    export_model(ran.file, ran.store, "xnli", tmp_path / "b", row=other.row, seed=seed, rebuild=True)
    first, second = weights(tmp_path / "a"), weights(tmp_path / "b")
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_the_line_in_the_card_makes_the_same_folder_from_an_empty_store(ran: Ran, tmp_path: Path) -> None:
    export_model(ran.file, ran.store, "xnli", tmp_path / "a", **ROW_AND_SEED, rebuild=True)  # type: ignore[arg-type]
    line = next(x for x in (tmp_path / "a" / "README.md").read_text().splitlines() if x.startswith("stilts export"))
    words = line.replace("DIR", str(tmp_path / "b")).split()[1:]
    done = stilts(*words, "--store", tmp_path / "empty", cwd=Path(ran.file).parent)
    assert done.returncode == 0, done.stderr
    first, second = weights(tmp_path / "a"), weights(tmp_path / "b")
    assert first.keys() == second.keys()
    for name in first:
        torch.testing.assert_close(first[name], second[name], atol=1e-5, rtol=1e-4)
    assert "not scored yet" in (tmp_path / "b" / "README.md").read_text()


def test_an_untrained_target_takes_the_encoder_of_its_row(ran: Ran, tmp_path: Path) -> None:
    with pytest.raises(SelectionError, match="no row has a selection score there"):
        export_model(ran.file, ran.store, "tatoeba", tmp_path / "a")
    value = export_model(ran.file, ran.store, "tatoeba", tmp_path / "a", row="none")
    assert value["stage"] is None
    assert json.loads((tmp_path / "a" / "config.json").read_text())["stilts"]["layer"] == 1
    mnli = export_model(ran.file, ran.store, "tatoeba", tmp_path / "b", row="mnli", rebuild=True)
    assert str(mnli["stage"]).startswith("train-mnli-")
    assert not torch.equal(*(weights(tmp_path / name)["embeddings.word_embeddings.weight"] for name in "ab"))


def test_names_that_are_not_there_and_names_of_studies_are_refused(ran: Ran, tmp_path: Path) -> None:
    for fields in (
        {"target": "xnlj"},
        {"target": "xnli", "row": "mnlj"},
        {"target": "xnli", "row": "mnli", "seed": "t9"},
    ):
        with pytest.raises(UnknownNameError):
            export_model("little", ran.store, fields.pop("target"), tmp_path / "a", **fields)  # type: ignore[arg-type]
    for more in ({"row": "none"}, {"row": "mnli", "rebuild": True}):
        with pytest.raises(StudyError, match="study's file"):
            export_model("little", ran.store, "tatoeba", tmp_path / "a", **more)  # type: ignore[arg-type]


def test_mlflow_loads_the_champions_of_a_study(ran: Ran, tmp_path: Path) -> None:
    from stilts.tracking.champions import register_champions

    record = load_record(ran.file, ran.store)
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    found = list(champions(StudyResults(record=record, store=ran.store), ran.store, {}))
    assert {each.target for each in found} == {"xnli", "udpos"}
    assert register_champions(record.name, found, uri) == {"xnli": 1, "udpos": 1}
    with tracked(uri):
        import mlflow.transformers

        pipeline = mlflow.transformers.load_model("models:/little.udpos@champion")
        assert pipeline("a b c")[0]["entity"] in pipeline.model.config.label2id


@contextmanager
def tracked(uri: str) -> Iterator[None]:
    """MLflow's global address while the context lasts, as a user would set it."""
    import mlflow

    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    try:
        yield
    finally:
        mlflow.set_tracking_uri(None)  # type: ignore[arg-type]
        mlflow.set_registry_uri(None)  # type: ignore[arg-type]
