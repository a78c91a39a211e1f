"""One registered model per target; the alias follows the choice, nothing is registered twice, and it can be loaded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from stilts.errors import StiltsError
from stilts.tracking.champions import Champion, _source, register_champions
from stilts.tracking.mlflow_settings import apply_settings

apply_settings()


def champion(stage: str, target: str = "xnli", **changes: Any) -> Champion:
    """A champion that is registered by reference."""
    fields: dict[str, Any] = {
        "target": target,
        "intermediate": "mnli",
        "stage_id": stage,
        "kind": "classification",
        "score": 70.5,
        "locate": lambda: f"s3://bucket/{stage}",
        "by_reference": "its weights lie in a bucket",
    }
    return Champion(**{**fields, **changes})


def client_of(uri: str) -> MlflowClient:
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def test_the_alias_names_the_stage_and_is_given_once(uri: str) -> None:
    both = [champion("train-xnli-a"), champion("train-udpos-b", "udpos")]
    assert register_champions("little", both, uri) == {"xnli": 1, "udpos": 1}
    assert register_champions("little", both, uri) == {"xnli": 1, "udpos": 1}
    version = client_of(uri).get_model_version_by_alias("little.xnli", "champion")
    assert version.tags["stage_id"] == "train-xnli-a"
    assert version.source == version.tags["location"] == "s3://bucket/train-xnli-a"
    assert version.tags["form"] == "reference"
    assert version.tags["by_reference"].startswith("its weights lie in a bucket")
    assert len(client_of(uri).search_model_versions("name='little.xnli'")) == 1


def test_a_new_champion_takes_the_alias_and_an_old_one_takes_it_back(uri: str) -> None:
    assert register_champions("little", [champion("a")], uri) == {"xnli": 1}
    assert register_champions("little", [champion("b")], uri) == {"xnli": 2}
    assert register_champions("little", [champion("a")], uri) == {"xnli": 1}
    assert client_of(uri).get_model_version_by_alias("little.xnli", "champion").tags["stage_id"] == "a"


def test_nothing_is_located_or_written_while_the_champion_stays(uri: str) -> None:
    register_champions("little", [champion("a")], uri)

    def refuse() -> str:
        raise AssertionError("the store was asked")

    assert register_champions("little", [champion("a", locate=refuse)], uri) == {"xnli": 1}


def test_the_description_follows_the_card_without_its_front_matter(uri: str) -> None:
    first = champion("a", card="---\nlicense: mit\n---\n\n# One\n\ngain +1.0\n")
    register_champions("little", [first], uri)
    assert client_of(uri).get_model_version("little.xnli", "1").description == "# One\n\ngain +1.0"
    long = "\n".join(["# Two", *(f"line {number}" for number in range(2000))])
    assert register_champions("little", [replace(first, card=long)], uri) == {"xnli": 1}
    description = client_of(uri).get_model_version("little.xnli", "1").description
    assert len(description) <= 5000
    assert description.endswith("(cut: the model's README.md has all)")


def test_a_local_store_is_registered_by_path_or_for_a_server_by_name() -> None:
    assert _source("/data/store/train-a", "train-a", "sqlite:///mlflow.db") == "/data/store/train-a"
    assert _source("/data/store/train-a", "train-a", "http://mlflow:5000") == "stilts-store:/train-a"


def test_a_local_source_is_accepted(uri: str) -> None:
    local = champion("train-a", locate=lambda: "/data/store/train-a", by_reference="its weights are 43.0 GB")
    assert register_champions("little", [local], uri) == {"xnli": 1}


KINDS = {
    "classification": ("mnli", "XLMRobertaForSequenceClassification"),
    "tagging": ("udpos", "XLMRobertaForTokenClassification"),
    "span_qa": ("tydiqa", "XLMRobertaForQuestionAnswering"),
    "multiple_choice": ("hellaswag", "XLMRobertaForMultipleChoice"),
    "retrieval": ("tatoeba", "XLMRobertaModel"),
}
CARD = "---\nlicense: mit\n---\n\n# The card\n"


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny train artifact with a head for every kind."""
    from stilts.data.toy import toy_tokenizer_json
    from stilts.kinds.learning import add_heads
    from stilts.models.model import load_model, save_model
    from stilts.tasks.registry import default_registry
    from tests.training.tiny import write_tiny_encoder

    folder = tmp_path_factory.mktemp("artifact")
    write_tiny_encoder(folder)
    model, _ = load_model(folder)
    add_heads(model, [default_registry().task(task) for task, _ in KINDS.values()], seed=1)
    save_model(model, folder, tokenizer=toy_tokenizer_json().encode())
    return folder


