"""What an error says of disk, folder or network: the system's own word, through the packages that wrap it."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator

# Nothing can be written until somebody makes room, or mounts the disk otherwise.
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})
# The same try would end the same way.
HOPELESS = FULL | {errno.EACCES, errno.EPERM, errno.EFBIG, errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.ELOOP}
# Also the machine's matter, and no fault of the program, but it may pass.
_PASSING = frozenset({errno.EIO, errno.EMFILE, errno.ENFILE, errno.EBUSY, errno.ESTALE, errno.ENODEV, errno.ENOLCK})
_NETWORK = frozenset(
    {errno.ECONNREFUSED, errno.ECONNRESET, errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENOTCONN}
)
_OF_THE_MACHINE = HOPELESS | _PASSING | _NETWORK
# safetensors and tokenizers are Rust: "I/O error: No space left on device (os error 28)".
_RUST = re.compile(r"\(os error (\d+)\)")
_SQLITE = {
    "database or disk is full": errno.ENOSPC,
    "attempt to write a readonly database": errno.EROFS,
    "disk I/O error": errno.EIO,
    "unable to open database file": errno.EACCES,
}


def disk_error(error: BaseException) -> OSError | None:
    """What the system said, where an error or one of its causes is of disk, folder or network; else None."""
    return next((found for one in _causes(error) if (found := _said_by(one)) is not None), None)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it was raised from, outermost first."""
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__


def _said_by(error: BaseException) -> OSError | None:
    if isinstance(error, OSError):
        if error.errno in _OF_THE_MACHINE:
            return error
        # What tempfile says where no folder can be written to, also of full ones.
        return error if "No usable temporary directory" in str(error) else None
    text, kind = str(error), type(error).__name__
    number = None
    if found := _RUST.search(text):
        number = int(found[1])
    elif kind == "OperationalError":  # sqlite3's, and SQLAlchemy's around it
        number = next((code for words, code in _SQLITE.items() if words in text), None)
    return OSError(number, os.strerror(number)) if number in _OF_THE_MACHINE else None
