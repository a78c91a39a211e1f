"""Ordinal rating below torch: a text with one of some grades in a row, as stars or marks are.

A grade is no class, because grades have an order, and no number, because nobody says that 4 and 5 are as far apart as 1
and 2. What needs torch is ``ordinal_rating_torch.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from stilts.data.readers.reading import Reading
from stilts.data.readers.rows import tab_rows
from stilts.data.readers.texts import not_blank
from stilts.errors import DataError, InputError
from stilts.fingerprint import text_digest
from stilts.metrics.metric import FloatArray, Metric, Number, Sums
from stilts.tasks.example import Example
from stilts.tasks.hub_row import HubRow
from stilts.tasks.kind import Format, PlainUse, Scoring, TaskKind


@dataclass(frozen=True, slots=True, kw_only=True)
class GradedExample(Example):
    """A text with its grade, None where the release has none."""

    text: str
    grade: int | None = None

    label_field = "grade"

    def content(self) -> str:
        """A digest of what a model would read, the grade left out."""
        return text_digest(self.text)

    def texts(self) -> tuple[str, ...]:
        """The text."""
        return (self.text,)

    def truth(self, place: int) -> str | None:
        """The grade."""
        return None if self.grade is None else str(self.grade)


def check_grades(task: str, labels: tuple[str, ...]) -> None:
    """Raises InputError for labels that are no whole numbers in a row."""
    grades = [int(label) for label in labels if label.isdecimal()]
    if len(grades) < 3 or len(grades) != len(labels) or grades != list(range(grades[0], grades[-1] + 1)):
        raise InputError(
            f'task "{task}", labels',
            f"{', '.join(labels) or 'nothing'} where grades belong",
            "Grades are three or more whole numbers in a row",
            'Write them from the lowest: labels: ["1", "2", "3", "4", "5"]',
        )


def read_graded_tsv(reading: Reading) -> Iterator[GradedExample]:
    """Texts with a grade: text TAB grade, no header. The item is the row number from 0, which translations share."""
    for path in reading.paths:
        for line, (text, grade) in tab_rows(path, 2):
            written = reading.label(grade, path, line=line, at="grade")
            if not written.isdecimal():
                raise DataError(path, f'"{written[:40]}" is no grade', line=line, field="grade")
            yield GradedExample(item=str(line - 1), text=not_blank(text, path, line, "text"), grade=int(written))


def hub_row(row: HubRow) -> Example:
    """The example of a table's row, of its columns ``text`` and ``label``."""
    grade = row.name(row.get("label"))
    if grade is not None and not grade.isdecimal():
        raise row.error(f'"{grade[:40]}" is no grade', "label")
    return GradedExample(item=row.item, text=row.text("text"), grade=None if grade is None else int(grade))


def kappa_rows(gold: Sequence[int], said: Sequence[int]) -> FloatArray:
    """The statistics of each example, as ``KAPPA.columns`` names them."""
    x, y = np.asarray(gold, np.float64), np.asarray(said, np.float64)
    return np.stack([np.ones_like(x), x, y, x * x, y * y, (x - y) ** 2], axis=1)


def _kappa(sums: Sums) -> Number:
    """1 - observed / expected squared distance (Cohen 1968), in percent, below 0 counted as 0."""
    n, x, y = sums["total"], sums["x"], sums["y"]
    expected = np.asarray(n * (sums["xx"] + sums["yy"]) - 2.0 * x * y, np.float64)
    observed = np.asarray(n * sums["squared"], np.float64)
    share = np.divide(observed, expected, out=np.ones(expected.shape), where=expected != 0)
    found = 100.0 * np.clip(1.0 - share, 0.0, 1.0)
    return found if found.ndim else float(found)


def _parts(sums: Sums) -> dict[str, Number]:
    total = np.maximum(np.asarray(sums["total"], np.float64), 1.0)
    distance = np.asarray(sums["squared"], np.float64) / total
    return {"quadratic_kappa": _kappa(sums), "squared_distance": distance if distance.ndim else float(distance)}


KAPPA = Metric(
    name="quadratic_kappa",
    columns=("total", "x", "y", "xx", "yy", "squared"),
    score=_kappa,
    parts=_parts,
    description="Kappa of grades, weighted by squared distance, below 0 counted as 0 (Cohen 1968)",
)
ORDINAL_RATING = TaskKind(
    name="ordinal_rating",
    module=__name__,
    learning="ordinal_rating_torch",
    about="a text, one of some grades in a row",
    scored_by=(
        Scoring(
            measure=KAPPA, again=lambda truths, said, language: kappa_rows(list(map(int, truths)), list(map(int, said)))
        ),
    ),
    hub_row=hub_row,
    formats={"graded_tsv": Format(reader=f"{__name__}:read_graded_tsv", holds="text TAB grade, no header")},
    plain=PlainUse(
        auto_class="AutoModelForSequenceClassification",
        pipeline="text-classification",
        pipeline_class="TextClassificationPipeline",
        asking="""\
batch = tokenizer("A text.", return_tensors="pt")
print(int((model(**batch).logits > 0).sum()))  # how many grades it stands above the lowest""",
    ),
    check_labels=check_grades,
    labels_in=lambda answer: [answer],
)
