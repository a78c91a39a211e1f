"""Digests of data files are those of the bytes that are there now."""

from __future__ import annotations

import os
from pathlib import Path

from stilts.tasks.file_digests import files_fingerprint


def test_another_file_of_the_same_size_and_time_is_hashed_again(tmp_path: Path) -> None:
    path, other = tmp_path / "data.tsv", tmp_path / "other.tsv"
    path.write_text("one\n")
    before, stamp = files_fingerprint([path]), path.stat().st_mtime_ns
    other.write_text("two\n")
    os.utime(other, ns=(stamp, stamp))
    os.replace(other, path)
    assert path.stat().st_mtime_ns == stamp and files_fingerprint([path]) != before
