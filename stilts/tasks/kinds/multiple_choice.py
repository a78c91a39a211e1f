"""Multiple choice below torch: a context, a question, and choices of which one is right."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

from stilts.errors import DataError
from stilts.fingerprint import text_digest
from stilts.metrics.classification import accuracy_rows
from stilts.metrics.metric import metric
from stilts.tasks.example import Compared, Example, Field
from stilts.tasks.hub_row import HubRow
from stilts.tasks.kind import Format, PlainUse, Scoring, TaskKind
from stilts.tasks.option import LANGUAGE_COLUMN, Option, OptionType, field_option
from stilts.tasks.passage import Passage, whole


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceExample(Example):
    """A premise (context, then question) and its possible continuations; ``label`` indexes ``choices``."""

    context: str
    question: str
    choices: tuple[str, ...]
    label: int | None = None

    label_field = "label"

    def with_any_label(self, labels: Sequence[str]) -> Self:
        """See ``Example``."""
        return replace(self, label=0)

    def label_slot(self) -> Hashable:
        """How many choices it has."""
        return len(self.choices)

    def content(self) -> str:
        """A digest of what a model would read, labels left out."""
        return text_digest(self.context, self.question, *self.choices)

    def texts(self) -> tuple[str, ...]:
        """What there is of context and question, and every choice."""
        return tuple(filter(None, (self.context, self.question, *self.choices)))

    def own_texts(self) -> tuple[str, ...]:
        """All but the question, which is a fixed English one in XCOPA."""
        return (self.context, *self.choices)

    def passages(self) -> tuple[Passage, ...]:
        """The context, or the question where there is none, and every choice."""
        return tuple(map(whole, (self.context or self.question, *self.choices)))

    def with_passages(self, passages: Sequence[Passage]) -> Self:
        """See ``Example``."""
        first, *choices = (passage.text for passage in passages)
        if self.context:
            return replace(self, context=first, choices=tuple(choices))
        return replace(self, question=first, choices=tuple(choices))

    def compared(self) -> Iterator[Compared]:
        """The context, and the question with it: COPA asks two questions only, so one alone would say nothing."""
        if self.context:
            yield Field.TEXT, (self.context,)
        if self.question:
            yield Field.QUESTION, (self.context + " " + self.question,)

    def truth(self, place: int) -> str | None:
        """The number of the right choice."""
        return None if self.label is None else str(self.label)


def filled_blank(context: str, choices: Sequence[str], blank: str) -> tuple[str, tuple[str, ...]] | None:
    """What stands before the blank, and each choice with what stands behind it; None where there is no blank.

    Where nothing stands before it, the context is the whole sentence with its blank.
    """
    before, found, after = context.partition(blank)
    if not found:
        return None
    return before.strip() or context, tuple(choice + after for choice in choices)


def choice_index(raw: object, num_choices: int, path: object, line: int | None, at: str, first: int = 0) -> int | None:
    """The index of the right choice, None where the release gives none (missing, empty or -1); raises for any other.

    ``first`` is the release's number of the first choice.
    """
    if raw is None or raw == "" or str(raw) == "-1":
        return None
    text = str(int(raw)) if isinstance(raw, float) and raw.is_integer() else str(raw)
    if isinstance(raw, bool) or not text.isdecimal() or len(text) > 9 or not 0 <= int(text) - first < num_choices:
        why = f"There are {num_choices}, from {first}"
        raise DataError(path, f'"{text[:40]}" is no choice', line=line, field=at, why=why)
    return int(text) - first


def _hub_row(row: HubRow) -> Example:
    choices = row.get("choices")
    if not isinstance(choices, list) or len(choices) < 2:
        raise row.error("not a list of at least two choices", "choices")
    question = row.get("question")
    mapping = row.options.get("question_map", {})
    question = mapping.get(str(question), question) if isinstance(mapping, dict) else question
    context = row.text("context") if "context" in row.columns else ""
    texts = row.texts(choices, "choices")
    first, blank = int(str(row.options.get("first_choice", 0))), row.options.get("blank")
    if isinstance(blank, str):
        parted = filled_blank(context, texts, blank)
        if parted is None:
            raise row.error(f'no blank "{blank}"', "context")
        context, texts = parted
    at = row.columns.get("label", "label")
    return ChoiceExample(
        item=row.item,
        context=context,
        question="" if question is None else str(question),
        choices=texts,
        label=choice_index(_hub_label(row, len(choices)), len(texts), row.place, row.number + 1, at, first),
    )


def _hub_label(row: HubRow, num_choices: int) -> object:
    """The row's label; its place among the letters, where choices are lettered."""
    label = row.get("label")
    if "choice_labels" not in row.columns or label in (None, ""):
        return label
    letters = row.get("choice_labels")
    if not isinstance(letters, list) or len(letters) != num_choices:
        raise row.error("not one letter for each choice", "choice_labels")
    if label not in letters:
        raise row.error(f'"{label}" is none of {", ".join(map(str, letters))}', "label")
    return letters.index(label)


