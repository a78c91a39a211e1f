"""Pinning one language of one split: to the content of its files, to a commit of the hub, to a version of toy.

``resolve.py`` decides which splits and languages are needed; here each becomes a DataView.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias, TypeVar

from stilts.bounded_file import not_a_file
from stilts.errors import DataError, InputError
from stilts.fingerprint import Json, digest
from stilts.tasks.fetched import DATASET, fetched_commit
from stilts.tasks.file_digests import files_fingerprint
from stilts.tasks.gated import gate_of
from stilts.tasks.kind import TaskKind
from stilts.tasks.task import Dataset, FilesLayout, HubLayout, Source, SplitRef, ToyLayout
from stilts.tasks.toy import ENGLISH, MIXED, TOY_LANGUAGES, TOY_VERSION
from stilts.tasks.view import DataView

LayoutT = TypeVar("LayoutT", FilesLayout, HubLayout, ToyLayout)
ResolveCommit: TypeAlias = Callable[[str, str | None], str]


def files_view(dataset: Dataset, ref: SplitRef, kind: TaskKind, language: str, roots: Mapping[str, Path]) -> DataView:
    """The view on files, pinned by their bytes.

    Raises DataError for a missing root or file; it names the path and the languages that are there.
    """
    layout = _layout(dataset.files, dataset, Source.FILES)
    relative = file_paths(dataset, layout, ref.split, language)
    root = _root(dataset, layout, roots)
    paths = [root / path for path in relative]
    for path in paths:
        if not path.is_file():
            raise _missing_file(dataset, ref.split, language, path, root)
    return DataView(
        dataset=dataset.name,
        kind=kind,
        split=ref.split,
        language=language,
        source=Source.FILES,
        fingerprint=files_fingerprint(paths),
        reader=f"{layout.reader}/{kind.format(layout.reader).version}",
        options=_files_options(layout, language),
        location={"root": layout.root, "paths": list(relative)},
        part=ref.part,
    )


def check_distinct(views: Sequence[DataView]) -> None:
    """Raises DataError where two languages have the very same files: the one would be scored as the other."""
    seen: dict[str, DataView] = {}
    for view in views:
        if view.source is not Source.FILES or view.kind.format(view.reader.split("/")[0]).is_shared:
            continue
        other = seen.setdefault(digest([view.fingerprint, dict(view.options)]), view)
        if other.language != view.language:
            raise DataError(
                f'dataset "{view.dataset}", split "{view.split}"',
                f"{other.language} and {view.language} have the same content ({_first(other)} and {_first(view)})",
                why="One language would be scored on the other's examples",
                next_step="Put the right file there, or leave one of the two out",
            )


def hub_view(dataset: Dataset, ref: SplitRef, kind: TaskKind, language: str, resolve_commit: ResolveCommit) -> DataView:
    """The view on a repository of the hub, pinned to a commit."""
    layout = _layout(dataset.hub, dataset, Source.HUB)
    split = _hub_split(dataset, layout, ref.split)
    config = None if layout.config is None else _fill(layout.config, layout.codes, language)
    commit = resolve_commit(layout.repo, layout.revision)
    columns = {field: _fill(column, layout.codes, language) for field, column in layout.columns.items()}
    options = {
        key: _fill(value, layout.codes, language) if isinstance(value, str) else value
        for key, value in layout.options.items()
    }
    return DataView(
        dataset=dataset.name,
        kind=kind,
        split=ref.split,
        language=language,
        source=Source.HUB,
        fingerprint=f"hub:{layout.repo}@{commit}/{config or 'default'}/{split}",
        reader=f"hub/{kind.hub_version}",
        options={"columns": dict(columns), **options},
        location={"repo": layout.repo, "config": config, "revision": commit, "split": split},
        part=ref.part,
    )


def toy_view(dataset: Dataset, ref: SplitRef, kind: TaskKind, language: str) -> DataView:
    """The view on generated examples, pinned by the generator's version and what it is asked for."""
    layout = _layout(dataset.toy, dataset, Source.TOY)
    if ref.split not in layout.sizes:
        raise InputError(
            f'dataset "{dataset.name}", split "{ref.split}"',
            f"its toy stand-in has {', '.join(layout.sizes)} only",
            next_step="Take another source for this dataset, or another task",
        )
    size = layout.sizes[ref.split]
    options: dict[str, Json] = {"generator": layout.generator, "size": size, "generator_options": dict(layout.options)}
    return DataView(
        dataset=dataset.name,
        kind=kind,
        split=ref.split,
        language=language,
        source=Source.TOY,
        fingerprint=f"toy:{layout.generator}/{TOY_VERSION}/{ref.split}/{size}/{digest(dict(layout.options))}",
        reader="toy",
        options=options,
        part=ref.part,
    )


def files_languages(dataset: Dataset, split: str, roots: Mapping[str, Path]) -> tuple[str, ...]:
    """The languages of the release whose files are all there; none when the root is not given."""
    layout = dataset.files
    if layout is None or split not in layout.splits or layout.root not in roots:
        return ()
    root = Path(roots[layout.root])
    return tuple(
        language
        for language in dataset.languages[split]
        if _has_code(layout.splits[split], layout.codes, language)
        and all((root / path).is_file() for path in file_paths(dataset, layout, split, language))
    )


def hub_languages(dataset: Dataset, split: str) -> tuple[str, ...]:
    """The languages of the release that the repository has a configuration for."""
    layout = dataset.hub
    if layout is None or split not in layout.splits:
        return ()
    pattern = "".join([layout.config or "", *layout.columns.values(), *(str(v) for v in layout.options.values())])
    return tuple(code for code in dataset.languages[split] if _has_code(pattern, layout.codes, code))


