"""Examples from a Parquet repository of the hub: a row and a mapping of columns, by kind of task.

The view's options hold ``columns``, from a field of the example to a column; ``a.b`` reaches into a nested one, ``a,b``
makes a list of two; a text that the table holds as a list of texts is joined by spaces. Other options: ``label_map``
(a label as written to the task's), ``unseen`` (the label for all that the task does not list), ``skip_labels`` (rows
that the release says to leave out), ``question_map``, ``first_choice`` and ``blank`` (as in ``readers/choices.py``),
``drop`` (leave out pairs with exactly this text), ``keep_items_with`` (keep rows whose item begins so; for repositories
that hold all languages in one table).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from stilts.data.readers.choices import choice_index, filled_blank
from stilts.data.readers.rated import number_on_scale
from stilts.data.readers.reading import filled
from stilts.errors import DataError, InputError, MissingPackageError
from stilts.tasks.examples import (
    ChoiceExample,
    ClassificationExample,
    Example,
    MultiLabelExample,
    PairExample,
    RegressionExample,
    SpanExample,
    TaggingExample,
    TextExample,
)
from stilts.tasks.task import Kind
from stilts.tasks.view import DataView

Row: TypeAlias = dict[str, Any]


def read_hub(view: DataView, labels: Sequence[str] | None, skipped: Counter[str]) -> Iterator[Example]:
    """The view's examples, in the repository's order; the item is a column where one is declared, else the row number.

    Raises InputError when the repository cannot be loaded, DataError, with the row, for a row that makes no example.
    """
    table, class_names = _load(view)
    build = _BUILDERS[view.kind]
    for number, raw in enumerate(table):
        row = _Row(view, number, raw, class_names, labels)
        if row.is_left_out(skipped):
            continue
        yield build(row)


class _Row:
    """One row, seen through the view's mapping of columns."""

    def __init__(
        self,
        view: DataView,
        number: int,
        raw: Row,
        class_names: Mapping[str, Sequence[str]],
        labels: Sequence[str] | None,
    ) -> None:
        columns = view.options.get("columns", {})
        self.columns: Mapping[str, str] = {k: str(v) for k, v in columns.items()} if isinstance(columns, dict) else {}
        self.options = view.options
        self.number = number
        self.place = f"{view.location['repo']} ({view.location.get('config') or 'default'}, {view.location['split']})"
        self._raw = raw
        self._class_names = class_names
        self.labels = labels

    @property
    def item(self) -> str:
        """The source item."""
        return str(self.get("item")) if "item" in self.columns else str(self.number)

    def get(self, field: str) -> Any:
        """The value of a field of the example, None where no column is declared for it."""
        column = self.columns.get(field)
        if column is None:
            return None
        if "," in column:
            return [self._reach(part.strip()) for part in column.split(",")]
        return self._reach(column)

    def text(self, field: str) -> str:
        """The text of a field; raises DataError where it is blank."""
        value, at = self.get(field), self.columns.get(field, field)
        if isinstance(value, list) and all(isinstance(part, str) for part in value):
            value = " ".join(value)
        return filled({at: value}, at, self.place, self.number + 1)

    def name(self, value: object, field: str = "label") -> str | None:
        """A label by the task's name; None for the hub's -1, which says that it is kept back."""
        column = self.columns[field]
        if isinstance(value, int) and not isinstance(value, bool) and column in self._class_names:
            names = self._class_names[column]
            if value >= len(names):
                raise self.error(f"class {value}, but there are {len(names)}", field)
            value = names[value] if value >= 0 else "-1"
        mapping = self.options.get("label_map", {})
        label = str(mapping.get(str(value), value)) if isinstance(mapping, dict) else str(value)
        if label == "-1":
            return None
        if self.labels is not None and label not in self.labels:
            unseen = self.options.get("unseen")
            if isinstance(unseen, str) and unseen in self.labels:
                return unseen
            raise self.error(f'label "{label}" is none of the task\'s ({", ".join(self.labels)})', field)
        return label

    def is_left_out(self, skipped: Counter[str]) -> bool:
        """Whether the release, or the declaration, leaves the row out; counted under the reason."""
        prefix = self.options.get("keep_items_with")
        if prefix is not None and not self.item.startswith(str(prefix)):
            return True
        skip = self.options.get("skip_labels")
        if isinstance(skip, list) and str(self.get("label")) in skip:
            skipped["no gold label"] += 1
            return True
        drop = self.options.get("drop")
        if drop is not None and drop in (self.get("text"), self.get("text_pair")):
            skipped[f"a sentence is {drop}"] += 1
            return True
        return False

    def error(self, found: str, field: str) -> DataError:
        """A mistake of this row."""
        return DataError(self.place, found, line=self.number + 1, field=self.columns.get(field, field))

    def _reach(self, path: str) -> Any:
        value: Any = self._raw
        for part in path.split("."):
            if not isinstance(value, dict) or part not in value:
                raise DataError(self.place, "there is no such column", field=path, why=f"Found {', '.join(self._raw)}")
            value = value[part]
        return value


def _classification(row: _Row) -> Example:
    pair = row.text("text_pair") if "text_pair" in row.columns else None
    return ClassificationExample(item=row.item, text=row.text("text"), text_pair=pair, label=row.name(row.get("label")))


