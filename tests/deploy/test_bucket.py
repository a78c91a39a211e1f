"""The check of a bucket: servers that create an object once pass, those that look first and write then do not."""

from __future__ import annotations

import importlib.util
import threading
import time
from types import ModuleType
from typing import Any

import pytest

from tests.deploy.files import DEPLOY


@pytest.fixture(scope="module")
def bucket() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bucket", DEPLOY / "compose" / "bucket.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Files:
    """A file system of objects whose "create" is one step, or two."""

    def __init__(self, *, atomic: bool) -> None:
        self.objects: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._atomic = atomic

    def exists(self, path: str) -> bool:
        return path in self.objects

    def mkdir(self, path: str) -> None:
        self.objects[path] = None

    def rm_file(self, path: str) -> None:
        del self.objects[path]

    def pipe_file(self, path: str, data: bytes, mode: str) -> None:
        assert mode == "create"
        if self._atomic:
            with self._lock:
                if path in self.objects:
                    raise FileExistsError(path)
                self.objects[path] = data
            return
        if path in self.objects:
            raise FileExistsError(path)
        time.sleep(0.01)
        self.objects[path] = data


def test_a_server_that_creates_once_passes_and_keeps_nothing_of_the_check(bucket: ModuleType) -> None:
    files = Files(atomic=True)
    bucket.make(files, "stilts")
    assert bucket.check(files, "stilts") is None
    assert list(files.objects) == ["stilts"]


def test_a_server_that_looks_first_and_writes_then_is_refused(bucket: ModuleType) -> None:
    assert "cannot hold a store" in bucket.check(Files(atomic=False), "stilts")
