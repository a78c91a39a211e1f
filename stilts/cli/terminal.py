"""What reaches the terminal is text: the console shows no raw character.

Verbs print by ``options.say`` and ``shown.remark``; ``stilts/shown.py`` says which characters are meant.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from stilts.shown import shown

# Where there is neither a terminal nor COLUMNS to say how wide a line may be.
_WIDTH = 140


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


def console() -> TextConsole:
    """A console for standard output: as wide as the terminal, or as COLUMNS says; 140 columns where neither does."""
    if sys.stdout.isatty():
        return TextConsole()
    given = os.environ.get("COLUMNS", "")
    return TextConsole(width=int(given) if given.isdigit() and int(given) else _WIDTH)
