"""Where a run keeps tokenized data: beside its store, and in each machine's home where the store is a bucket."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from stilts.app.workspace import Workspace
from stilts.study.slots import Resources


@pytest.mark.parametrize(("url", "kept"), [("/data/store", "/data/store/cache"), ("s3://bucket/x", "~/.cache/stilts")])
def test_a_store_in_a_bucket_has_its_tokens_on_each_node(url: str, kept: str) -> None:
    resources = SimpleNamespace(micro_batch=None)
    resolved: Any = SimpleNamespace(study=SimpleNamespace(file=SimpleNamespace(resources=resources)))
    store: Any = SimpleNamespace(url=url)
    assert Workspace(resolved=resolved, roots={}).run_config(store, held=Resources(), device="cpu").cache_dir == kept
