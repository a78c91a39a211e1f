"""The toy tokenizer and encoders over it, for tests of encoding and batching."""

from __future__ import annotations

from tokenizers import Tokenizer

from stilts.data.collate import Vocabulary
from stilts.data.encode import TaskTokenizer
from stilts.data.encoded import Encoded
from stilts.data.toy import toy_tokenizer_json
from stilts.kinds.prepare import Preparation

TOKENIZER = Tokenizer.from_str(toy_tokenizer_json())


def encoder(*labels: str, max_length: int = 32, doc_stride: int = 8) -> TaskTokenizer:
    """An encoder of short sequences."""
    return TaskTokenizer(tokenizer=TOKENIZER, labels=labels, max_length=max_length, doc_stride=doc_stride)


def vocabulary() -> Vocabulary:
    """The toy tokenizer's sizes and special ids."""
    return Preparation(tokenizer=TOKENIZER, fingerprint="toy", roots={}).vocabulary()


def rows(encoded: Encoded) -> list[list[int]]:
    """The token ids, row by row."""
    return [encoded.ids[i].tolist() for i in range(len(encoded.ids))]