def loadable(artifact: Path, kind: str, stage: str = "train-a") -> Champion:
    """A champion whose model is copied into MLflow."""

    def write(folder: Path) -> None:
        from stilts.kinds.learning import learning_of
        from stilts.models.export import Exported, export_model
        from stilts.tasks.registry import default_registry

        task = default_registry().task(KINDS[kind][0])
        form = learning_of(task.kind).export
        what = Exported(kind=task.kind, form=form, learner=task.learner, labels=task.labels, layer=1)
        export_model(artifact, folder, what)
        (folder / "README.md").write_text(CARD)

    return champion(stage, kind=kind, write=write, locate=lambda: str(artifact), by_reference="", card=CARD)


@pytest.mark.parametrize("kind", KINDS)
def test_mlflow_loads_the_champion(kind: str, artifact: Path, uri: str) -> None:
    import mlflow.transformers
    from safetensors.torch import load_file

    client = client_of(uri)
    run_id = client.create_run(client.create_experiment("runs")).info.run_id
    model = replace(loadable(artifact, kind), run_id=run_id if kind == "tagging" else None)
    assert register_champions("little", [model], uri) == {"xnli": 1}
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    try:
        parts = mlflow.transformers.load_model("models:/little.xnli@champion", return_type="components")
        pipeline = mlflow.transformers.load_model("models:/little.xnli@champion")
    finally:
        mlflow.set_tracking_uri(None)  # type: ignore[arg-type]
        mlflow.set_registry_uri(None)  # type: ignore[arg-type]
    assert type(parts["model"]).__name__ == type(pipeline.model).__name__ == KINDS[kind][1]
    assert parts["tokenizer"]("a b")["input_ids"][0] == 0
    weights = load_file(artifact / "encoder.safetensors")
    name = "embeddings.word_embeddings.weight"
    assert parts["model"].base_model.state_dict()[name].equal(weights[name])
    if kind in ("classification", "tagging"):
        assert pipeline("a b c")


def test_a_loadable_version_replaces_a_reference_to_the_same_stage(artifact: Path, uri: str) -> None:
    """Stores that were tracked by an earlier version get models that load, once."""
    assert register_champions("little", [champion("train-a")], uri) == {"xnli": 1}
    model = loadable(artifact, "tagging")
    assert register_champions("little", [model], uri) == {"xnli": 2}
    assert register_champions("little", [model], uri) == {"xnli": 2}
    version = client_of(uri).get_model_version_by_alias("little.xnli", "champion")
    assert version.tags["form"] == "transformers"
    assert version.description == "# The card"


def test_the_files_are_safetensors_a_card_and_no_paths_of_this_machine(artifact: Path, uri: str) -> None:
    register_champions("little", [loadable(artifact, "span_qa")], uri)
    folder = next(Path(uri.removeprefix("sqlite:///")).parent.rglob("MLmodel")).parent
    assert {path.suffix for path in folder.rglob("*") if path.is_file()} == {"", ".json", ".md", ".safetensors", ".txt"}
    assert (folder / "model" / "README.md").read_text() == CARD
    described = (folder / "MLmodel").read_text()
    assert 'return_type="components"' in described
    assert "stilts-model-" not in described


def test_a_model_that_cannot_be_written_is_not_registered(uri: str) -> None:
    def write(folder: Path) -> None:
        raise StiltsError("weights of train-a", "they are damaged")

    with pytest.raises(StiltsError, match="damaged"):
        register_champions("little", [champion("train-a", write=write, by_reference="")], uri)
    assert client_of(uri).search_model_versions("name='little.xnli'") == []


def test_no_tag_of_a_version_names_a_folder_of_the_machine(uri: str) -> None:
    local = champion("train-xnli-a", locate=lambda: "/home/me/stilts_store/train-xnli-a")
    register_champions("little", [local], uri)
    client = client_of(uri)
    version = client.get_model_version_by_alias("little.xnli", "champion")
    assert version.tags["location"] == "stilts-store:/train-xnli-a"
    assert not any("/home/" in value for value in version.tags.values())
    client.set_model_version_tag("little.xnli", "1", "location", "/home/me/stilts_store/train-xnli-a")  # of before
    register_champions("little", [local], uri)
    version = client.get_model_version_by_alias("little.xnli", "champion")
    assert version.tags["location"] == "stilts-store:/train-xnli-a"
