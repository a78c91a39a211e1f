"""The toy tokenizer: word pieces written down from the lexicon, not trained, so that it is the same everywhere.

Every stem of every language is one piece, every ending too; other text falls apart into single letters. Ids and
special tokens stand where XLM-R has them: ``<s>`` 0, ``<pad>`` 1, ``</s>`` 2, ``<unk>`` 3, ``<mask>`` last.
"""

from __future__ import annotations

import json
import string
from functools import cache

from stilts.data.toy import lexicon
from stilts.fingerprint import Json
from stilts.tasks.toy import TOY_LANGUAGES

_BOS, _PAD, _EOS, _UNK, _MASK = SPECIAL_TOKENS = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
_PREFIX = "##"
_GEORGIAN_LETTERS = "".join(chr(code) for code in range(0x10D0, 0x10F1))


@cache
def toy_tokenizer_json() -> str:
    """The tokenizer as JSON of the ``tokenizers`` library: ``Tokenizer.from_str`` loads it."""
    vocabulary = _vocabulary()
    return json.dumps(
        {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": [_added(token, vocabulary[token]) for token in SPECIAL_TOKENS],
            "normalizer": None,
            "pre_tokenizer": {"type": "BertPreTokenizer"},
            "post_processor": _post_processor(),
            "decoder": {"type": "WordPiece", "prefix": _PREFIX, "cleanup": False},
            "model": {
                "type": "WordPiece",
                "unk_token": _UNK,
                "continuing_subword_prefix": _PREFIX,
                "max_input_chars_per_word": 100,
                "vocab": vocabulary,
            },
        },
        ensure_ascii=False,
    )


def _vocabulary() -> dict[str, int]:
    letters = string.ascii_letters + string.digits + string.punctuation + _GEORGIAN_LETTERS
    endings = (*lexicon.PLURALS.values(), *lexicon.SUFFIXES.values(), *letters)
    words = (word for language in TOY_LANGUAGES for word in lexicon.forms(language).values())
    pieces = (_BOS, _PAD, _EOS, _UNK, *words, *letters, *(_PREFIX + ending for ending in endings), _MASK)
    return {piece: index for index, piece in enumerate(dict.fromkeys(pieces))}


def _added(token: str, index: int) -> dict[str, Json]:
    flags: dict[str, Json] = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    return {"id": index, "content": token, **flags, "special": True}


def _post_processor() -> dict[str, Json]:
    """``<s> A </s>`` and ``<s> A </s> </s> B </s>``, as XLM-R."""

    def mark(token: str) -> Json:
        return {"SpecialToken": {"id": token, "type_id": 0}}

    def text(name: str) -> Json:
        return {"Sequence": {"id": name, "type_id": 0}}

    return {
        "type": "TemplateProcessing",
        "single": [mark(_BOS), text("A"), mark(_EOS)],
        "pair": [mark(_BOS), text("A"), mark(_EOS), mark(_EOS), text("B"), mark(_EOS)],
        "special_tokens": {
            _BOS: {"id": _BOS, "ids": [0], "tokens": [_BOS]},
            _EOS: {"id": _EOS, "ids": [2], "tokens": [_EOS]},
        },
    }
