"""Examples from a Parquet repository of the hub: a row and a mapping of columns; a kind makes the example of it.

The view's options hold ``columns``, from a field of the example to a column; ``a.b`` reaches into a nested one, ``a,b``
makes a list of two; a text that the table holds as a list of texts is joined by spaces. Other options: ``label_map``
(a label as written to the task's), ``unseen`` (the label for all that the task does not list), ``skip_labels`` (rows
that the release says to leave out), ``question_map``, ``first_choice`` and ``blank`` (as in ``readers/choices.py``),
``drop`` (leave out pairs with exactly this text), ``keep_items_with`` (keep rows whose item begins so; for repositories
that hold all languages in one table).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from stilts.data.readers.reading import among_labels, translated
from stilts.data.readers.texts import filled
from stilts.errors import DataError, InputError, MissingPackageError
from stilts.tasks.example import Example
from stilts.tasks.fetched import DATASET, fetched_folder
from stilts.tasks.gated import gate_of
from stilts.tasks.view import DataView

Row: TypeAlias = dict[str, Any]


def read_hub(
    view: DataView, labels: Sequence[str] | None, skipped: Counter[str], *, unlabelled: bool = False
) -> Iterator[Example]:
    """The view's examples, in the repository's order; the item is a column where one is declared, else the row number.

    Raises InputError when the repository cannot be loaded, DataError, with the row, for a row that makes no example.
    """
    table, class_names = _load(view)
    for number, raw in enumerate(table):
        row = _Row(view, number, raw, class_names, labels, unlabelled=unlabelled)
        if row.is_left_out(skipped):
            continue
        yield view.kind.hub_row(row)


class _Row:
    """A ``HubRow``: one row, seen through the view's mapping of columns."""

    def __init__(
        self,
        view: DataView,
        number: int,
        raw: Row,
        class_names: Mapping[str, Sequence[str]],
        labels: Sequence[str] | None,
        *,
        unlabelled: bool = False,
    ) -> None:
        columns = view.options.get("columns", {})
        self.columns: Mapping[str, str] = {k: str(v) for k, v in columns.items()} if isinstance(columns, dict) else {}
        self.options = view.options
        self.number = number
        self.place = f"{view.location['repo']} ({view.location.get('config') or 'default'}, {view.location['split']})"
        self._raw = raw
        self._class_names = class_names
        self.labels = labels
        self._unlabelled = unlabelled

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
        if self._unlabelled:
            return None
        column = self.columns[field]
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and column in self._class_names:
            names = self._class_names[column]
            if value >= len(names):
                raise self.error(f"class {value}, but there are {len(names)}", field)
            value = names[value] if value >= 0 else "-1"
        label = translated(str(value), self.options)
        if label == "-1":
            return None
        named = among_labels(label, self.options, self.labels)
        if named is None:
            raise self.error(f'label "{label}" is none of the task\'s ({", ".join(self.labels or ())})', field)
        return named

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

    def second_text(self) -> str | None:
        """The text of the field ``text_pair``, None where no column is declared for it."""
        return self.text("text_pair") if "text_pair" in self.columns else None

    def texts(self, values: Sequence[Any], field: str) -> tuple[str, ...]:
        """A list of texts; raises DataError where one of them is blank."""
        at = self.columns.get(field, field)
        return tuple(filled({at: value}, at, self.place, self.number + 1) for value in values)

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


def _load(view: DataView) -> tuple[Any, dict[str, Sequence[str]]]:
    """The table, and the names behind the columns that hold class numbers."""
    try:
        from datasets import ClassLabel, load_dataset
    except ImportError as error:
        raise MissingPackageError(
            "the source hub", "the package datasets is not installed", next_step="pip install datasets"
        ) from error
    repo, config, split = (view.location[key] for key in ("repo", "config", "split"))
    revision = str(view.location["revision"])
    try:
        if (folder := fetched_folder(str(repo), DATASET, revision)) is not None:
            table = load_dataset(folder, config, split=str(split))
        else:
            table = load_dataset(str(repo), config, split=str(split), revision=revision)
    except (OSError, ValueError, RuntimeError) as error:
        reason = (str(error).splitlines() or [""])[0][:200]
        told = gate_of(error, str(repo), is_data=True) or (
            f"it cannot be loaded ({type(error).__name__}: {reason})",
            "A hub dataset is read as Parquet at a commit; loading scripts are no longer run",
            'Connect to the hub, correct the layout, or use the source "files" or "toy"',
        )
        asked = f'dataset repository "{repo}", configuration {config or "default"}, split {split}'
        raise InputError(asked, *told) from error
    names: dict[str, Sequence[str]] = {}
    for column, feature in table.features.items():
        inner = getattr(feature, "feature", feature)
        if isinstance(inner, ClassLabel):
            names[column] = inner.names
    return table, names
