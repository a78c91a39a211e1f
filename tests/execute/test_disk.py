"""What an error says of a disk, also where a package has wrapped it."""

from __future__ import annotations

import errno
import os
import re
import resource
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from stilts.execute.disk import FULL, HOPELESS, disk_error
from stilts.models.transfer import write_tensors


def test_the_systems_own_word_is_found_below_what_was_raised_from_it() -> None:
    said = OSError(errno.ENOSPC, "No space left on device", "/scratch/x")
    try:
        raise RuntimeError("could not save") from said
    except RuntimeError as error:
        assert disk_error(error) is said and said.errno in FULL


def test_other_errors_are_not_taken_for_it() -> None:
    for error in (
        ValueError("no"),
        KeyError("x"),
        FileNotFoundError(errno.ENOENT, "gone", "x"),
        OSError("the network"),
    ):
        assert disk_error(error) is None


def test_tempfile_without_any_folder_is_the_machines_matter() -> None:
    error = FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']")
    assert disk_error(error) is error


@pytest.fixture
def small_files() -> Iterator[None]:
    """No file may grow over 4 KiB: the system refuses as it does on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.usefixtures("small_files")
def test_weights_that_do_not_fit_name_their_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=re.escape(str(tmp_path / "a.safetensors"))) as caught:
        write_tensors(tmp_path / "a.safetensors", {"a": torch.zeros(100_000)})
    assert caught.value.errno == errno.EFBIG


@pytest.mark.usefixtures("small_files")
def test_rust_says_it_in_words_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="os error") as caught:
        save_file({"a": np.zeros(100_000, np.float32)}, tmp_path / "a.safetensors")
    found = disk_error(caught.value)
    assert found is not None and found.errno in HOPELESS and found.strerror == os.strerror(errno.EFBIG)


def test_sqlite_says_it_in_words_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError) as caught:
        sqlite3.connect(tmp_path / "none" / "x.db")
    assert disk_error(caught.value) is not None
