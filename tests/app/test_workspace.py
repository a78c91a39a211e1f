"""How this machine runs stages: what the study says of it, and where tokenized data are kept."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from stilts.app.workspace import Workspace
from stilts.study.schema import StudyResources
from stilts.study.slots import Resources
from stilts.training.run_config import RunConfig


@pytest.mark.parametrize(("url", "kept"), [("/data/store", "/data/store/cache"), ("s3://bucket/x", "~/.cache/stilts")])
def test_a_store_in_a_bucket_has_its_tokens_on_each_node(url: str, kept: str) -> None:
    assert config_of(StudyResources(), url).cache_dir == kept


def test_how_stages_run_is_what_the_study_says() -> None:
    said = config_of(StudyResources(micro_batch=4, gradient_checkpointing=True))
    assert (said.threads, said.micro_batch, said.gradient_checkpointing) == (3, 4, True)
    assert not config_of(StudyResources()).gradient_checkpointing


def config_of(resources: StudyResources, url: str = "/data/store") -> RunConfig:
    resolved: Any = SimpleNamespace(study=SimpleNamespace(file=SimpleNamespace(resources=resources)))
    store: Any = SimpleNamespace(url=url)
    return Workspace(resolved=resolved, roots={}).run_config(store, held=Resources(cpus=3), device="cpu")
