"""One registered model per target; the alias follows the choice, and nothing is registered twice."""

from __future__ import annotations

from mlflow import MlflowClient

from stilts.tracking.champions import Champion, _source, register_champions


def champion(stage: str, target: str = "xnli") -> Champion:
    return Champion(target=target, intermediate="mnli", stage_id=stage, source=f"s3://bucket/{stage}", score=70.5)


def test_the_alias_names_the_stage_and_is_given_once(uri: str) -> None:
    both = [champion("train-xnli-a"), champion("train-udpos-b", "udpos")]
    assert register_champions("little", both, uri) == {"xnli": 1, "udpos": 1}
    assert register_champions("little", both, uri) == {"xnli": 1, "udpos": 1}
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    version = client.get_model_version_by_alias("little.xnli", "champion")
    assert version.tags["stage_id"] == "train-xnli-a"
    assert version.source == "s3://bucket/train-xnli-a"
    assert len(client.search_model_versions("name='little.xnli'")) == 1


def test_a_new_champion_takes_the_alias_and_an_old_one_takes_it_back(uri: str) -> None:
    assert register_champions("little", [champion("a")], uri) == {"xnli": 1}
    assert register_champions("little", [champion("b")], uri) == {"xnli": 2}
    assert register_champions("little", [champion("a")], uri) == {"xnli": 1}
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    assert client.get_model_version_by_alias("little.xnli", "champion").tags["stage_id"] == "a"


def test_a_local_store_is_registered_by_path_or_for_a_server_by_name() -> None:
    local = Champion(target="xnli", intermediate="mnli", stage_id="train-a", source="/data/store/train-a", score=1.0)
    assert _source(local, "sqlite:///mlflow.db") == "/data/store/train-a"
    assert _source(local, "http://mlflow:5000") == "stilts-store:/train-a"


def test_a_local_source_is_accepted(uri: str) -> None:
    local = Champion(target="xnli", intermediate="mnli", stage_id="train-a", source="/data/store/train-a", score=1.0)
    assert register_champions("little", [local], uri) == {"xnli": 1}
