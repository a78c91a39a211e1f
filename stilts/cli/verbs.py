"""The group of verbs as Typer reads it: its help in plain lines, and usage errors that quote words as text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from typer.core import TyperGroup

from stilts.cli.notice import notice
from stilts.shown import shown

# Usage errors have several lines on purpose.
_LINES = "\n\t"
# Longer than any first sentence of a docstring: each is shown whole, in as many lines as it takes.
_WHOLE = 1000


class Verbs(TyperGroup):
    """The verbs; what Typer says of words that it cannot use quotes them as text."""

    def make_context(self, *given: Any, **named: Any) -> Any:
        """Reads the words before the verb."""
        return _quoting(lambda: super(Verbs, self).make_context(*given, **named))

    def invoke(self, ctx: Any) -> Any:
        """Reads the verb's own words, and runs it."""
        try:
            return _quoting(lambda: super(Verbs, self).invoke(ctx))
        finally:
            notice.end()

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Lists the verbs, each with its whole first sentence."""
        lines = [(name, self.commands[name].get_short_help_str(_WHOLE)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(lines)


def _quoting(act: Callable[[], Any]) -> Any:
    """Does it; a usage error of Typer's, which prints its ``message`` with the user's words in it, has them as text."""
    try:
        return act()
    except Exception as error:
        message = getattr(error, "message", None)
        if isinstance(message, str) and hasattr(error, "format_message"):
            error.message = shown(message, keep=_LINES)  # type: ignore[attr-defined]
        raise
