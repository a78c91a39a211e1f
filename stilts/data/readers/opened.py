"""Opening a data file: unpacked where its name says that it is packed, and named for what it is where it is no text."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, cast

from stilts.bounded_file import open_bounded, sized
from stilts.errors import DataError

_UNPACK: Mapping[str, Callable[[BinaryIO], BinaryIO]] = MappingProxyType(
    {
        ".gz": lambda stream: cast(BinaryIO, gzip.GzipFile(fileobj=stream)),
        ".bz2": lambda stream: cast(BinaryIO, bz2.BZ2File(stream)),
        ".xz": lambda stream: cast(BinaryIO, lzma.LZMAFile(stream)),  # noqa: SIM115
    }
)
# What files begin with that people take for their data: what it is, and what to do about it.
_BEGINNINGS: Mapping[bytes, tuple[str, str]] = MappingProxyType(
    {
        b"\x1f\x8b": ("it is packed by gzip, and its name does not say so", "Let its name end in .gz, or unpack it"),
        b"BZh": ("it is packed by bzip2, and its name does not say so", "Let its name end in .bz2, or unpack it"),
        b"\xfd7zXZ\x00": ("it is packed by xz, and its name does not say so", "Let its name end in .xz, or unpack it"),
        b"PK\x03\x04": ("it is a zip archive", "Unpack it"),
        b"PAR1": ("it is a Parquet file", "Write its rows as JSON lines: datasets' to_json does"),
        b"version https://git-lfs": ("it is a pointer of Git LFS, not the data", "Fetch the data: git lfs pull"),
        # Before UTF-16, whose mark the first of them begins with.
        b"\xff\xfe\x00\x00": ("it is UTF-32", "Convert it: iconv -f UTF-32 -t UTF-8"),
        b"\x00\x00\xfe\xff": ("it is UTF-32", "Convert it: iconv -f UTF-32 -t UTF-8"),
        b"\xff\xfe": ("it is UTF-16", "Convert it: iconv -f UTF-16 -t UTF-8"),
        b"\xfe\xff": ("it is UTF-16", "Convert it: iconv -f UTF-16 -t UTF-8"),
        b"<!DOCTYPE html": ("it is a web page, not the data", "Download the file itself"),
        b"<html": ("it is a web page, not the data", "Download the file itself"),
    }
)
_LOOKED_AT = 4096
BROKEN = (OSError, EOFError, zlib.error, lzma.LZMAError)


def open_data(path: Path, most: int) -> BinaryIO:
    """The file's bytes, unpacked where its name ends in ``.gz``, ``.bz2`` or ``.xz``: at most ``most`` of them.

    DataError for a file that is no text by its first bytes, or larger. Reading on may raise one of ``BROKEN``.
    """
    stream = open_bounded(path, most)
    unpack = _UNPACK.get(path.suffix.lower())
    opened = cast(BinaryIO, io.BufferedReader(_Bounded(unpack(stream), path, most))) if unpack else stream
    try:
        beginning = opened.peek(_LOOKED_AT)[:_LOOKED_AT]  # type: ignore[attr-defined]
        _refuse_no_text(path, beginning)
    except BaseException as error:
        opened.close()
        if isinstance(error, BROKEN):
            raise broken(path, error) from error
        raise
    return opened


def broken(path: Path, error: BaseException, line: int | None = None) -> DataError:
    """The error of a file that cannot be read on: a packed one that was cut short, a device that fails."""
    packed = path.suffix.lower() in _UNPACK
    reason = (error.strerror if isinstance(error, OSError) else None) or error
    return DataError(
        path,
        f"it cannot be {'unpacked' if packed else 'read'} ({reason})",
        line=line,
        next_step="Get the file again; a copy that broke off may have left it so" if packed else "Correct the path",
    )


class _Bounded(io.RawIOBase):
    """An unpacked stream that ends with a DataError beyond its bound: a small file may unpack to any size."""

    def __init__(self, stream: BinaryIO, path: Path, most: int) -> None:
        self._stream = stream
        self._path = path
        self._most = most
        self._read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        data = self._stream.read(len(memoryview(cast(bytes, buffer))))
        self._read += len(data)
        if self._read > self._most:
            found = f"it unpacks to more than the {sized(self._most)} that are read"
            raise DataError(self._path, found, next_step="Split the file")
        memoryview(cast(bytearray, buffer))[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._stream.close()
        super().close()


def _refuse_no_text(path: Path, beginning: bytes) -> None:
    page = beginning.removeprefix(b"\xef\xbb\xbf").lstrip()  # before the tag of a page there may be blanks
    for mark, (found, step) in _BEGINNINGS.items():
        if (page if mark.startswith(b"<") else beginning)[: len(mark)].lower() == mark.lower():
            raise DataError(path, found, line=1, next_step=step)
    if beginning.count(0) > len(beginning) // 10:  # a text may hold one; UTF-16 has one in every Latin character
        raise _of_nulls(path, beginning)
    if b"\r" in beginning and b"\n" not in beginning:
        raise DataError(
            path,
            "its lines end as on an old Mac (a carriage return alone)",
            line=1,
            next_step=r"Convert it: tr '\r' '\n'",
        )


def _of_nulls(path: Path, beginning: bytes) -> DataError:
    """The error of text in characters of two or four bytes; which, and which end comes first, its null bytes tell."""
    wide = 4 if beginning.count(0) > len(beginning) * 3 // 5 else 2  # three of four are null, or one of two
    name = f"UTF-{8 * wide}"
    many = "three of four bytes or so are null" if wide == 4 else "every other byte or so is null"
    order = "BE" if beginning[::wide].count(0) > beginning[wide - 1 :: wide].count(0) else "LE"
    step = f"Convert it: iconv -f {name}{order} -t UTF-8"
    return DataError(path, f"{many}: it is {name} without its mark, or no text", line=1, next_step=step)
