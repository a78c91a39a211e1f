"""Tagging below torch: words with a tag each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stilts.fingerprint import text_digest
from stilts.metrics.chunks import chunk_rows
from stilts.metrics.metric import metric
from stilts.metrics.spans import entity_rows
from stilts.metrics.tagging import tag_rows
from stilts.tasks.example import Example
from stilts.tasks.hub_row import HubRow
from stilts.tasks.kind import Format, PlainUse, Scoring, TaskKind
from stilts.tasks.labels import at_least_two


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggingExample(Example):
    """A sentence as words with one tag each; ``tags`` is None where the release has none."""

    words: tuple[str, ...]
    tags: tuple[str, ...] | None = None

    label_field = "tags"

    def content(self) -> str:
        """A digest of what a model would read, labels left out."""
        return text_digest(*self.words)

    def texts(self) -> tuple[str, ...]:
        """The sentence, its words with spaces between them."""
        return (" ".join(self.words),)

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


_READERS = "stilts.data.readers.tagging"
TAGGING = TaskKind(
    name="tagging",
    module=__name__,
    learning="stilts.kinds.tagging",
    about="words with a tag each",
    scored_by=(
        Scoring(measure=metric("accuracy"), again=lambda truths, said, language: tag_rows(_tags(truths), _tags(said))),
        Scoring(
            measure=metric("span_f1"),
            again=lambda truths, said, language: entity_rows(_tags(truths), _tags(said)),
            hub_name="seqeval",
        ),
        Scoring(
            measure=metric("chunk_f1"),
            again=lambda truths, said, language: chunk_rows(_tags(truths), _tags(said)),
            hub_name="seqeval",
        ),
    ),
    hub_row=_hub_row,
    formats={
        "conllu": Format(reader=f"{_READERS}:read_conllu", holds="CoNLL-U, ten columns"),
        "bio_tsv": Format(reader=f"{_READERS}:read_bio_tsv", holds="word TAB tag, a blank line between sentences"),
        "bio_columns": Format(
            reader=f"{_READERS}:read_bio_columns", holds="CoNLL's columns: first the word, last its tag"
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
    has_linear_labels=True,
    submission=frozenset({"TAGS"}),
)
