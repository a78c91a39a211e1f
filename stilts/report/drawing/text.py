"""How wide a text is, and how it is folded into a width, by DejaVu Sans' own table of advance widths.

DejaVu Sans lies in ``fonts/``, and is among the widest of the fonts that a browser may take in its place (``FONTS``):
a text that fits here fits there.
"""

from __future__ import annotations

import re
import unicodedata

from stilts.shown import shown

FONTS = "'DejaVu Sans',Verdana,Arial,Helvetica,sans-serif"

# Advance widths of the printable ASCII characters, in thousandths of the font's size (the fonts' hmtx tables).
_REGULAR = """
318 401 460 838 636 950 780 275 390 390 500 838 318 361 318 337 636 636 636 636 636 636 636 636 636 636 337 337 838 838
838 531 1000 684 686 698 770 632 575 775 752 295 295 656 557 863 748 787 603 787 695 635 611 732 684 989 685 611 685
390 337 390 838 500 500 613 635 550 635 615 352 635 634 278 278 579 278 974 634 612 635 635 411 521 392 634 592 818 592
592 525 636 337 636 838
"""
_BOLD = """
348 456 521 838 696 1002 872 306 457 457 523 838 380 415 380 365 696 696 696 696 696 696 696 696 696 696 400 400 838 838
838 580 1000 774 762 734 830 683 683 821 837 372 372 775 637 995 837 850 733 850 770 720 682 812 774 1103 771 724 725
457 365 457 838 500 500 675 716 593 716 678 435 716 712 343 343 665 343 1042 712 687 716 716 493 595 478 712 652 924 645
652 582 712 365 712 838
"""
_TABLES = {
    bold: {chr(32 + at): int(width) / 1000 for at, width in enumerate(table.split())}
    for bold, table in ((False, _REGULAR), (True, _BOLD))
}
_SIGNS = {"\u00b1": 0.838, "\u2212": 0.838, "\u2013": 0.5, "\u2026": 1.0, "\u2264": 0.838, "\u2265": 0.838}
_WIDE_LETTER, _FULL_WIDTH = 0.85, 1.1  # Other letters, and those of scripts that are set square: upper bounds.
# Browsers may round each advance to whole pixels; 7 points at 96 dots to the inch come out up to 5 % wider.
_ROUNDING = 1.05
ASCENT, DESCENT = 0.76, 0.24  # The tallest Latin letter above the base line, and the deepest below, in sizes.
MIDDLE = 0.36  # Half the height of a capital or figure: what a line is centred by, in sizes.
ELLIPSIS = "\u2026"


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """The width of one line of text, in the unit of ``size``."""
    table = _TABLES[bold]
    return size * _ROUNDING * sum(table[char] if char in table else _other(char, bold) for char in text)


def fold(text: str, width: float, size: float, *, lines: int, bold: bool = False, prose: bool = False) -> list[str]:
    """The text in at most ``lines`` lines that fit a width: broken after separators, then anywhere, then cut.

    Separators are spaces, and but for ``prose`` the characters that join the parts of a name. What is cut out of the
    last line is replaced by an ellipsis.
    """
    folded = [""]
    for piece in _pieces(shown(text, keep="\n\t"), width, size, bold, prose):
        if folded[-1] and text_width((folded[-1] + piece).rstrip(), size, bold=bold) > width:
            folded.append("")
        folded[-1] += piece
    stripped = [line.strip() for line in folded]
    if len(stripped) <= lines:
        return stripped
    return [*stripped[: lines - 1], shortened("".join(folded[lines - 1 :]), width, size, bold=bold)]


def breaks_well(text: str, width: float, size: float, *, lines: int, bold: bool = False) -> bool:
    """Whether the text fits into so many lines of a width with no word broken."""
    whole = max((text_width(word.rstrip(), size, bold=bold) for word in _words(text)), default=0.0) <= width
    return whole and ELLIPSIS not in fold(text, width, size, lines=lines, bold=bold)[-1]


def shortened(text: str, width: float, size: float, *, bold: bool = False) -> str:
    """The text, or both its ends around an ellipsis: names of a study often differ in their last characters only."""
    if text_width(text, size, bold=bold) <= width:
        return text
    for cut in range(1, len(text)):
        kept = len(text) - cut
        start, stop = text[: (kept + 1) // 2], text[len(text) - kept // 2 :]
        if text_width(start + ELLIPSIS + stop, size, bold=bold) <= width:
            return start + ELLIPSIS + stop
    return ELLIPSIS


def _words(text: str, prose: bool = False) -> list[str]:
    return re.findall(r"\S*\s*" if prose else r"[^\s_\-+/>|,]*[\s_\-+/>|,]*", text)


def _pieces(text: str, width: float, size: float, bold: bool, prose: bool) -> list[str]:
    """Words, those that are too wide broken into parts that fit."""
    pieces = []
    for word in _words(text, prose):
        part = ""
        for char in word:
            if part.strip() and text_width((part + char).rstrip(), size, bold=bold) > width:
                pieces.append(part)
                part = ""
            part += char
        pieces.append(part)
    return [piece for piece in pieces if piece]


def _other(char: str, bold: bool) -> float:
    if unicodedata.combining(char):
        return 0.0
    if unicodedata.east_asian_width(char) in "WF":
        return _FULL_WIDTH
    return _SIGNS.get(char, _WIDE_LETTER) * (1.1 if bold else 1.0)
