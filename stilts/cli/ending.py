"""How the command line ends: by a signal, for want of disk, or by a fault of its own, each with one last sentence."""

from __future__ import annotations

import errno
import functools
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from stilts.addresses import without_secrets
from stilts.errors import DiskError, StiltsError
from stilts.execute.disk import disk_error
from stilts.scheduling import signals
from stilts.shown import remark, shown

_KEPT = "What is done stays done; the same command goes on from there."


def told(main: Callable[[], None]) -> Callable[[], None]:
    """``main`` with an exit status, and a last word, for signals and for errors that nobody explained."""

    @functools.wraps(main)
    def whole() -> None:
        with signals.handled():
            status = _status(main)
            if signals.received() is not None:
                # Only a verb that waits for Ctrl-C (ui) ends well by it.
                well = status == 0 and signals.cause() == "Interrupted"
                signals.leave(0 if well else signals.exit_status())
        sys.exit(status)

    return whole


@contextmanager
def disk_explained() -> Iterator[None]:
    """Turns what the system says of disks, folders and networks into one message that names the path."""
    try:
        yield
    except StiltsError:
        raise
    except Exception as error:
        found = disk_error(error)
        if found is None:
            raise
        raise _explained(found) from error


def _explained(error: OSError) -> DiskError:
    path = error.filename2 or error.filename  # of two, the second is the one that is written to
    said = error.strerror or str(error)
    remedy = {
        errno.ENOSPC: "Make room",
        errno.EDQUOT: "Make room in your quota",
        errno.EROFS: "Make it writable, or name another folder",
        errno.EACCES: "Give yourself the permission, or name another folder",
        errno.EPERM: "Give yourself the permission, or name another folder",
        errno.ENOENT: "Make room or set TMPDIR to a folder that can be written",
    }.get(error.errno or 0, "Mend that")
    return DiskError(
        str(path or "a file or folder"), said, "What is done stays done", f"{remedy}; the same command goes on"
    )


def _status(main: Callable[[], None]) -> int:
    try:
        main()
    except SystemExit as end:
        if _was_interrupted(end):
            remark(f"{signals.cause()}. {_KEPT}")
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException as error:  # PyO3's panics are no Exception
        if _was_interrupted(error):  # a module whose import is broken off may make another error of it
            remark(f"{signals.cause()}. {_KEPT}")
            return signals.exit_status()
        sys.stderr.write(shown(without_secrets(traceback.format_exc()), keep="\n"))
        remark(
            f"This is a fault of stilts ({type(error).__name__}), not of yours: please report the lines above. {_KEPT}"
        )
        return 1
    return 0


def _was_interrupted(error: BaseException) -> bool:
    """Whether this is a KeyboardInterrupt, or was made of one (Typer does): nobody has said a word of it then."""
    one: BaseException | None = error
    while one is not None and not isinstance(one, KeyboardInterrupt):
        one = one.__cause__ or one.__context__
    return one is not None
