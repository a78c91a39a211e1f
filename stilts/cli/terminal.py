"""What reaches the terminal is text: the console, usage errors, and what Python prints itself, show no raw character.

Verbs print by ``options.say`` and ``shown.remark``; ``stilts/shown.py`` says which characters are meant.
"""

from __future__ import annotations

import logging
import sys
import traceback
import warnings
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text
from typer.core import TyperGroup

from stilts.shown import shown

# Log lines, warnings, tracebacks and some usage errors have several lines on purpose.
_LINES = "\n\t"


class TextConsole(Console):
    """A console that shows what it is given: no escape sequence, markup or name of an emoji in it is obeyed.

    A string is one line; only a ``Text`` may have several. Its own styling goes on: that is no part of the text.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(markup=False, emoji=False, **settings)

    def render_str(self, text: str, **settings: Any) -> Text:
        """A string as a line of text."""
        return super().render_str(shown(text), **settings)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """The segments of anything; what Rich itself sends to move about the screen stays as it is."""
        for segment in super().render(_visible(renderable) if isinstance(renderable, Text) else renderable, options):
            yield segment if segment.control else Segment(shown(segment.text, keep="\n"), segment.style)


def _visible(text: Text) -> Text:
    """The text with what would act made visible before it is laid out, so that columns keep their width."""
    acting = [at for at, char in enumerate(text.plain) if shown(char, keep="\n") != char]
    if not acting:
        return text
    made = text.blank_copy()
    for part in text.divide(sorted({edge for at in acting for edge in (at, at + 1)})):
        escaped = Text(shown(part.plain, keep="\n"))
        for span in part.spans:  # of one character, or of what needs no escape and keeps its length
            escaped.stylize(span.style, span.start, None if len(part.plain) == 1 else span.end)
        made.append_text(escaped)
    return made


class Verbs(TyperGroup):
    """The verbs; what Typer says of words that it cannot use quotes them as text."""

    def make_context(self, *given: Any, **named: Any) -> Any:
        """Reads the words before the verb."""
        return _quoting(lambda: super(Verbs, self).make_context(*given, **named))

    def invoke(self, ctx: Any) -> Any:
        """Reads the verb's own words, and runs it."""
        return _quoting(lambda: super(Verbs, self).invoke(ctx))


def _quoting(act: Callable[[], Any]) -> Any:
    """Does it; a usage error of Typer's, which prints its ``message`` with the user's words in it, has them as text."""
    try:
        return act()
    except Exception as error:
        message = getattr(error, "message", None)
        if isinstance(message, str) and hasattr(error, "format_message"):
            error.message = shown(message, keep=_LINES)  # type: ignore[attr-defined]
        raise


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
