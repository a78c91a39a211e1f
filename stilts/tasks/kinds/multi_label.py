"""Sets of labels below torch: a text with any number of labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from stilts.fingerprint import text_digest
from stilts.metrics.label_sets import label_set_rows, ranking_in
from stilts.metrics.metric import FloatArray, metric
from stilts.tasks.example import Example
from stilts.tasks.hub_row import HubRow
from stilts.tasks.kind import Format, PlainUse, Scoring, TaskKind
from stilts.tasks.labels import at_least_two
from stilts.tasks.option import field_option
from stilts.tasks.passage import Passage, whole


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiLabelExample(Example):
    """A text with any number of labels; ``labels`` is None where the release has none, empty where none applies."""

    text: str
    labels: tuple[str, ...] | None = None

    label_field = "labels"

    def with_any_label(self, labels: Sequence[str]) -> Self:
        """See ``Example``."""
        return replace(self, labels=())

    def content(self) -> str:
        """A digest of what a model would read, labels left out."""
        return text_digest(self.text, "")

    def texts(self) -> tuple[str, ...]:
        """The text."""
        return (self.text,)

    def passages(self) -> tuple[Passage, ...]:
        """The text."""
        return (whole(self.text),)

    def with_passages(self, passages: Sequence[Passage]) -> Self:
        """See ``Example``."""
        return replace(self, text=passages[0].text)

    def truth(self, place: int) -> str | None:
        """The labels, with spaces between them."""
        return None if self.labels is None else " ".join(self.labels)


def _hub_row(row: HubRow) -> Example:
    names = row.get("labels")
    if not isinstance(names, list):
        raise row.error("not a list of labels", "labels")
    known = [row.name(name, "labels") for name in names]
    labels = tuple(dict.fromkeys(name for name in known if name is not None))
    return MultiLabelExample(item=row.item, text=row.text("text"), labels=None if None in known else labels)


def _again(truths: Sequence[str], said: Sequence[str], language: str) -> FloatArray:
    read = [ranking_in(text) for text in said]
    ranked, chosen = [ranking for ranking, _ in read], [number for _, number in read]
    return label_set_rows([truth.split() for truth in truths], ranked, chosen)


MULTI_LABEL = TaskKind(
    name="multi_label",
    module=__name__,
    learning="stilts.kinds.multi_label",
    about="a text, any number of labels",
    scored_by=(Scoring(measure=metric("r_precision"), again=_again),),
    hub_row=_hub_row,
    formats={
        "multi_label_jsonl": Format(
            reader="stilts.data.readers.label_sets:read_multi_label_jsonl",
            holds="a text and a list of labels per line, by named fields",
            options=(
                field_option("text", "the text, or texts by language", "text"),
                field_option("labels", "the list of labels", "labels"),
                field_option("item", "the item; without it, the row number"),
            ),
            is_shared=True,
        ),
    },
    plain=PlainUse(
        auto_class="AutoModelForSequenceClassification",
        pipeline="text-classification",
        pipeline_class="TextClassificationPipeline",
        asking="""\
batch = tokenizer("A text.", return_tensors="pt")
logits = model(**batch).logits[0].tolist()
print([model.config.id2label[number] for number, logit in enumerate(logits) if logit > 0])""",
    ),
    check_labels=at_least_two,
    alterable=True,
)
