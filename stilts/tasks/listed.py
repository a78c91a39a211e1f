"""Plain lists: a file with one entry a line, in an order that may matter. Labels of a task, tables that ship."""

from __future__ import annotations

from pathlib import Path

from stilts.tasks.bounded_text import bounded_text


def listed_in(path: Path) -> tuple[str, ...]:
    """The entries of a file in its order, without blanks around them; StudyError where it is no text file.

    Empty lines, and lines that begin with ``# `` (a blank after it, or nothing), are no entries: they say what the
    list is and where it comes from.
    """
    lines = (line.strip() for line in bounded_text(path, "Give the path of a text file").split("\n"))
    return tuple(line for line in lines if line and line != "#" and not line.startswith("# "))
