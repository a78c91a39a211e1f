"""What declarations of several themes share: labels, splits, columns, the usual shape of an intermediate."""

from __future__ import annotations

from stilts.fingerprint import Json
from stilts.tasks.kind import TaskKind
from stilts.tasks.task import Part, SplitRef, Task

NLI_LABELS = ("entailment", "neutral", "contradiction")
TWO_WAY_LABELS = ("entailment", "not_entailment")
PARAPHRASE_LABELS = ("0", "1")

# The branch on which the hub keeps a Parquet copy of a repository that has only a loading script.
CONVERTED = "refs/convert/parquet"
ENGLISH = {"train": ("en",), "dev": ("en",)}
HUB_SPLITS = {"train": "train", "dev": "validation"}
QA_COLUMNS = {"item": "id", "question": "question", "context": "context", "answers": "answers"}
# COPA's and XCOPA's tables on the hub.
COPA_COLUMNS = {
    "item": "idx",
    "context": "premise",
    "question": "question",
    "choices": "choice1,choice2",
    "label": "label",
}
COPA_OPTIONS: dict[str, Json] = {"question_map": {"cause": "What was the cause?", "effect": "What was the effect?"}}


def all_of(dataset: str, split: str) -> SplitRef:
    """A whole split."""
    return SplitRef(dataset=dataset, split=split)


def rest_of(dataset: str, split: str = "train") -> SplitRef:
    """Nine tenths of a split."""
    return SplitRef(dataset=dataset, split=split, part=Part.REST)


def tenth_of(dataset: str, split: str = "train") -> SplitRef:
    """The other tenth, which chooses."""
    return SplitRef(dataset=dataset, split=split, part=Part.TENTH)


def intermediate(
    name: str, kind: TaskKind, metric: str, labels: tuple[str, ...] = (), *, about: str, dataset: str = ""
) -> Task:
    """An English task that trains on its dataset's train and is chosen by its dev; its dataset bears its name."""
    return Task(
        name=name,
        kind=kind,
        metric=metric,
        labels=labels,
        train=all_of(dataset or name, "train"),
        dev=all_of(dataset or name, "dev"),
        description=about,
    )


def on_one_split(
    name: str, kind: TaskKind, metric: str, labels: tuple[str, ...] = (), *, dataset: str, split: str, about: str
) -> Task:
    """An English task with one split to learn from: nine tenths train, a tenth chooses."""
    return Task(
        name=name,
        kind=kind,
        metric=metric,
        labels=labels,
        train=rest_of(dataset, split),
        dev=tenth_of(dataset, split),
        description=about,
    )
