"""Tagging below torch: words with a tag each."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Self, TypeAlias

from stilts.fingerprint import text_digest
from stilts.metrics.chunks import chunk_rows
from stilts.metrics.metric import FloatArray, metric
from stilts.metrics.schemes import SCHEME_NAMES, SCHEMES, scheme_rows
from stilts.metrics.spans import entity_rows
from stilts.metrics.tagging import tag_rows
from stilts.tasks.example import Example
from stilts.tasks.hub_row import HubRow
from stilts.tasks.kind import Format, PlainUse, Scoring, TaskKind
from stilts.tasks.labels import at_least_two
from stilts.tasks.option import LANGUAGE_COLUMN, Option, OptionType, field_option
from stilts.tasks.passage import Passage, Piece
from stilts.tasks.tag_labels import check_bio, check_scheme, metric_in_scheme

# How a tag begins whose word is not the first of its span, in any scheme.
_WITHIN = ("I-", "E-", "L-", "M-")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggingExample(Example):
    """A sentence as words with one tag each; ``tags`` is None where the release has none."""

    words: tuple[str, ...]
    tags: tuple[str, ...] | None = None

    label_field = "tags"

    def with_any_label(self, labels: Sequence[str]) -> Self:
        """See ``Example``."""
        return replace(self, tags=(labels[0],) * len(self.words))

    def label_slot(self) -> Hashable:
        """How many words it has: each has a tag."""
        return len(self.words)

    def with_label_of(self, other: Self) -> Self:
        """The same with another one's tags; of a sentence that is alone in its length, its own moved on by a word."""
        tags = self.tags and (*self.tags[1:], self.tags[0]) if other is self else other.tags
        return replace(self, tags=tags)

    def content(self) -> str:
        """A digest of what a model would read, labels left out."""
        return text_digest(*self.words)

    def texts(self) -> tuple[str, ...]:
        """The sentence, its words with spaces between them."""
        return (" ".join(self.words),)

    def passages(self) -> tuple[Passage, ...]:
        """The words; those behind the first of a span follow it."""
        tags = self.tags or ("",) * len(self.words)
        return (
            Passage(
                pieces=tuple(
                    Piece(text=word, origin=place, follows=place > 0 and tag.startswith(_WITHIN))
                    for place, (word, tag) in enumerate(zip(self.words, tags, strict=True))
                ),
                are_words=True,
            ),
        )

    def with_passages(self, passages: Sequence[Passage]) -> Self:
        """See ``Example``: a tag goes where its word goes."""
        pieces = passages[0].pieces
        tags = None if self.tags is None else tuple(self.tags[piece.origin] for piece in pieces)
        return replace(self, words=tuple(piece.text for piece in pieces), tags=tags)

    def annotated_words(self) -> tuple[str, ...] | None:
        """The words."""
        return self.words

    def truth(self, place: int) -> str | None:
        """The tags, with spaces between them."""
        return None if self.tags is None else " ".join(self.tags)


def _hub_row(row: HubRow) -> Example:
    words, tags = row.get("words"), row.get("tags")
    if not isinstance(words, list) or not isinstance(tags, list) or len(words) != len(tags) or not words:
        raise row.error("words and tags are not two lists of one length", "tags")
    names = [row.name(tag, "tags") for tag in tags]
    known = [name for name in names if name is not None]
    return TaggingExample(
        item=row.item, words=row.texts(words, "words"), tags=tuple(known) if len(known) == len(tags) else None
    )


def _tags(texts: Sequence[str]) -> list[list[str]]:
    return [text.split() for text in texts]


# Rows of each metric, from the tags of every sentence, gold and predicted.
TagRows: TypeAlias = Callable[[Sequence[Sequence[str]], Sequence[Sequence[str]]], FloatArray]
TAG_ROWS: Mapping[str, TagRows] = {
    "accuracy": tag_rows,
    "span_f1": entity_rows,
    "chunk_f1": chunk_rows,
    **{f"span_f1_{name.lower()}": partial(scheme_rows, scheme) for name, scheme in SCHEMES.items()},
}