_OF_CHOICES = (
    Option(
        name="first_choice",
        type=OptionType.WHOLE_NUMBER,
        default=0,
        about="the number of the first choice",
        example="1",
    ),
    Option(name="blank", about="the mark in the context that the choices fill", example="_"),
)
_FIELDS = (
    field_option("choices", "the list of choices, or several parted by commas", "choices", "option1,option2"),
    field_option("context", "the context"),
    field_option("question", "the question"),
    field_option("label", "the number of the right choice"),
    field_option("item", "the item; without it, the row number"),
    *_OF_CHOICES,
    LANGUAGE_COLUMN,
)
_READERS = "stilts.data.readers.choices"
MULTIPLE_CHOICE = TaskKind(
    name="multiple_choice",
    module=__name__,
    learning="stilts.kinds.multiple_choice",
    about="context, question, choices, one right",
    scored_by=(
        Scoring(
            measure=metric("accuracy"),
            again=lambda truths, said, language: accuracy_rows(truths, said),
            is_whole=True,
        ),
    ),
    hub_row=_hub_row,
    formats={
        "hellaswag_jsonl": Format(reader=f"{_READERS}:read_hellaswag_jsonl", holds="ctx, endings, label per line"),
        "cosmos_csv": Format(
            reader=f"{_READERS}:read_cosmos_csv",
            holds="CSV with context, question, answer0.., label",
            global_items=True,
        ),
        "csqa_jsonl": Format(
            reader=f"{_READERS}:read_csqa_jsonl", holds="question, choices, answerKey per line", global_items=True
        ),
        "copa_jsonl": Format(
            reader=f"{_READERS}:read_copa_jsonl", holds="premise, choice1, choice2, question, label per line"
        ),
        "choice_jsonl": Format(
            reader=f"{_READERS}:read_choice_jsonl",
            holds="a question with choices per line, by named fields; labels may be beside",
            options=_FIELDS,
        ),
        "choice_csv": Format(
            reader=f"{_READERS}:read_choice_csv", holds="CSV with choices, by named columns", options=_FIELDS
        ),
    },
    hub_options=(
        Option(
            name="question_map",
            type=OptionType.NAMES,
            about="what a question field holds, each with the question that is asked",
            example="{cause: What was the cause?}",
        ),
        *_OF_CHOICES,
    ),
    plain=PlainUse(
        auto_class="AutoModelForMultipleChoice",
        pipeline="multiple-choice",
        asking="""\
context, choices = "A context, and a question.", ["one answer", "another"]
batch = tokenizer([context] * len(choices), choices, padding=True, return_tensors="pt")
print(model(**{name: value.unsqueeze(0) for name, value in batch.items()}).logits.argmax(-1))""",
    ),
    labels_in=lambda answer: [answer],
    has_linear_labels=True,
    submission=frozenset({"CHOICES"}),
    alterable=True,
)
