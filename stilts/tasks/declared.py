"""What a declared dataset or task must be, before any file is looked at: languages, paths, options, labels."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from stilts.errors import InputError
from stilts.tasks.kinds import known_kinds
from stilts.tasks.language_codes import check_languages, check_tag
from stilts.tasks.option import OF_HUB_ROWS, check_options
from stilts.tasks.task import Dataset, FilesLayout, HubLayout, SplitRef, Task

_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
_KNOWN = ("{lang}", "{code}")


def check_dataset(dataset: Dataset) -> None:
    """Raises InputError for languages that are no tags (in ``codes`` too) or stand there twice, for paths that tell no
    language from another, for misspelt placeholders, for options that the reader has not, and for
    unlabelled splits that are none.
    """
    where = f'dataset "{dataset.name}"'
    for split, languages in dataset.languages.items():
        check_languages(f"{where}, split {split}", languages)
    for layout in (dataset.files, dataset.hub):
        for code in () if layout is None else layout.codes:
            check_tag(f"{where}, codes", code)
    if dataset.files is not None:
        _check_files(where, dataset.files, dataset.languages)
    if dataset.hub is not None:
        _check_hub(where, dataset.hub, dataset.languages)
    for layout in (dataset.files, dataset.hub):
        _check_unlabelled(where, layout, dataset.languages)


def check_task(task: Task, datasets: Mapping[SplitRef, Dataset]) -> None:
    """Raises InputError for hub options that the kind has not, and for labels of options that are none of the task's.

    ``datasets`` are those of its splits.
    """
    for ref, dataset in datasets.items():
        where = f'task "{task.name}", dataset "{ref.dataset}"'
        if dataset.hub is not None:
            check_options(f"{where}, hub", dataset.hub.options, (*OF_HUB_ROWS, *task.kind.hub_options))
        for layout in (dataset.files, dataset.hub):
            _check_label_map(where, layout, task.labels)
            _check_unseen(where, layout, task.labels)


def _check_files(where: str, layout: FilesLayout, languages: Mapping[str, Sequence[str]]) -> None:
    formats = known_kinds().formats()
    if layout.reader in formats:
        form = formats[layout.reader][1]
        check_options(f'{where}, reader "{layout.reader}"', layout.options, form.all_options)
        shared = form.is_shared or "language_column" in layout.options
    else:
        shared = False
    for split, pattern in layout.splits.items():
        _check_placeholders(f"{where}, split {split}", pattern)
        several = len(languages.get(split, ())) > 1
        for part in pattern.split("|") if several and not shared else ():
            if not any(known in part for known in _KNOWN):
                raise InputError(
                    f'{where}, split {split}, path "{part.strip()}"',
                    f"it is one file for {len(languages[split])} languages ({', '.join(languages[split][:6])})",
                    "Each language would be scored on the same examples",
                    "Write {lang} where the language stands in the path, or name the column that tells it: "
                    "options: {language_column: ...}",
                )


def _check_hub(where: str, layout: HubLayout, languages: Mapping[str, Sequence[str]]) -> None:
    texts = [layout.config or "", *layout.columns.values(), *map(str, layout.options.values())]
    for text in (layout.config or "", *layout.columns.values()):
        _check_placeholders(f"{where}, hub", text)
    for split in layout.splits:
        several = len(languages.get(split, ())) > 1
        if several and not any(known in text for known in _KNOWN for text in (*texts, layout.splits[split])):
            raise InputError(
                f"{where}, hub, split {split}",
                f"config and columns are the same for {len(languages[split])} languages",
                "Each language would be scored on the same examples",
                "Write {lang} or {code} where the repository tells its languages apart",
            )


def _check_placeholders(where: str, text: str) -> None:
    for found in _PLACEHOLDER.findall(text):
        if found not in _KNOWN:
            raise InputError(
                f'{where}, "{text}"',
                f"{found} stands for nothing",
                "{lang} stands for the language, {code} for what codes: calls it",
                "Correct it",
            )


def _check_unlabelled(where: str, layout: FilesLayout | HubLayout | None, splits: Collection[str]) -> None:
    named = [] if layout is None else layout.options.get("unlabelled", [])
    for split in named if isinstance(named, list) else ():
        if split not in splits:
            raise InputError(
                f'{where}, option "unlabelled"',
                f'"{split}" is none of its splits',
                f"They are {', '.join(splits)}",
                "Correct the name, or take it out",
            )


def _check_unseen(where: str, layout: FilesLayout | HubLayout | None, labels: Sequence[str]) -> None:
    unseen = None if layout is None else layout.options.get("unseen")
    if labels and unseen is not None and unseen not in labels:
        raise InputError(
            f'{where}, option "unseen"',
            f'"{unseen}" is none of the task\'s labels',
            f"Labels are {', '.join(labels[:20])}",
            "Add it to the labels, which it stands for the rest of, or take the option out",
        )


def _check_label_map(where: str, layout: FilesLayout | HubLayout | None, labels: Sequence[str]) -> None:
    mapping = {} if layout is None else layout.options.get("label_map", {})
    if not labels or not isinstance(mapping, dict):
        return
    for written, name in mapping.items():
        if name not in labels:
            raise InputError(
                f"{where}, label_map",
                f'"{written}" is to be "{name}", which is none of the task\'s labels',
                f"Labels are {', '.join(labels[:20])}",
                "Correct the entry; what stands left is what the files say, what stands right is the task's label",
            )
