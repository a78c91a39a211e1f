"""Retrieval below torch: translations, sentences to be mined for translations, and queries that ask a pool."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from stilts.fingerprint import text_digest
from stilts.metrics.bucc import pair_row
from stilts.metrics.classification import accuracy_rows
from stilts.metrics.metric import FloatArray, metric
from stilts.metrics.ranking import RANKINGS, ranking_rows
from stilts.tasks.example import Compared, Example, Field, one_or_two
from stilts.tasks.hub_row import HubRow
from stilts.tasks.kind import Format, PlainUse, Scoring, Settings, TaskKind
from stilts.tasks.passage import Passage, whole
from stilts.tasks.truth import answers_in, pairs_in, pairs_text


@dataclass(frozen=True, slots=True, kw_only=True)
class PairExample(Example):
    """Two texts that belong together: a sentence and its translation, or a question and the sentence that answers it.

    Of a translation ``query`` is English and ``candidate`` in the split's language. ``context`` is what a candidate is
    read with, where it is not read alone.
    """

    query: str
    candidate: str
    context: str | None = None

    def with_label_of(self, other: Self) -> Self:
        """The same query with another one's candidate."""
        return replace(self, candidate=other.candidate, context=other.context)

    def content(self) -> str:
        """A digest of what a model would read."""
        return text_digest(self.query, self.candidate, *([] if self.context is None else [self.context]))

    def texts(self) -> tuple[str, ...]:
        """Query and candidate."""
        return (self.query, self.candidate)

    def own_texts(self) -> tuple[str, ...]:
        """The candidate: the query of a translation is English."""
        return (self.candidate,)

    def passages(self) -> tuple[Passage, ...]:
        """The candidate."""
        return (whole(self.candidate),)

    def with_passages(self, passages: Sequence[Passage]) -> Self:
        """See ``Example``."""
        return replace(self, candidate=passages[0].text)

    def compared(self) -> Iterator[Compared]:
        """Both, by themselves and together, and the context."""
        if self.context is not None:
            yield Field.TEXT, (self.context,)
        yield Field.TEXT, (self.query,)
        yield Field.TEXT, (self.candidate,)
        yield Field.PAIR, (self.query, self.candidate)

    def truth(self, place: int) -> str | None:
        """The place of its candidate among those of the view."""
        return str(place)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryExample(Example):
    """A text that asks for candidates of a pool: those that have its ``key``."""

    query: str
    key: str

    def content(self) -> str:
        """A digest of what a model would read."""
        return text_digest(self.query)

    def texts(self) -> tuple[str, ...]:
        """The query."""
        return (self.query,)

    def passages(self) -> tuple[Passage, ...]:
        """The query."""
        return (whole(self.query),)

    def with_passages(self, passages: Sequence[Passage]) -> Self:
        """See ``Example``."""
        return replace(self, query=passages[0].text)


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateExample(Example):
    """A text of a pool, named by ``item``: the right answer to every query whose key is among its ``keys``.

    ``context`` is what it is read with, where it is not read alone.
    """

    text: str
    context: str | None = None
    keys: tuple[str, ...] = ()

    def content(self) -> str:
        """A digest of what a model would read."""
        return text_digest(self.text, self.context or "")

    def texts(self) -> tuple[str, ...]:
        """The text, and what it is read with."""
        return one_or_two(self.text, self.context)

    def own_texts(self) -> tuple[str, ...]:
        """The text alone: candidates share their context."""
        return (self.text,)

    def compared(self) -> Iterator[Compared]:
        """The text."""
        yield Field.TEXT, (self.text,)


@dataclass(frozen=True, slots=True, kw_only=True)
class MiningExample(Example):
    """A sentence of one of two corpora, or sentences of both that translate one another.

    ``sources`` and ``targets`` are (id, text), ``pairs`` the ids of source and target of each translation. Sentences
    that are paired share an example, so that no part of a split holds half a pair.
    """

    sources: tuple[tuple[str, str], ...]
    targets: tuple[tuple[str, str], ...]
    pairs: tuple[tuple[str, str], ...] = ()

    def content(self) -> str:
        """A digest of what a model would read."""
        return text_digest(*(text for _, text in self.sources), "", *(text for _, text in self.targets))

    def texts(self) -> tuple[str, ...]:
        """The sentences of both sides."""
        return tuple(text for _, text in (*self.sources, *self.targets))

    def own_texts(self) -> tuple[str, ...]:
        """The sources: the targets are English."""
        return tuple(text for _, text in self.sources)

    def passages(self) -> tuple[Passage, ...]:
        """The sources."""
        return tuple(map(whole, self.own_texts()))

    def with_passages(self, passages: Sequence[Passage]) -> Self:
        """See ``Example``."""
        named = zip((name for name, _ in self.sources), (passage.text for passage in passages), strict=True)
        return replace(self, sources=tuple(named))

    def compared(self) -> Iterator[Compared]:
        """Every sentence."""
        yield from ((Field.TEXT, (text,)) for text in self.texts())

    def truth(self, place: int) -> str | None:
        """The pairs of ids, a line for each."""
        return pairs_text(self.pairs)


