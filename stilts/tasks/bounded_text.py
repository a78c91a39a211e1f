"""Text that a user wrote, or that ships: a file of bounded size."""

from __future__ import annotations

from pathlib import Path

from stilts.bounded_file import read_bounded
from stilts.errors import DataError, StudyError

# The whole catalogue that ships, written as one tasks file, would be about 100 KB and 10,000 values.
MOST_BYTES = 4 * 2**20


def bounded_text(path: Path, next_step: str) -> str:
    """The text of a small file that a user wrote; StudyError where it is no file, too large or not UTF-8."""
    try:
        return read_bounded(path, MOST_BYTES).decode("utf-8")
    except DataError as error:
        raise StudyError(error.asked, error.found, error.why, next_step) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        found = f"byte 0x{error.object[error.start]:02x} is not UTF-8"
        raise StudyError(f"{path}, line {line}", found, "", "Convert the file to UTF-8") from error