def toy_languages(dataset: Dataset, split: str) -> tuple[str, ...]:
    """The artificial languages that stand in: English alone for an English split, no English where there is none."""
    declared = dataset.languages[split]
    if declared in ((ENGLISH,), (MIXED,)):
        return declared
    return tuple(code for code in TOY_LANGUAGES if code != ENGLISH or ENGLISH in declared)


def file_paths(dataset: Dataset, layout: FilesLayout, split: str, language: str) -> tuple[str, ...]:
    """The paths of one language below the root, in the order in which they are hashed and read."""
    if split not in layout.splits:
        raise InputError(
            f'dataset "{dataset.name}", split "{split}"',
            f"its files layout has {', '.join(layout.splits)} only",
            next_step="Take another source for this dataset, or add the split to its layout",
        )
    return tuple(_fill(part.strip(), layout.codes, language) for part in layout.splits[split].split("|"))


def hub_commit(repo: str, revision: str | None) -> str:
    """The commit that a dataset repository's revision (None: its main branch) stands at, asked of the hub.

    A revision that is a commit already is returned without asking. InputError when the hub cannot be reached.
    """
    if revision is not None and is_commit(revision):
        return revision
    from huggingface_hub import HfApi

    if known := fetched_commit(repo, DATASET, revision):
        return known
    try:
        commit = HfApi().dataset_info(repo, revision=revision, timeout=20).sha
    except Exception as error:  # the hub's client passes on the errors of whichever HTTP library it was built on
        told = gate_of(error, repo, is_data=True) or (
            f"its commit could not be had ({type(error).__name__})",
            "Without the commit, two runs might read different data under one name",
            'Connect to the hub, or set "revision" to a commit of 40 hex digits, or use the source "files" or "toy"',
        )
        raise InputError(f'dataset repository "{repo}" at {revision or "its main branch"}', *told) from error
    if commit is None:
        raise InputError(f'dataset repository "{repo}"', "the hub gave no commit", next_step="Set its revision")
    return commit


def is_commit(revision: str) -> bool:
    """Whether a revision is a commit already: 40 hex digits."""
    return re.fullmatch(r"[0-9a-f]{40}", revision) is not None


def _layout(layout: LayoutT | None, dataset: Dataset, source: Source) -> LayoutT:
    if layout is None:
        raise InputError(
            f'dataset "{dataset.name}", source "{source.value}"',
            "it is not declared for that source",
            next_step=f"Take one of: {', '.join(_declared(dataset))}",
        )
    return layout


def _declared(dataset: Dataset) -> tuple[str, ...]:
    return tuple(source.value for source in Source if getattr(dataset, source.value) is not None)


def _hub_split(dataset: Dataset, layout: HubLayout, split: str) -> str:
    if split not in layout.splits:
        raise InputError(
            f'dataset "{dataset.name}", split "{split}"',
            f"its hub layout has {', '.join(layout.splits)} only",
            next_step="Take another source for this dataset",
        )
    return layout.splits[split]


def _root(dataset: Dataset, layout: FilesLayout, roots: Mapping[str, Path]) -> Path:
    if layout.root not in roots:
        raise DataError(
            f'root "{layout.root}"',
            f'no folder of that name is given, but dataset "{dataset.name}" lies there',
            why=f"Given: {', '.join(sorted(roots)) or 'none'}",
            next_step=f'Give the study a root "{layout.root}", or take the source "hub" or "toy" for this dataset',
        )
    root = Path(roots[layout.root])
    if not root.is_dir():
        raise DataError(
            root,
            f'no such folder (root "{layout.root}", for dataset "{dataset.name}")',
            next_step=f'Correct the root "{layout.root}" in the study, or put the data there',
        )
    return root


def _files_options(layout: FilesLayout, language: str) -> dict[str, Json]:
    """The reader's options for one language, with what a column of languages calls it."""
    options: dict[str, Json] = {
        key: _fill(value, layout.codes, language) if isinstance(value, str) else value
        for key, value in layout.options.items()
    }
    if "language_column" in options:
        options["language"] = layout.codes.get(language, language)
    return options


def _first(view: DataView) -> str:
    paths = view.location["paths"]
    return str(paths[0]) if isinstance(paths, list) and paths else view.dataset


def _missing_file(dataset: Dataset, split: str, language: str, path: Path, root: Path) -> DataError:
    layout = dataset.files
    there = files_languages(dataset, split, {layout.root: root}) if layout is not None else ()
    others = " or ".join(f'"{source}"' for source in _declared(dataset) if source != Source.FILES)
    otherwise = f"or take the source {others}" if others else "as its licence allows; no other source has it"
    kind = not_a_file(path)
    if kind is not None:
        whose = f'for dataset "{dataset.name}", split "{split}"'
        return DataError(path, f"it is {kind}, not a file, {whose}", next_step="Put the file of the release there")
    return DataError(
        path,
        f'no such file, for dataset "{dataset.name}", split "{split}", language "{language}"',
        why=f"Languages there: {', '.join(there) or 'none'}{_licence(dataset)}",
        next_step=f"Put the file there, {otherwise}"
        if dataset.is_release
        else f"Put the file there, or take {language} out: of the dataset's languages:, or of the target's",
    )


def _licence(dataset: Dataset) -> str:
    return f". Its licence: {dataset.licence}{_cited(dataset)}" if dataset.is_release else ""


def _cited(dataset: Dataset) -> str:
    return f"; {dataset.citation}" if dataset.citation else ""


def _fill(pattern: str, codes: Mapping[str, str], language: str) -> str:
    return pattern.replace("{lang}", language).replace("{code}", codes.get(language, language))


def _has_code(pattern: str, codes: Mapping[str, str], language: str) -> bool:
    return "{code}" not in pattern or language in codes
