"""The only way in which texts reach a tokenizer: in parts of bounded size, and every fault of it as one EncoderError.

The library is Rust. What it trips over comes as a bare ``Exception``, or as a panic, which no ``except Exception``
sees; a text of hundreds of megabytes makes it ask for so much memory that the process aborts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from tokenizers import Encoding, Tokenizer

from stilts.bounded_file import not_a_file
from stilts.errors import DataError, EncoderError
from stilts.tasks.example import LONGEST_TEXT
from stilts.tasks.special_tokens import with_end

# What one call of the tokenizer takes: a text, a pair of texts, or the words of a sentence.
Input: TypeAlias = "str | tuple[str, str] | list[str]"
# Characters of one call, whose results are in memory at once: at most 300 bytes each (measured on XLM-R's Unigram).
_AT_ONCE = 2 * LONGEST_TEXT
_SHOWN = 60


def read_tokenizer(path: Path) -> Tokenizer:
    """The tokenizer in a ``tokenizer.json``, which ends every text; EncoderError when it cannot be read."""
    kind = not_a_file(path)
    try:
        if kind is not None:
            raise OSError(f"it is {kind}, not a file")
        return with_end(Tokenizer.from_file(str(path)))
    except BaseException as error:  # the library raises bare Exception for every fault of a file, and may panic
        if not is_tokenizer_fault(error):
            raise
        raise EncoderError(
            f"tokenizer {path}", f"it cannot be read ({error})", "", "Use an encoder folder with a tokenizer.json"
        ) from None


def encodings(tokenizer: Tokenizer, inputs: Sequence[Input], **options: Any) -> Iterator[Encoding]:
    """The encoding of each input in their order, as ``encode_batch`` of all of them gives.

    Raises EncoderError, naming the text, where the tokenizer fails, and DataError for a text that is too long for it.
    """
    part: list[Input] = []
    used = 0
    for each in inputs:
        size = _characters(each)
        if part and used + size > _AT_ONCE:
            yield from _encoded(tokenizer, part, options)
            part, used = [], 0
        part.append(each)
        used += size
    if part:
        yield from _encoded(tokenizer, part, options)


def word_encodings(tokenizer: Tokenizer, sentences: Sequence[list[str]]) -> Iterator[list[list[int]]]:
    """The token ids of each word of each sentence; none for a word that the tokenizer leaves out.

    Most tokenizers take words as they are. Where that gives other tokens than their text does (byte-level ones, whose
    words begin with the blank before), the words are joined by blanks, and a token is of the word that its last
    character is of; a blank is the next word's.
    """
    if _takes_words(tokenizer):
        batch = encodings(tokenizer, sentences, is_pretokenized=True, add_special_tokens=False)
        for sentence, encoding in zip(sentences, batch, strict=True):
            yield _grouped(len(sentence), zip(encoding.ids, encoding.word_ids, strict=True))
        return
    texts = [" ".join(words) for words in sentences]
    batch = encodings(tokenizer, texts, add_special_tokens=False)
    for words, text, encoding in zip(sentences, texts, batch, strict=True):
        owner = [number for number, word in enumerate(words) for _ in (f" {word}" if number else word)]
        places = [_word_at(text, owner, start, end) for start, end in encoding.offsets]
        yield _grouped(len(words), zip(encoding.ids, places, strict=True))


def _word_at(text: str, owner: Sequence[int], start: int, end: int) -> int:
    """The word of a token's last character that is no blank; of a blank alone, the next."""
    while end - 1 > start and text[end - 1] == " ":
        end -= 1
    return owner[min(max(start, end - 1), len(owner) - 1)]


def _takes_words(tokenizer: Tokenizer) -> bool:
    words = ["a", "word", "is", "one"]
    given = tokenizer.encode(words, is_pretokenized=True, add_special_tokens=False)
    return bool(given.ids == tokenizer.encode(" ".join(words), add_special_tokens=False).ids)


def _grouped(num_words: int, tokens: Iterable[tuple[int, int | None]]) -> list[list[int]]:
    pieces: list[list[int]] = [[] for _ in range(num_words)]
    for token, word in tokens:
        if word is not None:
            pieces[word].append(token)
    return pieces


def is_tokenizer_fault(error: BaseException) -> bool:
    """Whether the tokenizers library failed: by an error, or by a panic in Rust, which is no ``Exception``."""
    return isinstance(error, Exception) or type(error).__module__ == "pyo3_runtime"


def _encoded(tokenizer: Tokenizer, part: Sequence[Input], options: dict[str, Any]) -> list[Encoding]:
    try:
        return list(tokenizer.encode_batch(list(part), **options))
    except BaseException as error:
        if not is_tokenizer_fault(error):
            raise
        fault = error
    raise _failed(_first_failing(tokenizer, part, options), fault) from None


def _first_failing(tokenizer: Tokenizer, part: Sequence[Input], options: dict[str, Any]) -> Input | None:
    for each in part if len(part) > 1 else ():
        try:
            tokenizer.encode_batch([each], **options)
        except BaseException as error:
            if not is_tokenizer_fault(error):
                raise
            return each
    return part[0] if len(part) == 1 else None


def _failed(text: Input | None, error: BaseException) -> EncoderError:
    on = "a text" if text is None else f'the text "{_start(text)}"'
    return EncoderError(
        "tokenizer.json of the encoder",
        f"it fails on {on} ({' '.join(str(error).split())[:200]})",
        "What cannot be encoded cannot be learned from or scored",
        "Use the encoder with the tokenizer that it was published with",
    )


def _start(text: Input) -> str:
    joined = text if isinstance(text, str) else " ".join(text)
    return joined if len(joined) <= _SHOWN else f"{joined[:_SHOWN]}..."


def _characters(text: Input) -> int:
    """How long an input is; DataError where it is longer than any that a tokenizer is given."""
    size = len(text) if isinstance(text, str) else sum(map(len, text))
    longest = LONGEST_TEXT * (2 if isinstance(text, tuple) else 1)
    if size > longest:
        raise DataError(
            f'the text "{_start(text)}"',
            f"{size:,} characters",
            why=f"A tokenizer is given at most {LONGEST_TEXT:,}; more would not fit into memory",
            next_step="Split the text, or take it out",
        )
    return size