def _hub_row(row: HubRow) -> Example:
    return PairExample(item=row.item, query=row.text("query"), candidate=row.text("candidate"))


def _mined_again(truths: Sequence[str], said: Sequence[str], language: str) -> FloatArray:
    rows = [pair_row(pairs_in(truth), pairs_in(found)) for truth, found in zip(truths, said, strict=True)]
    return np.concatenate(rows)


def _ranking(name: str) -> Scoring:
    return Scoring(
        measure=metric(name),
        again=lambda truths, said, language: ranking_rows(
            name, [answers_in(truth) for truth in truths], [answers_in(found) for found in said]
        ),
    )


_ANSWERS, _MENTIONS = "stilts.data.readers.answers", "stilts.data.readers.mentions"
_VECTORS = ("pooling", "query_length", "candidate_length")
RETRIEVAL = TaskKind(
    name="retrieval",
    learns_to_a_layer=True,
    module=__name__,
    learning="stilts.kinds.retrieval",
    about="a sentence and its translation",
    scored_by=(
        Scoring(
            measure=metric("retrieval_accuracy"),
            again=lambda truths, said, language: accuracy_rows(truths, said),
            hub_name="accuracy",
            is_whole=True,
        ),
        Scoring(measure=metric("pair_f1"), again=_mined_again, mines_by_threshold=True),
        *map(_ranking, RANKINGS),
    ),
    hub_row=_hub_row,
    formats={
        "tatoeba": Format(
            reader="stilts.data.readers.text:read_tatoeba", holds="two line-aligned files: the language's, then English"
        ),
        "bucc": Format(
            reader="stilts.data.readers.mining:read_bucc",
            holds="three files: id TAB sentence, the same in English, pairs of ids",
        ),
        "squad_sentences": Format(
            reader=f"{_ANSWERS}:read_squad_sentences",
            holds="SQuAD's JSON, as questions and sentences",
            global_items=True,
        ),
        "lareqa_questions": Format(
            reader=f"{_ANSWERS}:read_lareqa_questions",
            holds="SQuAD's JSON with sentence_breaks: its questions",
            global_items=True,
        ),
        "lareqa_sentences": Format(
            reader=f"{_ANSWERS}:read_lareqa_sentences", holds="SQuAD's JSON with sentence_breaks: its sentences"
        ),
        "mewslix_pairs": Format(
            reader=f"{_MENTIONS}:read_mewslix_pairs", holds="contextual_mention, entity per line", global_items=True
        ),
        "mewslix_mentions": Format(
            reader=f"{_MENTIONS}:read_mewslix_mentions",
            holds="context, mentions per line",
            global_items=True,
            is_shared=True,
        ),
        "mewslix_entities": Format(
            reader=f"{_MENTIONS}:read_mewslix_entities", holds="entity_id, description, sentence_spans per line"
        ),
    },
    settings=Settings(
        training=("layer", "temperature"),
        scoring=("layer",),
        later_training=_VECTORS,
        later_scoring=(*_VECTORS, "direction", "margin"),
    ),
    plain=PlainUse(
        auto_class="AutoModel",
        pipeline="feature-extraction",
        imports="import torch",
        asking="""\
batch = tokenizer(["A sentence.", "Ein Satz."], padding=True, return_tensors="pt")
hidden = model(**batch, output_hidden_states=True).hidden_states[model.config.stilts["layer"]]
mask = batch["attention_mask"].unsqueeze(-1)
vectors = torch.nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1), dim=-1)
print(vectors @ vectors.T)""",
        remark="A sentence is the normalised mean of hidden state{layer}; the pooler is unused (zeros).",
    ),
    submission=frozenset({"LABELS", "PAIRS", "ENTITIES", "RANKINGS"}),
    alterable=True,
)
