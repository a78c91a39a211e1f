"""Decoded: rows of encoded examples as text again, for people to look at; each kind says what it shows of them."""

from __future__ import annotations

from tokenizers import Tokenizer

from stilts.data.encoded import Encoded, IntArray

# Characters of a line.
LINE = 240


def row_text(encoded: Encoded, tokenizer: Tokenizer, row: int) -> str:
    """A row with its special tokens, shortened to a line."""
    return shortened(text_of(tokenizer, encoded.ids[row]))


def text_of(tokenizer: Tokenizer, ids: IntArray) -> str:
    """Tokens as text, special ones among them."""
    return str(tokenizer.decode(ids.tolist(), skip_special_tokens=False))


def shortened(text: str, most: int = LINE) -> str:
    """The text, its middle left out where it is long: both texts of a pair stay in sight."""
    half = (most - 5) // 2
    return text if len(text) <= most else f"{text[:half]} ... {text[-half:]}"