def _tagging(row: _Row) -> Example:
    words, tags = row.get("words"), row.get("tags")
    if not isinstance(words, list) or not isinstance(tags, list) or len(words) != len(tags) or not words:
        raise row.error("words and tags are not two lists of one length", "tags")
    names = [row.name(tag, "tags") for tag in tags]
    known = [name for name in names if name is not None]
    return TaggingExample(
        item=row.item, words=_texts(row, words, "words"), tags=tuple(known) if len(known) == len(tags) else None
    )


def _texts(row: _Row, values: list[Any], field: str) -> tuple[str, ...]:
    """A list of texts, none of them blank."""
    at = row.columns.get(field, field)
    return tuple(filled({at: value}, at, row.place, row.number + 1) for value in values)


def _span(row: _Row) -> Example:
    context, answers = row.text("context"), row.get("answers")
    if not isinstance(answers, dict) or "text" not in answers or "answer_start" not in answers:
        raise row.error("answers without text and answer_start", "answers")
    texts, starts = answers["text"], answers["answer_start"]
    if not isinstance(texts, list) or not isinstance(starts, list) or len(texts) != len(starts):
        raise row.error("text and answer_start are not two lists of one length", "answers")
    if not all(isinstance(text, str) for text in texts) or not all(type(start) is int for start in starts):
        raise row.error("an answer without text and answer_start", "answers")
    pairs = list(zip(texts, starts, strict=True))
    for text, start in pairs:
        if text and (start < 0 or context[start : start + len(text)] != text):
            raise row.error(f'"{text[:40]}" does not stand at character {start} of its paragraph', "answers")
    # All answers empty: placeholders, as in ``read_squad_json``.
    placeholder = bool(pairs) and not any(text.strip() for text, _ in pairs)
    kept = tuple(pair for pair in pairs if pair[0].strip())
    return SpanExample(
        item=row.item, question=row.text("question"), context=context, answers=None if placeholder else kept
    )


def _choice(row: _Row) -> Example:
    choices = row.get("choices")
    if not isinstance(choices, list) or len(choices) < 2:
        raise row.error("not a list of at least two choices", "choices")
    label = row.get("label")
    if "choice_labels" in row.columns and label not in (None, ""):
        letters = row.get("choice_labels")
        if not isinstance(letters, list) or len(letters) != len(choices):
            raise row.error("not one letter for each choice", "choice_labels")
        if label not in letters:
            raise row.error(f'"{label}" is none of {", ".join(map(str, letters))}', "label")
        label = letters.index(label)
    question = row.get("question")
    mapping = row.options.get("question_map", {})
    question = mapping.get(str(question), question) if isinstance(mapping, dict) else question
    context = row.text("context") if "context" in row.columns else ""
    texts = _texts(row, choices, "choices")
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
        label=choice_index(label, len(texts), row.place, row.number + 1, at, first),
    )


def _regression(row: _Row) -> Example:
    pair = row.text("text_pair") if "text_pair" in row.columns else None
    at = row.columns.get("label", "label")
    scale = row.labels or ("-inf", "inf")
    value = number_on_scale(row.get("label"), scale, row.place, row.number + 1, at)
    return RegressionExample(item=row.item, text=row.text("text"), text_pair=pair, value=value)


def _multi_label(row: _Row) -> Example:
    names = row.get("labels")
    if not isinstance(names, list):
        raise row.error("not a list of labels", "labels")
    known = [row.name(name, "labels") for name in names]
    labels = tuple(dict.fromkeys(name for name in known if name is not None))
    return MultiLabelExample(item=row.item, text=row.text("text"), labels=None if None in known else labels)


def _pair(row: _Row) -> Example:
    return PairExample(item=row.item, query=row.text("query"), candidate=row.text("candidate"))


def _text(row: _Row) -> Example:
    pair = row.text("text_pair") if "text_pair" in row.columns else None
    return TextExample(item=row.item, text=row.text("text"), text_pair=pair)


_BUILDERS: Mapping[Kind, Callable[[_Row], Example]] = {
    Kind.CLASSIFICATION: _classification,
    Kind.TAGGING: _tagging,
    Kind.SPAN_QA: _span,
    Kind.MULTIPLE_CHOICE: _choice,
    Kind.RETRIEVAL: _pair,
    Kind.MASKED_LM: _text,
    Kind.REGRESSION: _regression,
    Kind.MULTI_LABEL: _multi_label,
}


def _load(view: DataView) -> tuple[Any, dict[str, Sequence[str]]]:
    """The table, and the names behind the columns that hold class numbers."""
    try:
        from datasets import ClassLabel, load_dataset
    except ImportError as error:
        raise MissingPackageError(
            "the source hub", "the package datasets is not installed", next_step="pip install datasets"
        ) from error
    repo, config, split = (view.location[key] for key in ("repo", "config", "split"))
    try:
        table = load_dataset(str(repo), config, split=str(split), revision=str(view.location["revision"]))
    except (OSError, ValueError, RuntimeError) as error:
        reason = (str(error).splitlines() or [""])[0][:200]
        raise InputError(
            f'dataset repository "{repo}", configuration {config or "default"}, split {split}',
            f"it cannot be loaded ({type(error).__name__}: {reason})",
            "A hub dataset is read as Parquet at a commit; loading scripts are no longer run",
            'Connect to the hub, correct the layout, or use the source "files" or "toy"',
        ) from error
    names: dict[str, Sequence[str]] = {}
    for column, feature in table.features.items():
        inner = getattr(feature, "feature", feature)
        if isinstance(inner, ClassLabel):
            names[column] = inner.names
    return table, names