def _scoring(name: str, check: Callable[[str, tuple[str, ...]], None] | None = None) -> Scoring:
    rows = TAG_ROWS[name]
    return Scoring(
        measure=metric(name),
        again=lambda truths, said, language: rows(_tags(truths), _tags(said)),
        check_labels=check,
        hub_name="" if name == "accuracy" else "seqeval",
    )


_READERS, _COLUMNS = "stilts.data.readers.tagging", "stilts.data.readers.columns"
_SCHEME = Option(
    name="scheme",
    choices=SCHEME_NAMES,
    about="how the files write spans; tags are rewritten as BIO, unless the task's labels are of that scheme",
)
_COMMENTS = Option(
    name="comments",
    type=OptionType.MARK,
    about="what a line before a sentence begins with that is none of its words; true: #",
    example='"# id"',
)
_PREFIX = Option(
    name="word_prefix",
    about="what stands before every word and is taken off ({lang} and {code} as in paths)",
    example='"{lang}:"',
)


def _number(name: str, about: str, default: int | None = None) -> Option:
    return Option(name=name, type=OptionType.COUNT, about=about, default=default, example=str(default or 4))


TAGGING = TaskKind(
    name="tagging",
    module=__name__,
    learning="stilts.kinds.tagging",
    about="words with a tag each",
    scored_by=(
        _scoring("accuracy"),
        _scoring("span_f1", check=check_bio),
        _scoring("chunk_f1"),
        *(_scoring(f"span_f1_{name.lower()}", check=partial(check_scheme, name)) for name in SCHEMES),
    ),
    hub_row=_hub_row,
    formats={
        "conllu": Format(
            reader=f"{_READERS}:read_conllu",
            holds="CoNLL-U, ten columns",
            options=(
                Option(
                    name="column",
                    default="upos",
                    about="what words are tagged with: upos, xpos, feats, feats.NAME, supertag, lemma_script or ending",
                    example="feats.Case",
                ),
            ),
        ),
        "bio_tsv": Format(
            reader=f"{_COLUMNS}:read_bio_tsv",
            holds="word TAB tag, a blank line between sentences",
            options=(_SCHEME, _COMMENTS, _PREFIX),
        ),
        "bio_columns": Format(
            reader=f"{_COLUMNS}:read_bio_columns",
            holds="CoNLL's columns: first the word, last its tag",
            options=(
                _number("columns", "how many columns there are", 2),
                _number("word_column", "which column has the word, from 1", 1),
                _number("tag_column", "which column has the tag, from 1; the last where it is left out"),
                _SCHEME,
                _COMMENTS,
                _PREFIX,
            ),
        ),
        "tagged_jsonl": Format(
            reader=f"{_COLUMNS}:read_tagged_jsonl",
            holds="a list of words and a list of tags per line, by named fields",
            options=(
                field_option("words", "the list of words", "tokens"),
                field_option("tags", "the list of tags", "ner_tags"),
                field_option("item", "the item; without it, the row number"),
                _SCHEME,
                LANGUAGE_COLUMN,
            ),
        ),
        "ccg_auto": Format(
            reader=f"{_READERS}:read_ccg_auto", holds="CCGbank's derivations, AUTO files", global_items=True
        ),
    },
    plain=PlainUse(
        auto_class="AutoModelForTokenClassification",
        pipeline="token-classification",
        pipeline_class="TokenClassificationPipeline",
        asking="""\
batch = tokenizer(["Words", "of", "a", "sentence"], is_split_into_words=True, return_tensors="pt")
labels = model(**batch).logits[0].argmax(-1)
first = {word: token for token, word in reversed(list(enumerate(batch.word_ids()))) if word is not None}
print([model.config.id2label[labels[token].item()] for _, token in sorted(first.items())])""",
        remark="A word has the label of its first token.",
    ),
    check_labels=at_least_two,
    labels_in=str.split,
    in_scheme=metric_in_scheme,
    has_linear_labels=True,
    submission=frozenset({"TAGS"}),
    alterable=True,
)
