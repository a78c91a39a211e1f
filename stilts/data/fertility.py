"""Tokens per word of each language under a tokenizer ("fertility": Acs 2019; Rust et al. 2021, ACL 2021.acl-long.243).

Measured on the study's own evaluation texts. A word is what the data say a word is: the annotated words where the task
is tagging, else what stands between spaces. In scripts that put no spaces between words (Chinese, Japanese, Thai, Lao,
Khmer, Burmese) only annotated words count, and only where they are words: WikiANN has single characters or phrases.
What spaces separate is not the same everywhere, syllables in Vietnamese and words with their particles in Korean.
Annotated words count punctuation as words, so figures of the two sources differ a little; each carries its source.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from stilts.data.load import load_examples
from stilts.data.tokenizing import encodings, word_encodings
from stilts.tasks.example import Example
from stilts.tasks.language_codes import known_language
from stilts.tasks.view import DataView

if TYPE_CHECKING:
    from tokenizers import Tokenizer

ANNOTATED, SPACES = "annotated words", "spaces"
# ISO 15924 scripts that put no spaces between words.
UNSPACED = frozenset(("Hans", "Hant", "Jpan", "Thai", "Laoo", "Khmr", "Mymr"))
# Mean characters of an annotated "word" in those scripts between which it is a word: WikiANN has 1.0 in Chinese and
# Japanese (characters) and 9.6 in Burmese (phrases), the UD treebanks 1.6 (Chinese, Japanese) and 4.2 (Thai).
_FEWEST, _MOST = 1.3, 7.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fertility:
    """What a tokenizer makes of a language's texts: ``tokens`` (without special ones) of ``words``.

    ``source`` says what counts as a word. Where words cannot be told, ``words`` is 0 and ``reason`` says why.
    """

    tokens: int
    words: int
    source: str = ""
    reason: str = ""

    @property
    def tokens_per_word(self) -> float | None:
        """1 where every word is one token, more where words fall apart; None where words cannot be told."""
        return self.tokens / self.words if self.words else None


def measured_fertility(
    views_by_language: Mapping[str, Sequence[DataView]],
    tokenizer: Tokenizer,
    roots: Mapping[str, str | Path],
    limit: int = 500,
) -> dict[str, Fertility]:
    """Language -> its fertility on the texts of its views, at most ``limit`` examples of each view.

    Of a translation pair only the language's side counts. Raises what ``load_examples`` raises.
    """
    tokenizer.no_truncation()
    tokenizer.no_padding()
    found = {}
    for code, views in views_by_language.items():
        examples = [example for view in views for example in load_examples(_limited(view, limit), roots)]
        annotated = [words for example in examples if (words := example.annotated_words()) is not None]
        found[code] = _of_words(code, annotated, tokenizer) if annotated else _of_texts(code, examples, tokenizer)
    return found


def joined(measured: Iterable[Mapping[str, Fertility]]) -> dict[str, Fertility]:
    """One fertility per language from those of several targets: annotated words before spaces, then counts add up."""
    by_language: dict[str, list[Fertility]] = {}
    for part in measured:
        for code, fertility in part.items():
            by_language.setdefault(code, []).append(fertility)
    return {code: _joined(parts) for code, parts in by_language.items()}


def _joined(parts: Sequence[Fertility]) -> Fertility:
    for source in (ANNOTATED, SPACES):
        chosen = [part for part in parts if part.source == source and part.words]
        if chosen:
            tokens, words = sum(part.tokens for part in chosen), sum(part.words for part in chosen)
            return Fertility(tokens=tokens, words=words, source=source)
    return parts[0]


def _limited(view: DataView, limit: int) -> DataView:
    smaller = limit if view.limit is None else min(limit, view.limit)
    return replace(view, limit=smaller, exclude=())  # An overlap matters to scores, not to how words fall apart.


def _of_words(code: str, annotated: Sequence[Sequence[str]], tokenizer: Tokenizer) -> Fertility:
    sentences = [list(words) for words in annotated]
    words = [word for sentence in sentences for word in sentence]
    if _is_unspaced(code) and not _FEWEST * len(words) <= sum(map(len, words)) <= _MOST * len(words):
        return Fertility(tokens=0, words=0, reason="what is annotated is single characters, or phrases, not words")
    pieces = (piece for sentence in word_encodings(tokenizer, sentences) for piece in sentence)
    return Fertility(tokens=sum(map(len, pieces)), words=len(words), source=ANNOTATED)


def _of_texts(code: str, examples: Sequence[Example], tokenizer: Tokenizer) -> Fertility:
    if _is_unspaced(code):
        return Fertility(tokens=0, words=0, reason="its script puts no spaces between words")
    texts = list(dict.fromkeys(text for example in examples for text in example.own_texts()))
    encoded = encodings(tokenizer, texts, add_special_tokens=False)
    words = sum(len(text.split()) for text in texts)
    return Fertility(tokens=sum(len(e.ids) for e in encoded), words=words, source=SPACES)


def _is_unspaced(code: str) -> bool:
    known = known_language(code)
    return known is not None and known.script in UNSPACED
