"""Proof that the three uses of a target's data share nothing (DESIGN rule 6); ``stilts validate`` calls it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from stilts.data.load import is_kept_back, load_examples
from stilts.errors import DataError, SplitOverlapError
from stilts.fingerprint import text_digest
from stilts.tasks.example import Example
from stilts.tasks.task import Source
from stilts.tasks.view import DataView

Roots = Mapping[str, str | Path]


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitCount:
    """How many examples one use has in one language of one split."""

    use: str
    dataset: str
    split: str
    language: str
    num_examples: int


def check_disjoint(
    train: Sequence[DataView],
    select: Sequence[DataView],
    report: Sequence[DataView],
    roots: Roots,
    *,
    labels: Sequence[str] | None = None,
) -> list[SplitCount]:
    """How many examples each use has in each language, once it is shown that no two uses share any.

    Raises SplitOverlapError when two uses share what a model reads, when select and report share a source item, or
    when training or selection data ask about a paragraph of another split that is reported on (SQuAD's
    dev paragraphs are XQuAD's). Raises DataError for examples without labels, or with one not in ``labels``; of what is
    reported labels may be kept back, where that is declared: a model is asked, and its answers have no score.
    """
    uses = {"train": tuple(train), "select": tuple(select), "report": tuple(report)}
    loaded = {use: [(view, load_examples(view, roots, labels=labels)) for view in views] for use, views in uses.items()}
    for use in ("train", "select", "report"):
        for view, examples in loaded[use]:
            if not (use == "report" and is_kept_back(view)):
                _refuse_unlabelled(use, view, examples)
    for first, second in combinations(loaded, 2):
        _refuse_shared(first, loaded[first], second, loaded[second])
    return [
        SplitCount(use=use, dataset=view.dataset, split=view.split, language=view.language, num_examples=len(examples))
        for use in loaded
        for view, examples in loaded[use]
    ]


Loaded = list[tuple[DataView, list[Example]]]


def _refuse_shared(first: str, one: Loaded, second: str, other: Loaded) -> None:
    """Compare two uses by content, by paragraph, and, for select and report, by source item."""
    checks = ["content"]
    if second == "report":
        checks.append("paragraph")
    if (first, second) == ("select", "report"):
        checks.append("source item")
    for check in checks:
        seen = {key: (view, example) for view, examples in one for key, example in _keys(check, view, examples)}
        shared: dict[str, tuple[DataView, Example, DataView]] = {}
        for view, examples in other:
            for key, example in _keys(check, view, examples):
                if key in seen and not (check == "paragraph" and _same_split(seen[key][0], view)):
                    shared.setdefault(key, (seen[key][0], example, view))
        if shared:
            raise _overlap(check, first, second, shared)


def _keys(check: str, view: DataView, examples: Sequence[Example]) -> Iterator[tuple[str, Example]]:
    """What an example is compared by."""
    for example in examples:
        if check == "content":
            yield example.content(), example
        elif check == "source item":
            yield _item_key(view, example), example
        elif (paragraph := example.paragraph()) is not None:
            yield text_digest(paragraph), example


def _item_key(view: DataView, example: Example) -> str:
    """The item where it is the same in all splits and datasets (question ids), else the item within its split."""
    reader = view.reader.split("/")[0]
    is_global = view.source is Source.FILES and view.kind.format(reader).global_items
    is_global = is_global or (view.source is Source.HUB and view.kind.global_hub_items)
    return example.item if is_global else f"{view.dataset}/{view.split}/{example.item}"


def _same_split(one: DataView, other: DataView) -> bool:
    """Halves and tenths of one split divide questions, not paragraphs; what is shared there is by design."""
    return (one.dataset, one.split) == (other.dataset, other.split)


def _overlap(
    check: str, first: str, second: str, shared: Mapping[str, tuple[DataView, Example, DataView]]
) -> SplitOverlapError:
    one, example, other = next(iter(shared.values()))
    return SplitOverlapError(
        f"{first} ({_name(one)}) and {second} ({_name(other)})",
        f'they share {len(shared)} by {check}, for one the item "{example.item}": {_shown(example)}',
        f"A score on {second} would reward having seen it in {first}",
        _WAYS_OUT["paragraph" if check == "paragraph" else "content"],
    )


_WAYS_OUT = {
    "content": 'Choose by other data, or write "on_overlap: exclude" in the task to leave the shared examples out',
    "paragraph": 'Train on "part: rest" and choose by "part: tenth" of the training split instead',
}


def _name(view: DataView) -> str:
    return f"{view.dataset} {view.split}, {view.part.value}, {view.language}"


def _shown(example: Example) -> str:
    """The first words of what a model would read."""
    return f'"{next(iter(example.texts()), "")[:60]}"'


def _refuse_unlabelled(use: str, view: DataView, examples: Sequence[Example]) -> None:
    missing = sum(not example.is_labelled() for example in examples)
    if missing:
        raise DataError(
            f"dataset {view.dataset}, split {view.split}, language {view.language}",
            f"{missing} of {len(examples)} examples have no label, or a placeholder for one",
            why=f"They are the target's {use} data, and a score on placeholders would mean nothing",
            next_step="Take a source with labels, another task, or leave the language out",
        )
