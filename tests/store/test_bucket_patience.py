"""A bucket that does not answer for a while: a patient store waits and says so once, any other says it at once."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from stilts.errors import StoreUnavailableError
from stilts.store import bucket, make_store, open_store
from stilts.store.store import Store


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bucket, "_ASK_EVERY_S", 0.01)


@pytest.fixture
def url() -> str:
    return make_store(f"memory://patience/{uuid.uuid4().hex}").url


@contextmanager
def failing(method: str, times: int, error: Exception, *, acts: bool = False) -> Iterator[list[int]]:
    """The bucket's method fails so many times, having acted where ``acts``: then its answer was lost."""
    calls, real = [0], getattr(MemoryFileSystem, method)

    def limited(*given: Any, **named: Any) -> Any:
        calls[0] += 1
        if calls[0] > times:
            return real(*given, **named)
        if acts:
            real(*given, **named)
        raise error

    with mock.patch.object(MemoryFileSystem, method, limited):
        yield calls


def botocores() -> Exception:
    from botocore.exceptions import EndpointConnectionError

    return EndpointConnectionError(endpoint_url="http://s3")


NO_ANSWER = [ConnectionRefusedError(111, "refused"), TimeoutError("timed out"), OSError(5, "an error of the service")]


@pytest.mark.parametrize("error", [*NO_ANSWER, botocores()], ids=lambda error: type(error).__name__)
def test_a_patient_store_waits_and_says_so_once(url: str, error: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    store = open_store(url, patient=True)
    store.write_record("a/b", {"c": 1})
    with failing("cat_file", 3, error) as calls:
        assert store.read_record("a/b") == {"c": 1} and calls == [4]
    assert capsys.readouterr().err.count("does not answer") == 1


def test_any_other_store_says_it_at_once(url: str) -> None:
    with failing("cat_file", 1, NO_ANSWER[0]), pytest.raises(StoreUnavailableError, match="refused"):
        open_store(url)


@pytest.mark.parametrize("error", [PermissionError(13, "no such key"), ValueError("a bug")])
def test_what_will_not_pass_is_not_waited_for(url: str, error: Exception) -> None:
    store = open_store(url, patient=True)
    with failing("cat_file", 9, error) as calls, pytest.raises(StoreUnavailableError):
        store.read_record("a/b")
    assert calls == [1]


def test_patience_ends(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(url, patient=True)
    monkeypatch.setattr(bucket, "PATIENCE_S", 0.3)
    started = time.monotonic()
    with failing("cat_file", 10**6, NO_ANSWER[0]), pytest.raises(StoreUnavailableError, match="refused"):
        store.read_record("a/b")
    assert 0.3 <= time.monotonic() - started < 5


def test_a_creation_whose_answer_was_lost_is_ours(url: str) -> None:
    store: Store = open_store(url, patient=True)
    with failing("pipe_file", 1, NO_ANSWER[0], acts=True):
        assert store.write_record("a/b", {"c": 1}, create_only=True)
    assert not store.write_record("a/b", {"c": 2}, create_only=True)
    with failing("pipe_file", 1, NO_ANSWER[0], acts=True), store.lease("train-a-0123456789ab") as lease:
        lease.check()


def test_an_object_that_could_not_be_read_is_not_missing(url: str) -> None:
    store = open_store(url)
    for name in ("a/b", "a/c"):
        store.write_record(name, {"c": 1})
    assert len(store.record_bodies(["a/b", "a/c", "a/none"]).good) == 2
    with failing("cat_file", 1, NO_ANSWER[0]), pytest.raises(StoreUnavailableError, match="refused"):
        store.record_bodies(["a/b", "a/c", "a/none"])
