"""Tokenized views on disk, mapped into memory: a view is tokenized once.

The key is the content: the view's payload, the tokenizer's fingerprint, lengths, labels and ``ENCODE_VERSION``. Nothing
is believed unread: an entry that is damaged, altered, torn, made under another key or by an older version is made anew,
without a word (``token_entry``). Where the folder cannot be read or written (``store/cache_files.py``), the view is
tokenized in memory.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

from stilts.data.encode import ENCODE_VERSION
from stilts.data.encoded import Encoded
from stilts.data.token_entry import read_entry, write_entry
from stilts.fingerprint import canonical_json
from stilts.store.cache_files import read_file, write_file
from stilts.store.cache_limit import cache_limit, keep_within
from stilts.tasks.view import DataView

_SUFFIX = ".arrow"


def cache_key(
    view: DataView,
    tokenizer: str,
    labels: Sequence[str],
    max_length: int,
    doc_stride: int,
    lengths: Sequence[int | None] = (None, None),
    encode_version: int = 1,
) -> str:
    """What decides the encoded arrays of a view, as 64 hex digits; ``lengths`` are a query's and a candidate's.

    ``encode_version`` is that of the kind.
    """
    own = [] if lengths == (None, None) else list(lengths)
    versions = [ENCODE_VERSION, encode_version]
    payload = [versions, view.payload(), tokenizer, list(labels), max_length, doc_stride, *own]
    return hashlib.sha256(canonical_json(payload).encode()).hexdigest()


def cached(folder: Path | None, key: str, make: Callable[[], Encoded]) -> Encoded:
    """The encoded view under ``key``, made, and written if the folder allows, where no whole entry is there."""
    if folder is None:
        return make()
    found = _entry(folder, key)
    if found is not None:
        return found
    made = make()
    try:
        write_file(folder, key, _SUFFIX, lambda stream: write_entry(stream, key, made))
    except OSError:  # no room, no permission, or something that is not ours in its place
        return made
    entry = _entry(folder, key)
    keep_within(cache_limit())
    return entry or made


def _entry(folder: Path, key: str) -> Encoded | None:
    """The entry as it lies there; None where there is none that agrees with its seal and its key."""
    return read_file(folder, key, _SUFFIX, lambda descriptor: read_entry(descriptor, key))
