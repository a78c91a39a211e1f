"""The store's contract over s3fs and moto's S3 server; left out where these two are not installed."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from stilts.store import make_store
from tests.contracts.store_contract import KEY, StoreContract, publish

s3fs = pytest.importorskip("s3fs")
moto_server = pytest.importorskip("moto.server")


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def url(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    bucket = uuid.uuid4().hex
    s3fs.S3FileSystem(skip_instance_cache=True).mkdir(bucket)
    return f"s3://{bucket}/stilts"


class TestS3(StoreContract):
    pass


def test_files_of_several_parts_come_back_whole(url: str, tmp_path: Path) -> None:
    store = make_store(url, cache_dir=tmp_path / "cache")
    content = bytes(range(256)) * 4 * 1024 * 60  # 60 MiB: more than one part of an upload
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "weights").write_bytes(content)
    publish(store, KEY, tmp_path / "a")
    assert (store.fetch(KEY) / "weights").read_bytes() == content
