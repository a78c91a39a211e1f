"""A cluster for the tests of a file; each file that breaks parts of it has its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.lab import Lab, lab, lacking
from tests.cluster.machines import not_apart


@pytest.fixture(scope="session")
def cluster_parts() -> None:
    """Skips where parts are missing, with what installs them; says where all share one network."""
    if missing := lacking():
        pytest.skip(f"not installed: {', '.join(missing)}; make cluster-test installs packages, apt PostgreSQL")
    if reason := not_apart():
        print(f"all parts share the loopback interface of this machine: {reason}")


@pytest.fixture(scope="module")
def cluster(cluster_parts: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A head and two workers, a bucket, MLflow on PostgreSQL."""
    with lab(tmp_path_factory.mktemp("cluster")) as made:
        yield made


@pytest.fixture(scope="session")
def open_cluster(cluster_parts: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A cluster for several files, of two workers, whose dashboard and client port listen to everybody."""
    words = ["--dashboard-host=0.0.0.0", "--ray-client-server-port=10001"]
    with lab(tmp_path_factory.mktemp("open"), head_words=words, worker_words=["--num-cpus=2"]) as made:
        yield made


@pytest.fixture(scope="session")
def apart() -> None:
    """Skips where machines cannot have networks of their own."""
    if reason := not_apart():
        pytest.skip(f"needs machines with networks of their own: {reason}")
