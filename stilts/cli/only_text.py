"""What Python prints itself shows no raw character either: log lines, warnings and tracebacks."""

from __future__ import annotations

import logging
import sys
import traceback
import warnings
from types import TracebackType
from typing import Any

from stilts.shown import shown

# Log lines, warnings and tracebacks have several lines on purpose.
_LINES = "\n\t"


def show_only_text() -> None:
    """From here on, log lines, warnings and tracebacks of this process show what they quote as text."""
    logging.setLogRecordFactory(_TextRecord)
    warnings.formatwarning = _warning
    sys.excepthook = _traceback


class _TextRecord(logging.LogRecord):
    """A log record whose message is text, whichever library wrote it; colours that a handler adds stay."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        if self.exc_info and self.exc_info[0] is not None:
            self.exc_text = shown("".join(traceback.format_exception(*self.exc_info)).rstrip("\n"), keep=_LINES)

    def getMessage(self) -> str:
        """The message with its arguments."""
        return shown(super().getMessage(), keep=_LINES)


_formatted = warnings.formatwarning


def _warning(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
) -> str:
    return shown(_formatted(message, category, filename, lineno, line), keep=_LINES)


def _traceback(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    sys.stderr.write(shown("".join(traceback.format_exception(kind, error, trace)), keep=_LINES))
