"""One reader per format of a task kind (``stilts/tasks/kinds/``); start at ``reading.py`` for what a reader is given.

Imported by ``stilts.data.load`` only.
"""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

from stilts.data.readers.reading import Reader, Reading
from stilts.tasks.example import Example
from stilts.tasks.kind import Format


def read_examples(form: Format, reading: Reading) -> Iterator[Example]:
    """The examples that a format's reader finds, items made unique within the language: a second "7" becomes "7#2"."""
    return unique_items(reader_of(form)(reading))


def reader_of(form: Format) -> Reader:
    """The function that reads a format."""
    module, _, function = form.reader.partition(":")
    read: Reader = getattr(importlib.import_module(module), function)
    return read


def unique_items(examples: Iterable[Example]) -> Iterator[Example]:
    """The same examples, with ``#2``, ``#3``, ... behind an item that came before."""
    seen: Counter[str] = Counter()
    for example in examples:
        item = example.item
        while item in seen:
            seen[example.item] += 1
            item = f"{example.item}#{seen[example.item]}"
        seen[item] += 1
        yield example if item == example.item else replace(example, item=item)
