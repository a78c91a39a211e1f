"""The special tokens of a tokenizer by what they are for, read off its own template and vocabulary.

Encoders put a token before a text and one behind (``<s> A </s>``, ``[CLS] A [SEP]``). T5's tokenizers put one behind
only, decoders' often none at all: ``with_end`` lets them end texts, so that there is a token that has seen the whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tokenizers import Encoding, Tokenizer
from tokenizers.processors import ByteLevel, PostProcessor, Sequence, TemplateProcessing

from stilts.errors import EncoderError

# How published tokenizers call them, the first that a vocabulary has.
_ENDS = ("</s>", "[SEP]", "<eos>", "<|endoftext|>", "<|im_end|>", "<|end_of_text|>")
_PADS = ("<pad>", "[PAD]", "<|pad|>", "<|endoftext|>")
_UNKNOWNS = ("<unk>", "[UNK]")
_MASKS = ("<mask>", "[MASK]")


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecialTokens:
    """Ids by role. ``before`` and ``behind`` stand around a text; ``mask`` and ``unknown`` are None where none is.

    ``pad`` is another token than the one that ends a text, if the vocabulary has another special one. ``between`` is
    the first behind the first text of a pair, whose second text has token type 1 where ``has_types``.
    """

    before: tuple[int, ...]
    behind: tuple[int, ...]
    between: int
    pad: int
    unknown: int | None
    mask: int | None
    has_types: bool

    @property
    def reads_from_end(self) -> bool:
        """Whether nothing stands before a text: its last token stands for it, and a word's last subword for the word.

        So it is with decoders, whose first token has seen nothing, and with T5.
        """
        return not self.before

    @property
    def ids(self) -> tuple[int, ...]:
        """All of them, in the order of ids."""
        single = (self.pad, self.unknown, self.mask)
        return tuple(sorted({*self.before, *self.behind, *(each for each in single if each is not None)}))

    @property
    def around(self) -> int:
        """How many tokens stand around a text."""
        return len(self.before) + len(self.behind)


def special_tokens(tokenizer: Tokenizer) -> SpecialTokens:
    """The tokenizer's special tokens; EncoderError where nothing ends a text."""
    text, pair = tokenizer.encode("a"), tokenizer.encode("a", "a")
    before, behind = _around(text)
    if not behind:
        raise EncoderError(
            "tokenizer of the encoder",
            f"it has no token to end a text with: none of {', '.join(_ENDS)}",
            "The token behind a text stands for it, or parts it from the next",
            "Use the tokenizer.json that the encoder was published with",
        )
    unknown, mask = _first(tokenizer, _UNKNOWNS), _first(tokenizer, _MASKS)
    return SpecialTokens(
        before=before,
        behind=behind,
        between=pair.ids[len(text.ids) - len(behind)],
        pad=_pad(tokenizer, behind[-1]),
        unknown=unknown,
        mask=mask,
        has_types=1 in pair.type_ids,
    )


def with_end(tokenizer: Tokenizer) -> Tokenizer:
    """The tokenizer, made to put an end token behind every text where its own template puts none.

    What its template puts before a text is left out then: tokens of such a tokenizer are read from the end. How it
    pads and truncates is left out, too: that is ours.
    """
    tokenizer.no_padding()
    tokenizer.no_truncation()
    _, behind = _around(tokenizer.encode("a"))
    end = next((token for token in _ENDS if tokenizer.token_to_id(token) is not None), None)
    if behind or end is None:
        return tokenizer
    template = TemplateProcessing(
        single=f"$A {end}", pair=f"$A {end} $B {end}", special_tokens=[(end, tokenizer.token_to_id(end))]
    )
    is_bytes = "ByteLevel(" in repr(tokenizer.post_processor)
    steps: list[PostProcessor] = [ByteLevel(trim_offsets=True), template] if is_bytes else [template]
    tokenizer.post_processor = Sequence(steps)
    return tokenizer


def _around(encoding: Encoding) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The special tokens before and behind the text of an encoding."""
    own = [place for place, special in enumerate(encoding.special_tokens_mask) if not special]
    if not own:
        return tuple(encoding.ids), ()
    return tuple(encoding.ids[: own[0]]), tuple(encoding.ids[own[-1] + 1 :])


def _first(tokenizer: Tokenizer, names: Iterable[str]) -> int | None:
    found = (tokenizer.token_to_id(name) for name in names)
    return next((int(each) for each in found if each is not None), None)


def _pad(tokenizer: Tokenizer, end: int) -> int:
    """The padding token; padding is never looked at, so any special token does."""
    named = _first(tokenizer, _PADS)
    if named is not None and named != end:
        return named
    special = [
        (token.content, number) for number, token in tokenizer.get_added_tokens_decoder().items() if token.special
    ]
    others = sorted(number for _, number in special if number != end)
    named_so = sorted(number for content, number in special if number != end and "pad" in content.lower())
    return next(iter((*named_so, *others)), end)
