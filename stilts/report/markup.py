"""Text as literal text of a page or a card: names, licences and questions are not read as HTML or Markdown.

Every writer of the report goes through here, so that a name is escaped in one way; LaTeX has its own in ``latex.py``.
"""

from __future__ import annotations

import html
import re

from stilts.shown import shown

# What Markdown (CommonMark, GitHub's, MLflow's) reads as markup within a line. An underscore inside a word is none.
_INLINE = re.compile(r"([\\`*\[\]<>|~$]|&(?=#|[A-Za-z])|(?<![^\W_])_|_(?![^\W_]))")
# What it reads as a heading, a list or a rule where it begins a paragraph.
_LEADING = re.compile(r"^((?:\d+(?=[.)]))?)([#+=.)-])")


def as_html(text: str) -> str:
    """Text for HTML, SVG and their attributes: no markup, and no character that XML 1.0 does not allow."""
    return html.escape(shown(text.replace("\r\n", "\n"), keep="\n\t"))


def as_markdown(text: str) -> str:
    """Text within a line, cell or heading of Markdown, with what would be read as markup made literal."""
    return _INLINE.sub(r"\\\1", _one_line(text))


def as_paragraph(text: str) -> str:
    """The same for text that begins a paragraph."""
    return _LEADING.sub(r"\1\\\2", as_markdown(text).strip())


def as_code(text: str) -> str:
    """Text as code within a line of Markdown, between more backticks than it has in a row."""
    line = _one_line(text)
    fence = "`" * (_longest_run(line) + 1)
    inner = f" {line} " if line.startswith("`") or line.endswith("`") or not line.strip() else line
    return f"{fence}{inner}{fence}"


def as_block(text: str, language: str) -> str:
    """Lines as a block of code of Markdown, in a fence that they do not hold."""
    fence = "`" * max(3, _longest_run(text) + 1)
    return f"{fence}{language}\n{shown(text, keep=chr(10))}\n{fence}"


def _one_line(text: str) -> str:
    return shown(" ".join(text.splitlines()))


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)
