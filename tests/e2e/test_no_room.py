"""A disk that is full, a store that became read only, a bucket that does not answer: one message, and the same command
goes on once there is room. Nothing half-written stays that ``gc`` does not know for what it is.
"""

from __future__ import annotations

import errno
import json
import os
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from unittest import mock

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from stilts.store import bucket, local, open_store
from tests.e2e.home_folder import ended, messages
from tests.e2e.studies import environment, opened, scores

RUN = ["--local", "--tracking-uri", "none", "--threads", "1"]
# As many objects as an undisturbed run writes at least; heartbeats of a slow one come on top.
OBJECTS = 36


@pytest.fixture(scope="module")
def undisturbed(study: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    folder = tmp_path_factory.mktemp("undisturbed") / "store"
    with mock.patch.object(local, "_write", wraps=local._write) as write:
        assert ended("run", study, "--store", folder, *RUN)[0] == 0
    assert write.call_count >= OBJECTS, "trouble from a later object on would be none"
    return scores(opened(folder))


@contextmanager
def largest_file(most_bytes: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def objects_until(number: int, code: int) -> Iterator[None]:
    """The store's disk is full, or read only, from its ``number``-th object on; of the first half is written."""
    write, count = local._write, 0

    def limited(path: Path, data: bytes, *, durable: bool) -> None:
        nonlocal count
        count += 1
        if count < number:
            return write(path, data, durable=durable)
        if code == errno.ENOSPC:
            write(path, data[: len(data) // 2], durable=False)
        raise OSError(code, os.strerror(code), str(path))

    with mock.patch.object(local, "_write", limited):
        yield


@contextmanager
def answers_until(number: int) -> Iterator[None]:
    """A bucket that answers no more from the ``number``-th object on, whatever it is asked."""
    written = 0

    def limited(name: str) -> Callable[..., object]:
        method = getattr(MemoryFileSystem, name)

        def call(*given: object, **named: object) -> object:
            nonlocal written
            written += name == "pipe_file"
            if written >= number:
                raise TimeoutError("no answer from the bucket")
            return method(*given, **named)

        return call

    names = ("pipe_file", "cat_file", "find", "info", "ls", "rm_file", "rm", "put_file", "get_file")
    with (
        mock.patch.multiple(MemoryFileSystem, **{name: limited(name) for name in names}),
        mock.patch.object(bucket, "PATIENCE_S", 0.0),
    ):
        yield


def ends_and_goes_on(
    study: Path, store: str, trouble: AbstractContextManager[None], undisturbed: dict[str, object], said: str
) -> None:
    """In trouble the run ends with status 1 and one message; without it the same command fills the same matrix."""
    words = ["run", study, "--store", store, *RUN]
    with trouble:
        status, out, err = ended(*words)
    assert status == 1 and "Traceback" not in out + err and len(messages(err)) == 1, out + err
    assert said in messages(err)[0] and re.search("What is done stays done|The others are kept", messages(err)[0])
    status, out, err = ended(*words)
    assert status == 0, out + err
    assert scores(open_store(store)) == undisturbed
    status, out, _ = ended("mend", study, "--store", store, "--dry-run", "--json")
    assert status == 0 and json.loads(out)["faults"] == json.loads(out)["strays"] == []


FULL, READ_ONLY = errno.ENOSPC, errno.EROFS
Trouble = Callable[[int], AbstractContextManager[None]]


def nothing_half_written(store: Path) -> bool:
    return not (store / "tmp").exists() or not list((store / "tmp").iterdir())


@pytest.mark.parametrize("most_bytes", [60, 400, 20_000])
def test_no_file_can_grow_beyond(most_bytes: int, study: Path, tmp_path: Path, undisturbed: dict[str, object]) -> None:
    store = tmp_path / "store"
    ends_and_goes_on(study, str(store), largest_file(most_bytes), undisturbed, os.strerror(errno.EFBIG))
    assert nothing_half_written(store)


@pytest.mark.parametrize(
    ("number", "code"),
    [(1, FULL), (2, FULL), (7, READ_ONLY), (12, FULL)]
    + [
        pytest.param(number, code, marks=pytest.mark.slow)
        for number in range(3, OBJECTS, 2)
        for code in (FULL, READ_ONLY)
    ],
)
def test_a_disk_that_is_full_or_read_only_from_an_object_on(
    number: int, code: int, study: Path, tmp_path: Path, undisturbed: dict[str, object]
) -> None:
    store = tmp_path / "store"
    trouble = objects_until(number, code)
    ends_and_goes_on(study, str(store), trouble, undisturbed, os.strerror(code))
    assert nothing_half_written(store)


@pytest.mark.parametrize(
    # From the third on a lease was taken that nobody could give back: the next run waits until it is free.
    "number",
    [1, 2, *(pytest.param(number, marks=pytest.mark.slow) for number in (3, 6, 9, 14))],
)
def test_a_bucket_that_does_not_answer(number: int, study: Path, undisturbed: dict[str, object]) -> None:
    store = f"memory://no_room/{number}"
    ends_and_goes_on(study, store, answers_until(number), undisturbed, "no answer from the bucket")


# Words: a folder, a size, python and the words of a run. Mounts a disk of that size there, in mounts of its own.
SMALL_DISK = """
mount -t tmpfs -o "size=$2" tmpfs "$1" || exit 90
disk=$1; shift 2
"$@"; echo "status $?"
ls -A "$disk/store/tmp" 2>/dev/null
mount -o remount,size=64m "$disk"
"$@"; echo "status $?"
cp -r "$disk/store" "$disk.kept"
"""
# The same with a disk that is large, and becomes read only once the first stage is done.
READ_ONLY_DISK = """
mount -t tmpfs -o size=64m tmpfs "$1" || exit 90
disk=$1; shift 2
"$@" & run=$!
until ls "$disk"/store/stages/*/done.json >/dev/null 2>&1; do sleep 0.01; done
until mount -o remount,ro "$disk" 2>/dev/null; do sleep 0.001; done
wait $run; echo "status $?"
mount -o remount,rw "$disk"
"$@"; echo "status $?"
cp -r "$disk/store" "$disk.kept"
"""


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs mounts of its own")
@pytest.mark.parametrize(
    ("script", "size"),
    [(SMALL_DISK, "4k"), (SMALL_DISK, "64k"), (SMALL_DISK, "300k"), (SMALL_DISK, "400k"), (READ_ONLY_DISK, "64m")],
    ids=["4k", "64k", "300k", "400k", "read only"],
)
def test_a_real_disk(script: str, size: str, study: Path, tmp_path: Path, undisturbed: dict[str, object]) -> None:
    (tmp_path / "disk").mkdir()
    run = [sys.executable, "-m", "stilts.cli.main", "run", study, "--store", tmp_path / "disk" / "store", *RUN]
    said = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, "sh", str(tmp_path / "disk"), size, *map(str, run)],
        capture_output=True,
        text=True,
        env=environment(OPENBLAS_NUM_THREADS="1"),
        timeout=300,
    )
    if said.returncode == 90 or "unshare failed" in said.stderr:
        pytest.skip("this user may not mount anything")
    ends = [line for line in said.stdout.splitlines() if line.startswith("status ")]
    assert ends == ["status 1", "status 0"] and "Traceback" not in said.stderr, said.stdout + said.stderr
    assert len(messages(said.stderr)) == 1, said.stderr
    kept = open_store(str(tmp_path / "disk.kept"))
    assert scores(kept) == undisturbed and kept.strays() == [] and kept.litter(-60.0) == []
