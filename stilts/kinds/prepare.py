"""From views to arrays: loads a view's examples, encodes them, and keeps the result in the token cache."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from stilts.data.collate import Vocabulary
from stilts.data.encode import TaskTokenizer
from stilts.data.encoded import Encoded, join
from stilts.data.load import is_kept_back, load_examples
from stilts.data.token_cache import cache_key, cached
from stilts.errors import DataError
from stilts.kinds.learning import encode, learning_of
from stilts.tasks.special_tokens import special_tokens
from stilts.tasks.task import Task
from stilts.tasks.view import DataView


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """A tokenizer, where data lie, and where tokenized views are kept.

    ``fingerprint`` is the tokenizer's; ``cache`` None tokenizes in memory every time.
    """

    tokenizer: Tokenizer
    fingerprint: str
    roots: Mapping[str, str]
    cache: Path | None = None

    def examples(self, task: Task, view: DataView) -> list[Any]:
        """The examples of a view, with some label where theirs are kept back; DataError when there is none."""
        examples: list[Any] = load_examples(view, self.roots, labels=task.labels or None)
        if not examples:
            raise DataError(
                f"{view.dataset}/{view.split} in {view.language}",
                "no example is left in it",
                why="A task needs at least one",
                next_step="Look at the file, the limit and what is left out as overlap",
            )
        return [e.with_any_label(task.labels) for e in examples] if is_kept_back(view) else examples

    def encoded(
        self,
        task: Task,
        view: DataView,
        *,
        max_length: int,
        doc_stride: int,
        query_length: int | None = None,
        candidate_length: int | None = None,
    ) -> Encoded:
        """The view as arrays for the task; lengths in tokens, the last two retrieval's own (None: ``max_length``)."""
        lengths, version = (query_length, candidate_length), learning_of(task.kind).encode_version
        key = cache_key(view, self.fingerprint, task.labels, max_length, doc_stride, lengths, version)
        encoder = TaskTokenizer(
            tokenizer=self.tokenizer,
            labels=task.labels,
            max_length=max_length,
            doc_stride=doc_stride,
            query_length=query_length,
            candidate_length=candidate_length,
        )
        return cached(self.cache, key, lambda: encode(task.kind, self.examples(task, view), encoder))

    def encoded_now(self, task: Task, examples: Sequence[Any], **lengths: int | None) -> Encoded:
        """Examples that are no view's as arrays, with lengths as of ``encoded``; nothing is kept."""
        encoder: dict[str, Any] = {"tokenizer": self.tokenizer, "labels": task.labels, **lengths}
        return encode(task.kind, examples, TaskTokenizer(**encoder))

    def encoded_all(
        self,
        task: Task,
        views: Sequence[DataView],
        *,
        max_length: int,
        doc_stride: int,
        query_length: int | None = None,
        candidate_length: int | None = None,
    ) -> Encoded:
        """Several views of one task, joined."""
        encoded = partial(self.encoded, task, max_length=max_length, doc_stride=doc_stride)
        return join([encoded(view, query_length=query_length, candidate_length=candidate_length) for view in views])

    def vocabulary(self) -> Vocabulary:
        """Sizes and special ids of the tokenizer."""
        special = special_tokens(self.tokenizer)
        return Vocabulary(
            size=self.tokenizer.get_vocab_size(),
            pad=special.pad,
            mask=special.mask,
            special=special.ids,
            between=special.between if special.has_types else None,
            reads_from_end=special.reads_from_end,
        )
